"""Keys at rest, sessions of browsers, and when a service may be open."""

from __future__ import annotations

import re

import pytest
from service_kit import LocalService, make_settings
from sqlalchemy import select
from tiny_job import tiny_job

from datagen.errors import InputError
from service.ledger import tables
from service.server import refuse_open


def test_open_until_a_key_exists(service: LocalService) -> None:
    """Ask for a key as soon as there is one, also on loopback."""
    assert service.http.get("/v1/jobs").status_code == 200
    service.key("read")
    assert service.http.get("/v1/jobs").status_code == 401


def test_keys_are_kept_as_digests(service: LocalService) -> None:
    """Keep nothing from which a key could be used."""
    key = service.key("read")["Authorization"].removeprefix("Bearer ")
    with service.database.read() as connection:
        stored = repr(connection.execute(select(tables.keys)).all())
    assert key not in stored
    for path in service.settings.data.rglob("ledger.sqlite*"):
        assert key.encode() not in path.read_bytes()


def test_same_idempotency_key_of_two_owners(service: LocalService) -> None:
    """Keep the keys of owners apart."""
    ann, bob = service.key("submit", owner="ann"), service.key("submit", owner="bob")
    once = {"Idempotency-Key": "once"}
    assert service.submit(headers=ann | once) != service.submit(headers=bob | once)


def test_a_session_needs_a_named_origin(service: LocalService) -> None:
    """Take a browser's cookie for a change only with the origin that browsers send."""
    key = service.key("read", "submit")["Authorization"].removeprefix("Bearer ")
    origin = {"Origin": service.url}
    entered = service.http.post("/login", data={"key": key}, headers=origin)
    assert entered.status_code in (200, 303)
    cookie = entered.headers["Set-Cookie"].lower()
    assert "httponly" in cookie
    assert re.search("samesite=(strict|lax)", cookie)
    assert service.http.post("/v1/jobs", json=tiny_job()).status_code == 403
    assert service.http.post("/v1/jobs", json=tiny_job(), headers=origin).status_code == 202


def test_open_to_others_only_with_a_key(service: LocalService) -> None:
    """Refuse to listen beyond this machine while nobody needs a key."""
    settings = make_settings(service.settings.data, host="0.0.0.0")
    with pytest.raises(InputError, match="datagen keys create"):
        refuse_open(settings)
    service.key("read")
    refuse_open(settings)

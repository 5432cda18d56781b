"""Who may do what: keys, scopes, owners, sessions of browsers, pages of other sites."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from service_kit import LocalService, make_settings
from sqlalchemy import select
from tiny_job import tiny_job

from datagen.errors import InputError
from service.clock import now_ms
from service.ledger import keys, tables
from service.server import refuse_open

NOBODY = "job_" + "0" * 32
ROUTES = [
    ("POST", "/v1/jobs"), ("POST", "/v1/jobs:validate"), ("POST", "/v1/jobs:estimate"),
    ("GET", "/v1/jobs"), ("GET", f"/v1/jobs/{NOBODY}"), ("DELETE", f"/v1/jobs/{NOBODY}"),
    ("POST", f"/v1/jobs/{NOBODY}:cancel"), ("POST", f"/v1/jobs/{NOBODY}:retry"),
    ("GET", f"/v1/jobs/{NOBODY}/events"), ("GET", "/v1/datasets"), ("GET", "/v1/assets"),
    ("POST", "/v1/assets?name=a.txt"), ("GET", "/v1/backends"), ("GET", "/v1/schemas/job"),
    ("GET", "/metrics"),
]  # fmt: skip


def test_open_until_a_key_exists(service: LocalService) -> None:
    """Ask for a key as soon as there is one, also on loopback."""
    assert service.http.get("/v1/jobs").status_code == 200
    service.key("read")
    assert service.http.get("/v1/jobs").status_code == 401


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_no_key(service: LocalService, method: str, path: str) -> None:
    """Answer 401 to nobody, and to a key that is wrong."""
    service.key("admin")
    for headers in ({}, {"Authorization": "Bearer dg_wrong"}, {"Authorization": "Basic eDp5"}):
        response = service.http.request(method, path, headers=headers)
        assert response.status_code == 401
        assert response.headers["WWW-Authenticate"] == "Bearer"


def test_wrong_scope(service: LocalService) -> None:
    """Let a reader change nothing, a submitter see no metrics."""
    reader, submitter = service.key("read", owner="ann"), service.key("submit", owner="ann")
    job_id = service.submit(headers=submitter)
    for method, path in (
        ("POST", "/v1/jobs"), ("POST", f"/v1/jobs/{job_id}:cancel"),
        ("DELETE", f"/v1/jobs/{job_id}"), ("POST", "/v1/assets?name=a.txt"),
    ):  # fmt: skip
        assert service.http.request(method, path, headers=reader).status_code == 403
    for headers in (reader, submitter):
        assert service.http.get("/metrics", headers=headers).status_code == 403
    assert service.http.get(f"/v1/jobs/{job_id}", headers=reader).status_code == 200


def test_a_revoked_key_is_void(service: LocalService) -> None:
    """End a key at once."""
    headers = service.key("read")
    with service.database.write() as connection:
        [row] = keys.all_keys(connection)
        keys.revoke(connection, row.id, now=now_ms())
    assert service.http.get("/v1/jobs", headers=headers).status_code == 401


def test_keys_are_kept_as_digests(service: LocalService) -> None:
    """Keep nothing from which a key could be used."""
    key = service.key("read")["Authorization"].removeprefix("Bearer ")
    with service.database.read() as connection:
        stored = repr(connection.execute(select(tables.keys)).all())
    assert key not in stored
    for path in service.settings.data.rglob("ledger.sqlite*"):
        assert key.encode() not in path.read_bytes()


def test_others_are_404(service: LocalService) -> None:
    """Tell nothing of another's jobs, datasets and uploads; an admin sees all."""
    ann, bob = service.key("read", "submit", owner="ann"), service.key("read", "submit", owner="bob")  # fmt: skip
    admin = service.key("read", "admin", owner="root")
    job_id = service.finished(headers=ann)
    dataset = job_id.replace("job", "dataset")
    upload = service.http.post("/v1/assets?name=a.txt", content=b"0 0 0 1 0 0 0 1\n", headers=ann)
    asset = upload.json()["id"]
    paths = [
        ("GET", f"/v1/jobs/{job_id}"), ("GET", f"/v1/jobs/{job_id}/log"),
        ("GET", f"/v1/jobs/{job_id}/spec"), ("GET", f"/v1/jobs/{job_id}/segments"),
        ("GET", f"/v1/jobs/{job_id}/events"), ("GET", f"/v1/jobs/{job_id}/previews/orbit.png"),
        ("POST", f"/v1/jobs/{job_id}:cancel"), ("POST", f"/v1/jobs/{job_id}:retry"),
        ("GET", f"/v1/datasets/{dataset}"), ("GET", f"/v1/datasets/{dataset}/manifest"),
        ("GET", f"/v1/datasets/{dataset}/files/orbit.h5"),
        ("GET", f"/v1/datasets/{dataset}/archive"), ("GET", f"/v1/assets/{asset}"),
        ("DELETE", f"/v1/assets/{asset}"), ("DELETE", f"/v1/jobs/{job_id}"),
    ]  # fmt: skip
    for method, path in paths:
        assert service.http.request(method, path, headers=bob).status_code == 404, path
    for what in ("jobs", "datasets", "assets"):
        assert service.http.get(f"/v1/{what}", headers=bob).json()[what] == []
    assert service.http.get(f"/v1/jobs/{job_id}", headers=admin).status_code == 200


def test_others_uploads_are_of_no_use(service: LocalService) -> None:
    """Refuse a job that names another's upload as one that does not exist."""
    ann, bob = service.key("submit", owner="ann"), service.key("submit", owner="bob")
    upload = service.http.post("/v1/assets?name=a.txt", content=b"0 0 0 1 0 0 0 1\n", headers=ann)
    path = f"{upload.json()['id']}/a.txt"
    segment = {"segment_id": 0, "duration": 0.2, "frame_rate": 20.0}
    trajectory = {"kind": "recorded", "path": path, "format": "tum"}
    job = tiny_job(segments=[{**segment, "trajectory": trajectory}])
    response = service.http.post("/v1/jobs", json=job, headers=bob)
    assert response.status_code == 422
    assert response.json()["errors"][0]["pointer"] == "/segments/0/trajectory/path"


def test_same_idempotency_key_of_two_owners(service: LocalService) -> None:
    """Keep the keys of owners apart."""
    ann, bob = service.key("submit", owner="ann"), service.key("submit", owner="bob")
    once = {"Idempotency-Key": "once"}
    assert service.submit(headers=ann | once) != service.submit(headers=bob | once)


@pytest.mark.parametrize(
    "headers",
    [{"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "null"}],
)
def test_pages_of_other_sites(service: LocalService, headers: dict[str, str]) -> None:
    """Refuse what a page of another site makes a browser send, also where no key is needed."""
    response = service.http.post("/v1/jobs", json=tiny_job(), headers=headers)
    assert (response.status_code, response.json()["type"]) == (403, "/problems/cross-origin")


def test_foreign_names_of_this_machine(service: LocalService) -> None:
    """Refuse a name that was pointed at loopback."""
    assert service.http.get("/v1/jobs", headers={"Host": "evil.example"}).status_code == 403


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


def test_security_headers(service: LocalService) -> None:
    """Send them with every answer, refusals included."""
    for path in ("/", "/v1/jobs", "/nothing", "/healthz"):
        headers = service.http.get(path).headers
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert "unsafe" not in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["X-Frame-Options"] == "DENY"


def open_to_others(data: Path) -> Any:
    return make_settings(data, host="0.0.0.0")


def test_open_to_others_only_with_a_key(service: LocalService) -> None:
    """Refuse to listen beyond this machine while nobody needs a key."""
    settings = open_to_others(service.settings.data)
    with pytest.raises(InputError, match="datagen keys create"):
        refuse_open(settings)
    service.key("read")
    refuse_open(settings)

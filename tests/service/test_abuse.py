"""Jobs that are refused: long YAML, quotas, a full disk."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from service_kit import LocalService, make_settings, serving
from tiny_job import tiny_job

YAML = {"Content-Type": "application/yaml"}


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalService]:
    """One service for all that is only refused."""
    with serving(make_settings(tmp_path_factory.mktemp("abuse") / "data")) as local:
        yield local


def post(service: LocalService, body: bytes, headers: dict[str, str]) -> httpx.Response:
    return service.http.post("/v1/jobs:validate", content=body, headers=headers)


def test_long_yaml_is_refused_at_once(service: LocalService) -> None:
    """Take large jobs as JSON only: YAML is slow to read."""
    response = post(service, b"a: " + b"[1]," * 50_000, YAML)
    assert (response.status_code, response.json()["type"]) == (413, "/problems/too-large")


def test_quotas_of_frames_and_bytes(tmp_path: Path) -> None:
    """Count what unfinished jobs will need."""
    with serving(make_settings(tmp_path / "a", quota_frames=20)) as service:
        service.submit()
        refusal = service.http.post("/v1/jobs", json=tiny_job())
        assert (refusal.status_code, refusal.json()["type"]) == (429, "/problems/quota-exceeded")
    with serving(make_settings(tmp_path / "b", quota_bytes=100)) as service:
        assert service.http.post("/v1/jobs", json=tiny_job()).status_code == 429


def test_no_room_on_the_disk(tmp_path: Path) -> None:
    """Answer 507 before the disk is full."""
    with serving(make_settings(tmp_path / "data", disk_reserve_bytes=2**60)) as service:
        refusal = service.http.post("/v1/jobs", json=tiny_job())
        upload = service.http.post("/v1/assets?name=a.txt", content=b"0 0 0 1 0 0 0 1\n")
    assert (refusal.status_code, upload.status_code) == (507, 507)

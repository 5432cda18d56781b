"""Who may do what, and what hostile requests come to: refusals, never a 500, nothing written."""

from __future__ import annotations

import asyncio
import http.client
import json
import re
import socket
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from service_kit import LocalService, make_settings, serving, until
from tiny_job import tiny_job

from service.errors import TooManyRequests
from service.http.limits import RateLimiter
from service.routes import meta

JSON = {"Content-Type": "application/json"}
YAML = {"Content-Type": "application/yaml"}
NOBODYS = "0" * 32
FREE = {"/healthz", "/readyz", "/problems/{slug}"}
"""Endpoints that need no key."""
TRAVERSALS = (
    "../../ledger.sqlite", "..%2f..%2fledger.sqlite", "%2e%2e/%2e%2e/ledger.sqlite", "/etc/passwd",
    "%2fetc%2fpasswd", "....//ledger.sqlite", "..\\..\\ledger.sqlite", "manifest.json%00.png", "%00",
    ".work/orbit/done.json", "./manifest.json", "previews/../manifest.json", "previews", "~root", "",
)  # fmt: skip


@pytest.fixture
def closed(service: LocalService) -> tuple[LocalService, dict[str, str]]:
    """A service that keys protect, and one user's key."""
    return service, service.key("submit", owner="ann")


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[LocalService, str]]:
    """A service with a finished job, for requests that change nothing."""
    settings = make_settings(tmp_path_factory.mktemp("service") / "data", spec_bytes=100_000)
    with serving(settings) as local:
        yield local, local.finished()


def operations(service: LocalService) -> list[tuple[str, str, dict[str, Any]]]:
    """(method, address, description) of everything in the OpenAPI document."""
    paths = service.http.get("/openapi.json").json()["paths"]
    return [
        (method.upper(), path, told) for path, of in paths.items() for method, told in of.items()
    ]


def address(path: str, **ids: str) -> str:
    known = {"job_id": f"job_{NOBODYS}", "dataset_id": f"dataset_{NOBODYS}", "slug": "invalid"}
    known |= {"asset_id": f"asset_{NOBODYS}", "name": "job"} | ids
    return re.sub(r"{(\w+)}", lambda found: known[found[1]], path)


def test_no_key(closed: tuple[LocalService, dict[str, str]]) -> None:
    """Ask for a key at every address but those that say how the service is."""
    service, _ = closed
    for method, path, _told in operations(service):
        for headers in (
            {},
            {"Authorization": "Bearer dgk_0123_wrong"},
            {"Authorization": "Basic eA=="},
        ):
            response = service.http.request(method, address(path), headers=headers)
            assert (response.status_code == 401) == (path not in FREE), (method, path)
            assert path in FREE or response.headers["WWW-Authenticate"] == "Bearer"


def test_read_key_changes_nothing(closed: tuple[LocalService, dict[str, str]]) -> None:
    """Refuse every change, and the metrics, to a key that may only read."""
    service, _ = closed
    reader = service.key("read", owner="ann")
    for method, path, _told in operations(service):
        forbidden = method in ("POST", "DELETE") or path == "/metrics"
        response = service.http.request(method, address(path), headers=reader)
        assert (response.status_code == 403) == forbidden, (method, path, response.text)


def test_submit_key_sees_no_metrics(closed: tuple[LocalService, dict[str, str]]) -> None:
    """Show counts over all owners to an admin only."""
    service, key = closed
    assert service.http.get("/metrics", headers=key).status_code == 403
    assert service.http.get("/metrics", headers=service.key("admin")).status_code == 200


def test_other_owner(closed: tuple[LocalService, dict[str, str]]) -> None:
    """Answer for what belongs to someone else exactly as for what does not exist."""
    service, ann = closed
    job_id = service.submit(headers=ann)
    upload = service.http.post(
        "/v1/assets?name=walk.txt", content=b"0 0 0 0 0 0 0 1\n", headers=ann
    )
    with service.dispatcher():
        service.wait(job_id)
    ids = {"job_id": job_id, "dataset_id": job_id.replace("job", "dataset")}
    ids |= {"asset_id": upload.json()["id"], "name": "manifest.json"}
    bob = service.key("submit", owner="bob")
    told = {"id", "job_id", "dataset_id", "asset_id"}
    for method, path, _ in operations(service):
        if told & set(re.findall(r"{(\w+)}", path)):
            theirs = service.http.request(method, address(path, **ids), headers=bob)
            nothing = service.http.request(method, address(path, name="manifest.json"), headers=bob)
            assert theirs.status_code == nothing.status_code == 404, (method, path)
    for path in ("/v1/jobs", "/v1/datasets", "/v1/assets"):
        assert [len(v) for v in service.http.get(path, headers=bob).json().values() if v] == []
    assert service.http.get(f"/v1/jobs/{job_id}", headers=service.key("admin")).status_code == 200


def test_other_owners_upload_in_a_spec(closed: tuple[LocalService, dict[str, str]]) -> None:
    """Take no spec that names an upload of someone else."""
    service, ann = closed
    upload = service.http.post(
        "/v1/assets?name=walk.txt", content=b"0 0 0 0 0 0 0 1\n", headers=ann
    )
    path = upload.json()["files"][0]["path"]
    segment = {"segment_id": 0, "duration": 0.2, "frame_rate": 20.0,
               "trajectory": {"kind": "recorded", "path": path}}  # fmt: skip
    job = tiny_job(segments=[segment])
    bob = service.key("submit", owner="bob")
    refusal = service.http.post("/v1/jobs", json=job, headers=bob)
    assert refusal.status_code == 422
    assert "you have no upload" in refusal.text
    assert service.http.post("/v1/jobs", json=job, headers=ann).status_code == 202


def test_revoked_key(closed: tuple[LocalService, dict[str, str]]) -> None:
    """Know no key that was revoked, and stay closed when all are."""
    from service.ledger import keys

    service, ann = closed
    with service.database.write() as connection:
        for row in keys.all_keys(connection):
            keys.revoke(connection, row.id, now=1)
    assert service.http.get("/v1/jobs", headers=ann).status_code == 401
    assert service.http.get("/v1/jobs").status_code == 401


def raw_get(service: LocalService, path: str) -> tuple[int, bytes]:
    """Ask for exactly this path; other clients tidy dots away before they send."""
    connection = http.client.HTTPConnection(urlsplit(service.url).netloc, timeout=60)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


@pytest.mark.parametrize("name", TRAVERSALS)
def test_path_traversal(done: tuple[LocalService, str], name: str) -> None:
    """Give nothing by a name that the manifest does not list, wherever a name can be said."""
    service, job_id = done
    dataset = job_id.replace("job", "dataset")
    for place in (
        f"/v1/datasets/{dataset}/files/{name}", f"/v1/jobs/{job_id}/previews/{name}",
        f"/v1/jobs/{name}/log", f"/v1/datasets/{name}/archive", f"/v1/assets/{name}x",
        f"/v1/schemas/{name}", f"/problems/{name}", f"/static/{name}",
    ):  # fmt: skip
        status, body = raw_get(service, place)
        assert status in (404, 405), (place, status)
        assert b"SQLite format" not in body


@pytest.mark.parametrize(
    "path",
    [
        "../../../etc/passwd", "/etc/passwd", f"asset_{NOBODYS}/../../ledger.sqlite", "file:///etc/passwd",
        f"asset_{NOBODYS}/walk.txt", "http://example.org/a.usda", f"asset_{NOBODYS}/", "asset_x/a.usda",
        f"asset_{NOBODYS}/..", "~/a.usda", "\u0000", f"asset_{NOBODYS}\n/a.usda",
    ],
)  # fmt: skip
def test_paths_in_a_spec(done: tuple[LocalService, str], path: str) -> None:
    """Take no path in a spec but that of a file of one's own upload."""
    service, _ = done
    for place in ("jobs", "jobs:validate", "jobs:estimate"):
        job = tiny_job(scene={"kind": "usd", "path": path})
        response = service.http.post(f"/v1/{place}", json=job)
        assert response.status_code == 422, (place, response.text)
        assert [fault["pointer"] for fault in response.json()["errors"]] == ["/scene/path"]


def nested(depth: int, begin: str, end: str, inner: str = "1") -> str:
    return begin * depth + inner + end * depth


BOMB = "\n".join(f"l{i}: &l{i} [{', '.join([f'*l{i - 1}'] * 9)}]" for i in range(1, 12))
HOSTILE = {
    "nested objects": (nested(16_000, '{"a":', "}"), JSON, 400),
    "nested lists": ('{"segments": ' + nested(30_000, "[", "]") + "}", JSON, 400),
    "objects that Python would read": (nested(300, '{"a":', "}"), JSON, 400),
    "a spec that is deep": ('{"scene": ' + nested(300, '{"kind":', "}") + "}", JSON, 400),
    "a spec that is not too deep": ('{"scene": ' + nested(30, '{"kind":', "}") + "}", JSON, 422),
    "a long number": ('{"seed": ' + "9" * 90_000 + "}", JSON, 400),
    "a time without end": ('{"sensors": [{"kind": "event_camera", "refractory_period_s": 1e999}]}', JSON, 422),
    "a large exponent": ('{"seed": 1e999999}', JSON, 422),
    "not finite": ('{"seed": NaN}', JSON, 422),
    "infinite": ('{"seed": -Infinity}', JSON, 422),
    "half a character in a name": ('{"\\ud800": 1}', JSON, 400),
    "half a character in a value": ('{"licence": "\\udfff"}', JSON, 400),
    "a null character": ('{"name": "a\\u0000"}', JSON, 422),
    "no text": (b"\xff\xfe\x00", JSON, 400),
    "nothing": ("", JSON, 400),
    "a list": ("[]", JSON, 400),
    "null": ("null", JSON, 400),
    "a number": ("1", JSON, 400),
    "a text": ('"x"', JSON, 400),
    "half an object": ("{", JSON, 400),
    "more than an object": ('{"a": 1}x', JSON, 400),
    "digits": ("1" * 5000, JSON, 400),
    "a byte": (b"\xff", JSON, 400),
    "many fields": (json.dumps({f"f{i}": i for i in range(5_000)}), JSON, 422),
    "an unknown type": ("{}", {"Content-Type": "application/x-pickle"}, 415),
    "too large": (" " * 100_001, JSON, 413),
    "a field twice": ('{"name": "a", "name": "b"}', JSON, 400),
    "YAML field twice": ("name: a\nname: b", YAML, 400),
    "YAML aliases": ("l0: &l0 [x, x]\n" + BOMB, YAML, 400),
    "YAML that holds itself": ("a: &a [*a]", YAML, 400),
    "YAML nested": (nested(3_000, "[", "]"), YAML, 400),
    "YAML objects": ("!!python/object/apply:os.system ['true']", YAML, 400),
    "YAML names": ("a: !!python/name:os.system", YAML, 400),
    "YAML that never ends": ("{" * 5000, YAML, 400),
    "YAML bytes": (b"\xff\xfe\x00", YAML, 400),
    "YAML null character": ("a: \0", YAML, 400),
    "YAML documents": ("a: 1\n---\nb: 2", YAML, 400),
    "YAML long number": ("seed: " + "9" * 50_000, YAML, 400),
    "YAML merge": ("a: &a {b: 1}\nc: {<<: *a}", YAML, 400),
    "YAML keys that are no text": ("? [1, 2]\n: 3", YAML, 400),
    "YAML number keys": ("1: 2", YAML, 400),
    "YAML dates": ("seed: 2001-99-99", YAML, 422),
    "YAML control characters": ("name: \x07", YAML, 400),
}  # fmt: skip


@pytest.mark.parametrize("what", HOSTILE)
def test_hostile_bodies(done: tuple[LocalService, str], what: str) -> None:
    """Refuse with a problem document what is too large, too deep or not what it says."""
    service, _ = done
    body, headers, status = HOSTILE[what]
    response = service.http.post("/v1/jobs", content=body, headers=headers)
    assert (response.status_code, response.headers["Content-Type"]) == (status, "application/problem+json")  # fmt: skip
    assert len(response.content) < 1_000_000


def test_a_body_larger_than_it_says(done: tuple[LocalService, str]) -> None:
    """Stop reading a body of unknown length at the limit."""
    service, _ = done
    sent = 0

    def endless() -> Iterator[bytes]:
        nonlocal sent
        while sent < 10**9:
            sent += 50_000
            yield b" " * 50_000

    try:
        status = service.http.post("/v1/jobs", content=endless(), headers=JSON).status_code
    except httpx.TransportError:  # the answer came while we were still sending, and then the end
        status = 413
    assert status == 413
    assert sent < 10**8


def test_thousand_parallel_submissions(tmp_path: Path) -> None:
    """Accept the quota of a thousand submissions at once, refuse the rest, and lose none."""
    quota = 25
    settings = make_settings(tmp_path / "data", quota_jobs=quota, rate_burst=2_000)

    body = json.dumps(tiny_job()).encode()

    async def submission(host: str, port: int, turn: asyncio.Semaphore) -> int:
        """Plain HTTP: a client library would take longer than the service."""
        head = f"POST /v1/jobs HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n"
        head += f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        async with turn:
            reader, writer = await asyncio.open_connection(host, port)
            writer.write(head.encode() + body)
            status = int((await reader.readline()).split()[1])
            await reader.read()
            writer.close()
            await writer.wait_closed()
        return status

    async def flood(url: str) -> list[int]:
        place, turn = urlsplit(url), asyncio.Semaphore(100)
        sent = [submission(str(place.hostname), int(place.port or 0), turn) for _ in range(1_000)]
        return await asyncio.gather(*sent)

    with serving(settings) as service:
        assert Counter(asyncio.run(flood(service.url))) == {202: quota, 429: 1_000 - quota}
        jobs = service.http.get("/v1/jobs", params={"limit": 500}).json()["jobs"]
    assert len(jobs) == quota


@pytest.mark.parametrize(
    "headers",
    [{"Host": "["}, {"Host": "[::g]"}, {"Host": "localhost", "Origin": "http://["}],
)
def test_addresses_that_are_none(service: LocalService, headers: dict[str, str]) -> None:
    """Refuse a host and an origin that cannot be read."""
    answer = service.http.post("/v1/jobs", headers=headers)
    assert (answer.status_code, answer.headers["Content-Type"]) == (403, "application/problem+json")


def test_methods_that_clients_make_up(service: LocalService) -> None:
    """Count them as one: every other label would stay in memory for good."""
    for i in range(3):
        assert service.http.request(f"MADE{i}UP", "/healthz").status_code == 405
    counted = service.http.get("/metrics").text
    assert "UP" not in counted
    assert 'method="(other)"' in counted


def test_a_fault_of_ours(service: LocalService, monkeypatch: pytest.MonkeyPatch) -> None:
    """Answer with a problem document, a number to quote and the headers of every answer."""
    monkeypatch.setattr(meta, "problem_types", lambda: 1 / 0)
    answer = service.http.get("/problems/invalid")
    assert (answer.status_code, answer.json()["type"]) == (500, "/problems/internal")
    assert answer.headers["X-Request-Id"] in answer.json()["detail"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_who_leaves_in_the_middle_of_a_body(service: LocalService) -> None:
    """Count no fault of ours when a client breaks off what it sends."""
    place = urlsplit(service.url)
    for path in ("/v1/jobs", "/v1/assets?name=walk.txt"):
        with socket.create_connection((str(place.hostname), int(place.port or 0))) as client:
            head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n0 0 0"
            client.sendall(head.encode())
            time.sleep(0.2)
        counted = f'method="POST",route="{path.partition("?")[0]}",status='
        (line,) = until(
            lambda c=counted: [
                said
                for said in service.http.get("/metrics").text.splitlines()
                if c in said and said.startswith("datagen_http_requests_total")
            ]
        )
        assert 'status="400"' in line


def test_waits_are_long_enough() -> None:
    """Ask nobody to come again before a request is free."""
    for per_minute in (1, 7, 40, 55):
        limiter = RateLimiter(per_minute=per_minute, burst=1)
        limiter.take("ann")
        with pytest.raises(TooManyRequests) as refused:
            limiter.take("ann")
        assert int(refused.value.headers["Retry-After"]) >= 60 / per_minute - 0.1


def test_rate_limit(tmp_path: Path) -> None:
    """Tell who asks too often when to come again, and serve others meanwhile."""
    settings = make_settings(tmp_path / "data", rate_burst=5, rate_per_minute=6)
    with serving(settings) as service:
        ann, bob = service.key("read", owner="ann"), service.key("read", owner="bob")
        answers = [service.http.get("/v1/jobs", headers=ann) for _ in range(8)]
        assert Counter(a.status_code for a in answers) == {200: 5, 429: 3}
        assert 1 <= int(answers[-1].headers["Retry-After"]) <= 10
        assert service.http.get("/v1/jobs", headers=bob).status_code == 200


def test_event_stream_flood(tmp_path: Path) -> None:
    """Bound one owner's open streams, serve others meanwhile, and forget closed ones."""
    settings = make_settings(tmp_path / "data", streams_per_owner=4, streams=6)
    with serving(settings) as service:
        ann, bob = service.key("submit", owner="ann"), service.key("submit", owner="bob")
        job_id, other = service.submit(headers=ann), service.submit(headers=bob)

        def follow(held: ExitStack, job: str, key: dict[str, str]) -> int:
            path = f"/v1/jobs/{job}/events"
            return held.enter_context(service.http.stream("GET", path, headers=key)).status_code

        with ExitStack() as held:
            assert [follow(held, job_id, ann) for _ in range(7)] == [200] * 4 + [429] * 3
            assert [follow(held, other, bob) for _ in range(3)] == [200] * 2 + [429]
            assert service.http.get("/v1/jobs", headers=ann).status_code == 200
        open_streams = service.app.state.datagen.streams.open
        until(lambda: open_streams.total() == 0)


def test_security_headers(done: tuple[LocalService, str]) -> None:
    """Send the headers that keep browsers from mischief with every answer, refusals too."""
    service, _ = done
    for path in ("/", "/v1/jobs", "/nothing", "/openapi.json"):
        headers = service.http.get(path).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert headers["X-Frame-Options"] == "DENY"


def test_other_sites(done: tuple[LocalService, str]) -> None:
    """Refuse what a page of another site makes a browser send, and foreign names for this host."""
    service, _ = done
    for headers in (
        {"Origin": "https://example.org"}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "null"},
        {"Host": "example.org"}, {"Host": ""},
    ):  # fmt: skip
        response = service.http.post("/v1/jobs", json=tiny_job(), headers=headers)
        assert response.status_code in (400, 403), headers

"""Downloads over a real connection: ranges, conditions, digests, resumption."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import io
import tarfile
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path

import httpx
import pytest
from service_kit import LocalService, make_settings, serving
from starlette.requests import Request
from starlette.types import Message

from service.http.content import Content, ContentResponse


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[LocalService, str, bytes]]:
    """A service, the address of a file in it, and the file's bytes."""
    with serving(make_settings(tmp_path_factory.mktemp("downloads") / "data")) as service:
        job_id = service.finished()
        dataset = job_id.replace("job", "dataset")
        data = (service.folders.dataset(job_id) / "orbit.h5").read_bytes()
        yield service, f"/v1/datasets/{dataset}/files/orbit.h5", data


Served = tuple[LocalService, str, bytes]


def get(served: Served, method: str = "GET", **headers: str) -> httpx.Response:
    service, address, _ = served
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return service.http.request(method, address, headers=named)


def etag(data: bytes) -> str:
    return f'"sha256-{hashlib.sha256(data).hexdigest()}"'


def test_whole_file(served: Served) -> None:
    """Send all bytes with their digest, length and a strong tag."""
    response, data = get(served), served[2]
    assert (response.status_code, response.content) == (200, data)
    assert response.headers["ETag"] == etag(data)
    assert response.headers["Content-Length"] == str(len(data))
    assert response.headers["Accept-Ranges"] == "bytes"
    digest = base64.b64encode(hashlib.sha256(data).digest()).decode()
    assert response.headers["Repr-Digest"] == f"sha-256=:{digest}:"


@pytest.mark.parametrize(
    ("asked", "status", "part"),
    [
        ("bytes=0-9", 206, slice(0, 10)),
        ("bytes=-7", 206, slice(-7, None)),
        ("bytes=100-", 206, slice(100, None)),
        ("bytes=abc", 200, slice(None)),
        ("items=0-1", 200, slice(None)),
        ("bytes=9-3", 200, slice(None)),
    ],
)
def test_single_ranges(served: Served, asked: str, status: int, part: slice) -> None:
    """Send the range asked for; ignore a unit or set that is not understood."""
    response, data = get(served, Range=asked), served[2]
    assert (response.status_code, response.content) == (status, data[part])
    if status == 206:
        start, stop, _ = part.indices(len(data))
        assert response.headers["Content-Range"] == f"bytes {start}-{stop - 1}/{len(data)}"


def test_several_ranges(served: Served) -> None:
    """Send several ranges as multipart/byteranges of the stated length."""
    response, data = get(served, Range="bytes=0-9,20-29"), served[2]
    assert response.status_code == 206
    kind, _, boundary = response.headers["Content-Type"].partition("; boundary=")
    assert kind == "multipart/byteranges"
    parts = response.content.split(f"--{boundary}".encode())
    bodies = [part.partition(b"\r\n\r\n")[2][:10] for part in parts[1:3]]
    assert bodies == [data[0:10], data[20:30]]
    assert int(response.headers["Content-Length"]) == len(response.content)


def test_beyond_the_end(served: Served) -> None:
    """Say with 416 how long the content is."""
    response = get(served, Range=f"bytes={len(served[2])}-")
    assert response.status_code == 416
    assert response.headers["Content-Range"] == f"bytes */{len(served[2])}"
    assert response.json()["type"] == "/problems/range-not-satisfiable"


def test_if_range(served: Served) -> None:
    """Continue only what is a part of the same bytes."""
    current, made = etag(served[2]), get(served).headers["Last-Modified"]
    assert get(served, Range="bytes=0-9", If_Range=current).status_code == 206
    assert get(served, Range="bytes=0-9", If_Range=made).status_code == 206
    assert get(served, Range="bytes=0-9", If_Range='"sha256-00"').status_code == 200


def test_not_modified(served: Served) -> None:
    """Answer 304 without a body to who has it already."""
    for headers in ({"If_None_Match": etag(served[2])}, {"If_None_Match": f"W/{etag(served[2])}"},
                    {"If_Modified_Since": get(served).headers["Last-Modified"]}):  # fmt: skip
        response = get(served, **headers)
        assert (response.status_code, response.content) == (304, b"")
        assert response.headers["ETag"] == etag(served[2])
    assert get(served, If_None_Match='"other"').status_code == 200


def test_if_match(served: Served) -> None:
    """Refuse with 412 when the bytes are not those that are meant."""
    assert get(served, If_Match=etag(served[2])).status_code == 200
    assert get(served, If_Match='"other"').status_code == 412
    early, made = "Wed, 01 Jan 2020 00:00:00 GMT", get(served).headers["Last-Modified"]
    assert get(served, If_Unmodified_Since=early).status_code == 412
    assert get(served, If_Unmodified_Since=made).status_code == 200
    assert get(served, If_Unmodified_Since=early, If_Match="*").status_code == 200
    assert get(served, If_Unmodified_Since="no date").status_code == 200


def test_head(served: Served) -> None:
    """Tell everything but the bytes; a range is for GET alone."""
    response = get(served, "HEAD", Range="bytes=0-9")
    assert (response.status_code, response.content) == (200, b"")
    assert response.headers["Content-Length"] == str(len(served[2]))


def raw_status(service: LocalService, target: str) -> int:
    """Status of a GET whose target no client has tidied up."""
    connection = HTTPConnection(service.url.removeprefix("http://"))
    connection.request("GET", target)
    status = connection.getresponse().status
    connection.close()
    return status


def test_names_come_from_the_list(served: Served) -> None:
    """Know no file but those that the dataset lists, however the name is written."""
    service, address, _ = served
    folder = address.rpartition("/")[0]
    hidden = ["../../inputs/spec.json", "..%2f..%2finputs%2fspec.json", "%2e%2e/job.json", "./orbit.h5",
              "orbit.h5/", "/etc/passwd", "%2fetc%2fpasswd", "orbit.h5%00", ".work/orbit/done.json",
              "previews/../orbit.h5", "ORBIT.H5", ""]  # fmt: skip
    for name in hidden:
        assert raw_status(service, f"{folder}/{name}") == 404, name


def test_archive(served: Served) -> None:
    """Send all files as one tar that can be continued like a file."""
    service, address, data = served
    dataset = address.split("/files/")[0]
    whole = service.http.get(f"{dataset}/archive")
    listed = service.http.get(dataset).json()
    assert len(whole.content) == listed["archive_size"]
    assert hashlib.sha256(whole.content).hexdigest() == listed["archive_sha256"]
    with tarfile.open(fileobj=io.BytesIO(whole.content)) as archive:
        member = archive.extractfile("tiny/orbit.h5")
        assert member is not None
        assert member.read() == data
    rest = service.http.get(f"{dataset}/archive", headers={"Range": "bytes=777-", "If-Range": whole.headers["ETag"]})  # fmt: skip
    assert (rest.status_code, rest.content) == (206, whole.content[777:])


def test_manifest(served: Served) -> None:
    """Give the manifest at an address of its own."""
    service, address, data = served
    dataset = address.split("/files/")[0]
    entries = service.http.get(f"{dataset}/manifest").json()["segments"]
    assert {"orbit.h5": hashlib.sha256(data).hexdigest()}.items() <= {e["file"]: e["sha256"] for e in entries}.items()  # fmt: skip


def test_interrupted_download_is_resumed(served: Served, tmp_path: Path) -> None:
    """Break off in the middle, continue with If-Range, and have the same bytes."""
    service, address, data = served
    with service.http.stream("GET", address) as response:
        begun = next(response.iter_raw(100))
    rest = get(served, Range=f"bytes={len(begun)}-", If_Range=response.headers["ETag"])
    assert begun + rest.content == data


def test_nothing_is_read_for_a_client_that_left() -> None:
    """Stop reading a file as soon as nobody takes it."""
    read = 0

    def blocks(start: int, stop: int) -> Iterator[bytes]:
        nonlocal read
        for _ in range(start, stop):
            read += 1
            yield b"x"

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def send(_message: Message) -> None:
        pass

    content = Content(
        size=1000, sha256="0" * 64, media_type="application/x-hdf5", filename="orbit.h5",
        modified_ms=0, read=blocks,
    )  # fmt: skip
    scope = {"type": "http", "method": "GET", "headers": []}
    asyncio.run(ContentResponse(Request(scope), content)(scope, receive, send))
    assert read < 5

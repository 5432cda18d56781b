"""The table of docs/service.md: what curl is answered, over a real connection."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from service_kit import LocalService, make_settings, serving

CURL = shutil.which("curl")
pytestmark = pytest.mark.skipif(CURL is None, reason="curl is not installed")


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[LocalService, str, bytes]]:
    """A service, the URL of a file in it, and the file's bytes."""
    with serving(make_settings(tmp_path_factory.mktemp("curl") / "data")) as service:
        job_id = service.finished()
        data = (service.folders.dataset(job_id) / "orbit.h5").read_bytes()
        dataset = job_id.replace("job", "dataset")
        yield service, f"{service.url}/v1/datasets/{dataset}/files/orbit.h5", data


File = tuple[LocalService, str, bytes]


def curl(*arguments: str) -> bytes:
    """Standard output of curl."""
    assert CURL is not None
    return subprocess.run([CURL, "-s", *arguments], capture_output=True, timeout=60).stdout


def asked(url: str, *headers: str, head: bool = False) -> tuple[int, dict[str, str]]:
    """Status and headers of an answer; `{etag}` and `{date}` are those of the whole file."""
    arguments = [argument for header in headers for argument in ("-H", header)]
    text = curl("-D", "-", "-o", "/dev/null", *(["-I"] if head else []), *arguments, url).decode()
    first, *lines = text.strip().splitlines()
    named = (line.partition(": ") for line in lines if line.strip())
    return int(first.split()[1]), {name.lower(): value for name, _, value in named}


@pytest.mark.parametrize(
    ("headers", "status", "length"),
    [
        ((), 200, "all"),
        (("Range: bytes=0-9",), 206, "10"),
        (("Range: bytes=-10",), 206, "10"),
        (("Range: bytes=0-",), 206, "all"),
        (("Range: bytes=999999999-",), 416, None),
        (("Range: bytes=abc",), 200, "all"),
        (("Range: items=0-1",), 200, "all"),
        (("Range: bytes=9-3",), 200, "all"),
        (("Range: bytes=0-9", "If-Range: {etag}"), 206, "10"),
        (("Range: bytes=0-9", "If-Range: {date}"), 206, "10"),
        (("Range: bytes=0-9", 'If-Range: "sha256-old"'), 200, "all"),
        (("If-None-Match: {etag}",), 304, None),
        (("If-None-Match: W/{etag}",), 304, None),
        (("If-Modified-Since: {date}",), 304, None),
        (('If-None-Match: "sha256-old"',), 200, "all"),
        (('If-Match: "sha256-old"',), 412, None),
    ],
    ids=str,
)
def test_answers(file: File, headers: tuple[str, ...], status: int, length: str | None) -> None:
    """Answer ranges and conditions as the table says."""
    _, url, data = file
    _, whole = asked(url)
    sent = [h.format(etag=whole["etag"], date=whole["last-modified"]) for h in headers]
    seen, told = asked(url, *sent)
    assert seen == status
    if length is not None:
        assert told["content-length"] == (str(len(data)) if length == "all" else length)


def test_several_ranges(file: File) -> None:
    """Send two ranges as one multipart answer."""
    status, told = asked(file[1], "Range: bytes=0-9,20-29")
    assert status == 206
    assert told["content-type"].startswith("multipart/byteranges; boundary=")


def test_head(file: File) -> None:
    """Tell length, tag and digest without a body; a range is for GET alone."""
    status, told = asked(file[1], "Range: bytes=0-9", head=True)
    assert (status, told["content-length"]) == (200, str(len(file[2])))
    assert told["etag"] == f'"sha256-{hashlib.sha256(file[2]).hexdigest()}"'
    assert told["repr-digest"].startswith("sha-256=:")


def test_kept_copy_is_confirmed(file: File, tmp_path: Path) -> None:
    """Send nothing to a curl that kept the tag of its copy."""
    tag, copy = tmp_path / "tag", tmp_path / "copy"
    arguments = ("--etag-save", str(tag), "--etag-compare", str(tag), "-w", "%{http_code}")
    assert curl(*arguments, "-o", str(copy), file[1]) == b"200"
    assert curl(*arguments, "-o", str(tmp_path / "again"), file[1]) == b"304"
    assert copy.read_bytes() == file[2]


def test_interrupted_download_is_resumed(file: File, tmp_path: Path) -> None:
    """Go on after an interruption with `-C -`, and have the bytes of the tag."""
    part = tmp_path / "orbit.h5"
    curl("-r", "0-999", "-o", str(part), file[1])
    assert part.stat().st_size == 1000
    curl("-C", "-", "-o", str(part), file[1])
    _, told = asked(file[1])
    assert told["etag"] == f'"sha256-{hashlib.sha256(part.read_bytes()).hexdigest()}"'

"""Downloads that resume where they stopped and are verified before they take their name."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from urllib.parse import quote

import httpx

from datagen.errors import DatasetError
from datagen.store import sha256_file
from service.client.connection import PAUSES, Connection
from service.models import FileView

READ_SECONDS = 60.0
PART = ".part"

Progress = Callable[[str, int, int], None]
"""Takes a file's name, the bytes of it that are here, and its size."""


@dataclass(frozen=True, slots=True)
class Transfer:
    """What a download brought."""

    files: list[Path]
    bytes_received: int
    """Over the network; less than the files when something was here already."""


def local_path(folder: Path, name: str) -> Path:
    """Where a dataset's file goes.

    Raises:
        DatasetError: the name leads out of the folder.
    """
    parts = PurePosixPath(name).parts
    if (
        not parts
        or name.startswith("/")
        or "\\" in name
        or any(p in ("", ".", "..") for p in parts)
    ):
        raise DatasetError(f"the service lists a file {name!r}; expected a plain relative name")
    return folder.joinpath(*parts)


async def fetch(
    connection: Connection, url: str, file: FileView, target: Path, on_progress: Progress
) -> int:
    """Bring one file; bytes that came over the network.

    What is here under the final name and verifies is left alone; a `.part` is continued.

    Raises:
        DatasetError: what came is not what the dataset lists, twice.
    """
    if await asyncio.to_thread(is_whole, target, file):
        on_progress(file.name, file.size, file.size)
        return 0
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(target.name + PART)
    received = 0
    for _ in range(2):
        received += await _complete(connection, url, file, part, on_progress)
        if await asyncio.to_thread(is_whole, part, file):
            part.rename(target)
            return received
        part.unlink()
    raise DatasetError(f"{file.name}: does not have SHA-256 {file.sha256}; download it again")


def is_whole(path: Path, file: FileView) -> bool:
    """The file is here, every byte of it."""
    there = path.is_file() and path.stat().st_size == file.size
    return there and sha256_file(path) == file.sha256


async def _complete(
    connection: Connection, url: str, file: FileView, part: Path, on_progress: Progress
) -> int:
    """Bring `part` to the file's size through interruptions; bytes that came."""
    tries, received = iter(PAUSES), 0
    part.touch()
    while (here := part.stat().st_size) < file.size:
        try:
            async with aclosing(_append(connection, url, file, part, here)) as blocks:
                async for length, so_far in blocks:
                    received += length
                    on_progress(file.name, so_far, file.size)
        except httpx.TransportError:
            if part.stat().st_size > here:
                tries = iter(PAUSES)  # it goes on, if slowly
            pause = next(tries, None)
            if pause is None:
                raise
            await asyncio.sleep(pause)
    on_progress(file.name, file.size, file.size)
    return received


async def _append(
    connection: Connection, url: str, file: FileView, part: Path, here: int
) -> AsyncGenerator[tuple[int, int]]:
    """Continue a part; yields the bytes that came and those that are here.

    If-Range makes sure that it is a part of the same bytes.
    """
    headers = {"Accept-Encoding": "identity"}
    if here:
        headers |= {"Range": f"bytes={here}-", "If-Range": f'"sha256-{file.sha256}"'}
    async with connection.stream(url, headers, read_timeout=READ_SECONDS) as response:
        mode = "ab" if response.status_code == httpx.codes.PARTIAL_CONTENT else "wb"
        so_far = here if mode == "ab" else 0
        with part.open(mode) as out:
            async for block in response.aiter_raw():
                out.write(block)
                so_far += len(block)
                yield len(block), so_far


def file_url(dataset_id: str, name: str) -> str:
    """Address of a dataset's file."""
    return f"/v1/datasets/{dataset_id}/files/{quote(name)}"


def digest_header(path: Path) -> str:
    """Repr-Digest of a file that is sent."""
    return f"sha-256=:{base64.b64encode(bytes.fromhex(sha256_file(path))).decode()}:"


async def blocks_of(path: Path) -> AsyncGenerator[bytes]:
    """A file to send, read as it goes."""
    with path.open("rb") as file:
        while block := await asyncio.to_thread(file.read, 2**20):
            yield block

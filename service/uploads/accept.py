"""From the body of an upload to files under an id, or to what is wrong with them."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import math
import re
import shutil
import sys
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

from anyio import to_thread

from datagen.errors import DiskFullError
from datagen.store import clear_disk_errors, free_bytes
from service import checks
from service.errors import Fault, Invalid, StorageFull, TooLarge, Unavailable, Unreadable
from service.ledger.assets import AssetFile
from service.state import State

_DIGEST = re.compile(r"sha-256=:([A-Za-z0-9+/=]+):")


def expected_digest(header: str | None) -> str | None:
    """The SHA-256 that a Repr-Digest or Content-Digest header states, in hex.

    Raises:
        Unreadable: it states none that can be read.
    """
    if header is None:
        return None
    found = _DIGEST.search(header)
    try:
        digest = base64.b64decode(found[1], validate=True) if found else b""
    except binascii.Error:
        digest = b""
    if len(digest) != hashlib.sha256().digest_size:
        raise Unreadable("Repr-Digest: expected 'sha-256=:<base64>:'")
    return digest.hex()


def new_asset_id() -> str:
    """An id that nobody can guess."""
    return f"asset_{uuid.uuid4().hex}"


async def take_in(
    state: State, asset_id: str, name: str, body: AsyncIterator[bytes], expected: str | None
) -> tuple[str, list[AssetFile]]:
    """Receive, check and keep the files of an upload; no row of the ledger is made.

    Returns:
        SHA-256 of the body, and the files.

    Raises:
        Invalid: the files are not what may be uploaded, or the digest is another.
        TooLarge, StorageFull, Busy, Unavailable: as said.
    """
    if not name.isprintable():
        raise Invalid(f"file name {name!r}: expected printable characters")
    work = state.folders.uploads / asset_id
    await to_thread.run_sync(lambda: work.mkdir(parents=True))
    try:
        digest = await _receive(state, work / "body", body)
        if expected is not None and digest != expected:
            raise Invalid(f"the body's SHA-256 is {digest}; Repr-Digest says {expected}")
        files = await _check(state, work, name)
        target = state.folders.assets / asset_id
        target.parent.mkdir(parents=True, exist_ok=True)
        await to_thread.run_sync((work / "files").rename, target)
    finally:
        await to_thread.run_sync(lambda: shutil.rmtree(work, ignore_errors=True))
    return digest, files


async def _receive(state: State, path: Path, body: AsyncIterator[bytes]) -> str:
    room = _room(state)
    digest, size = hashlib.sha256(), 0
    try:
        with clear_disk_errors(path), path.open("xb") as file:
            async for block in body:
                size += len(block)
                if size > room:
                    raise StorageFull("the upload would leave less than the reserve on the disk")
                if size > state.settings.asset_bytes:
                    raise TooLarge(f"more than {state.settings.asset_bytes:,} bytes")
                digest.update(block)
                await to_thread.run_sync(file.write, block)
    except DiskFullError as error:
        raise StorageFull("the disk is full") from error
    return digest.hexdigest()


def _room(state: State) -> int:
    """Bytes free on the disk beyond the reserve."""
    return free_bytes(state.folders.uploads) - state.settings.disk_reserve_bytes


async def _check(state: State, work: Path, name: str) -> list[AssetFile]:
    """In a process of its own: what it reads may be made to break it."""
    settings = state.settings
    limits = (
        settings.asset_unpacked_bytes, settings.asset_files, _room(state), math.ceil(settings.check_seconds),
    )  # fmt: skip
    command = [
        sys.executable, "-m", "service.uploads", str(work / "body"), name, str(work / "files"),
        *map(str, limits),
    ]  # fmt: skip
    async with checks.turn(state):
        done = await checks.run(
            command, folder=work, seconds=settings.check_seconds, advice="upload fewer or smaller files"
        )  # fmt: skip
    try:
        report = json.loads(done.output.splitlines()[-1])
    except (IndexError, ValueError) as error:
        detail = f"{name}: could not be checked (code {done.code}); expected a well-formed file"
        raise Invalid(detail) from error
    if report["event"] == "accepted":
        return [AssetFile(f["name"], f["size"], f["sha256"]) for f in report["files"]]
    message = str(report["message"]).replace(f"{work}/files/", "").replace(f"{work}/", "")
    if report["kind"] == "input":
        raise Invalid(message, faults=(Fault("", message),))
    if report["kind"] == "disk":
        raise StorageFull(message)
    raise Unavailable(message)

"""The only place that makes files appear: whole, synced, under their final name, or not at all.

A file or folder is written under a temporary name beside its target, fsynced and renamed. A crash
at any byte leaves either nothing or a temporary that `sweep_temporaries` removes.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from datagen.errors import BusyError, DiskFullError

TEMPORARY_PREFIX = ".partial-"
LEAST_BYTES = 64 * 2**10
"""A disk with less free is full."""


def sha256_file(path: Path) -> str:
    """SHA-256 of a file's bytes, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_file(path: Path, data: bytes) -> None:
    """Replace `path` with `data`, atomically."""
    with new_file(path) as temporary:
        temporary.write_bytes(data)


def write_json(path: Path, value: Any) -> None:
    """Replace `path` with readable JSON, atomically; equal values give equal bytes."""
    write_file(path, (json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode())


@contextlib.contextmanager
def new_file(path: Path) -> Iterator[Path]:
    """A temporary path to write to; becomes `path` when the block ends without an error."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.parent / f"{TEMPORARY_PREFIX}{os.getpid()}-{path.name}"
    try:
        with clear_disk_errors(path):
            yield temporary
            _sync(temporary)
            temporary.rename(path)
            _sync(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


def link_or_copy(source: Path, target: Path) -> None:
    """The same file under a second name; a copy where the disk has no hard links to it."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(source, target)
    except OSError:
        with new_file(target) as temporary:
            shutil.copyfile(source, temporary)


def seal_folder(target: Path, fill: Callable[[Path], None]) -> bool:
    """Create `target` with what `fill` writes, unless it is already there.

    Returns:
        False when another writer was first; its folder stays and ours is dropped.
    """
    if target.exists():
        return False
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=TEMPORARY_PREFIX, dir=target.parent))
    try:
        with clear_disk_errors(target):
            fill(temporary)
            for path in sorted(temporary.rglob("*")):
                _sync(path)
            _sync(temporary)
        return _rename_if_absent(temporary, target)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _rename_if_absent(source: Path, target: Path) -> bool:
    try:
        source.rename(target)
    except OSError as error:
        if error.errno in (errno.ENOTEMPTY, errno.EEXIST):
            return False
        raise
    _sync(target.parent)
    return True


def sweep_temporaries(folder: Path) -> None:
    """Remove what a killed writer left under `folder`. The caller holds the folder's lock."""
    for path in sorted(folder.rglob(f"{TEMPORARY_PREFIX}*")):
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def sweep_temporaries_of(file: Path) -> None:
    """Remove what killed writers left of one file. The caller keeps other writers of it away."""
    left = re.compile(re.escape(TEMPORARY_PREFIX) + r"\d+-" + re.escape(file.name))
    if file.parent.is_dir():
        for path in file.parent.iterdir():
            if left.fullmatch(path.name):
                path.unlink(missing_ok=True)


@contextlib.contextmanager
def clear_disk_errors(path: Path) -> Iterator[None]:
    """Turn "no space left" into an error that says what to do."""
    try:
        yield
    except (OSError, RuntimeError) as error:
        if not _tells_of_full_disk(error, path):
            raise
        raise DiskFullError(
            f"{path}: no space left on the device while writing "
            f"({free_bytes(path):,} bytes free). Nothing was left half written; free some space and "
            "run the same command again: a job goes on from its last sealed chunk."
        ) from error


def _tells_of_full_disk(error: OSError | RuntimeError, path: Path) -> bool:
    """HDF5 tells in words, numpy and torch of bytes that were not written: then the disk decides."""
    if isinstance(error, OSError) and error.errno is not None:
        return error.errno in (errno.ENOSPC, errno.EDQUOT)
    words = ("No space left on device", "errno = 28")
    return any(w in str(error) for w in words) or free_bytes(path) < LEAST_BYTES


def free_bytes(path: Path) -> int:
    """Bytes free on the file system that holds `path` or its nearest existing parent."""
    while not path.exists():
        path = path.parent
    return shutil.disk_usage(path).free


@contextlib.contextmanager
def folder_lock(folder: Path) -> Iterator[None]:
    """Hold `folder` against a second writer; the kernel lets go when the process dies.

    Raises:
        BusyError: another process holds it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise BusyError(
                f"{folder}: another process is writing here; expected to be the only one. "
                "Wait for it to end, or choose another output folder."
            ) from error
        yield
    finally:
        os.close(descriptor)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

"""Faults that the fake can be told to have, by name, in the environment variable FAKE_KIT_FAULTS."""

from __future__ import annotations

import ctypes
import errno
import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

FAULTS: dict[str, Any] = json.loads(os.environ.get("FAKE_KIT_FAULTS", "{}"))


def fault(name: str) -> Any:
    """Its strength; None when it is absent."""
    return FAULTS.get(name)


def once() -> bool:
    """Whether a fault of the process may happen now: only in the first life when it says so."""
    mark = FAULTS.get("only_once")
    if mark is None:
        return True
    try:
        os.close(os.open(mark, os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return False
    return True


def at_start() -> None:
    """Faults of the process: before anything runs, and of its disk."""
    if fault("hang_start") and once():
        hang()
    for name, spoil in (("truncated", _cut), ("wrong_digest", _flip)):
        if fault(name):
            _spoil_shards(spoil, name)
    if fault("disk_full"):
        _refuse_arrays()


def hang() -> None:
    """Never come back."""
    time.sleep(1e6)


def freeze() -> None:
    """Never come back, and let no other thread of Python run."""
    ctypes.PyDLL(None).sleep(1_000_000)


def _spoil_shards(spoil: Callable[[Path], None], name: str) -> None:
    """Change a file of the given shard after its digest was taken."""
    replace = os.replace

    def replaced(source: Any, target: Any) -> None:
        if Path(target).name == f"shard_{fault(name):05d}" and once():
            spoil(sorted(Path(source).iterdir())[0])
        replace(source, target)

    os.replace = replaced


def _cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def _flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)


def _refuse_arrays() -> None:
    """A full disk, as a write sees it."""

    def refuse(*_: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    np.save = refuse

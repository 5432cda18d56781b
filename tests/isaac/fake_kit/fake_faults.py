"""Faults that the fake can be told to have, by name, in the environment variable FAKE_KIT_FAULTS."""

from __future__ import annotations

import errno
import json
import os
import time
from typing import Any

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
    """Faults before anything runs."""
    if fault("hang_start") and once():
        time.sleep(1e6)


def hang() -> None:
    """Never come back."""
    time.sleep(1e6)


def disk_full() -> OSError:
    """What a write gives on a full disk."""
    return OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

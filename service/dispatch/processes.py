"""Looking at processes of this machine through /proc."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from pathlib import Path

PROC = Path("/proc")
PAGE = os.sysconf("SC_PAGE_SIZE")
PATIENCE = 10.0
"""Longest wait for killed processes to be gone [s]."""


def resident_bytes(pid: int) -> int:
    """Memory that a process has in use; 0 when it is gone."""
    try:
        return int((PROC / str(pid) / "statm").read_text().split()[1]) * PAGE
    except (OSError, IndexError, ValueError):
        return 0


def marked(variable: str, value: str) -> list[int]:
    """Processes that were started with this environment variable, zombies left out."""
    wanted = f"{variable}={value}".encode()
    return [
        int(entry.name)
        for entry in PROC.iterdir()
        if entry.name.isdigit() and wanted in _environment(entry).split(b"\0")
    ]


def _environment(process: Path) -> bytes:
    try:
        return (process / "environ").read_bytes()
    except OSError:
        return b""


def kill_marked(variable: str, value: str) -> int:
    """Kill every process with this environment variable and wait until they are gone.

    Workers of a dispatcher that was killed end by themselves when their standard input closes, but
    one that is stopped (SIGSTOP) would not notice.

    Returns:
        How many there were.
    """
    found = marked(variable, value)
    for pid in found:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)
    deadline = time.monotonic() + PATIENCE
    while marked(variable, value) and time.monotonic() < deadline:
        time.sleep(0.02)
    return len(found)

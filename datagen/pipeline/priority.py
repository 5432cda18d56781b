"""Rendering gives way to whatever somebody waits for."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

NICE = 10
"""A tenth of the share of a process of normal priority; all of a processor nobody else wants."""


def give_way(pid: int) -> None:
    """Lower the priority of a process and of all that it will start.

    Linux shares processors between sessions first where autogroups are on (`man 7 sched`), so a
    process that leads a session of its own gives way by its group's nice value.
    """
    with contextlib.suppress(OSError):  # gone already, or not Linux: no reason to fail
        nice = max(NICE, os.getpriority(os.PRIO_PROCESS, pid))
        os.setpriority(os.PRIO_PROCESS, pid, nice)
        Path(f"/proc/{pid}/autogroup").write_text(str(nice))

"""Worker processes: what every one of them is, whatever it works on."""

from __future__ import annotations

import os
import sys
import threading

from datagen.pipeline.priority import NICE
from datagen.pipeline.process import WorkerProcess


def test_workers_give_way() -> None:
    """Start workers below the priority of whoever waits for an answer."""
    ended = threading.Event()
    command = [sys.executable, "-c", "input()"]
    worker = WorkerProcess(command, on_report=lambda report: report or ended.set())
    here, there = os.getpriority(os.PRIO_PROCESS, 0), os.getpriority(os.PRIO_PROCESS, worker.pid)
    worker.stop()
    assert ended.wait(10)
    assert there == max(here, NICE)

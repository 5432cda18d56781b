"""Worker processes: what every one of them is, whatever it works on."""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path

import pytest

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


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_full_disk_under_the_log() -> None:
    """Hear every report and the end of a worker whose log cannot be written."""
    ended, reports = threading.Event(), []

    def hear(report: object) -> None:
        reports.append(report)
        if report is None:
            ended.set()

    said = "print('a library says hello')\nprint('{\"event\": \"sealed\"}')"
    with open("/dev/full", "ab", buffering=0) as log:
        worker = WorkerProcess([sys.executable, "-c", said], on_report=hear, log=log)
        assert ended.wait(20)
        assert worker.close() == 0
    assert reports == [{"event": "sealed"}, None]


def test_nothing_outlives_a_dead_worker() -> None:
    """End what a worker started when it dies, and hear of that although its output was held open."""
    ended = threading.Event()
    command = ["sh", "-c", "sleep 60 & exit 3"]
    worker = WorkerProcess(command, on_report=lambda report: report or ended.set())
    assert ended.wait(20)
    assert worker.close() == 3

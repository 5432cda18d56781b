"""Worker processes: one `datagen run-segment` each, JSON lines back, none left behind.

A worker watches its standard input and ends when it closes, so it cannot outlive the process that
started it, however that one died.
"""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from datagen.errors import DatagenError, InputError, ResourceError
from datagen.plan import SegmentPlan

OnReport = Callable[[int, dict[str, Any]], None]
SINGLE_THREADED = {
    name: "1" for name in ("NUMBA_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")
}
"""Segments are the unit of parallelism; threads inside a worker would only contend."""


def run_workers(
    plans: Sequence[SegmentPlan],
    *,
    out: Path,
    base_dir: Path,
    workers: int,
    chunk_frames: int,
    on_report: OnReport,
) -> None:
    """Run the segments, at most `workers` at a time; the first failure ends the others.

    Raises:
        InputError, ResourceError: what the failing worker said, or how it died.
    """
    waiting = list(plans)
    running: dict[int, subprocess.Popen[str]] = {}
    inbox: queue.Queue[tuple[SegmentPlan, dict[str, Any] | None]] = queue.Queue()
    try:
        while waiting or running:
            while waiting and len(running) < workers:
                plan = waiting.pop(0)
                running[plan.index] = _start(plan, out, base_dir, chunk_frames, inbox)
            plan, report = inbox.get()
            if report is None:
                _settle(plan, running.pop(plan.index))
            elif report["event"] == "error":
                raise _error(report)
            else:
                on_report(plan.index, report)
    finally:
        for process in running.values():
            _stop(process)


def _start(
    plan: SegmentPlan,
    out: Path,
    base_dir: Path,
    chunk_frames: int,
    inbox: queue.Queue[tuple[SegmentPlan, dict[str, Any] | None]],
) -> subprocess.Popen[str]:
    command = [
        sys.executable, "-m", "datagen", "run-segment", str(out), str(plan.index),
        "--base-dir", str(base_dir), "--chunk-frames", str(chunk_frames), "--supervised",
    ]  # fmt: skip
    process = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | SINGLE_THREADED,
        start_new_session=True,
    )
    threading.Thread(target=_listen, args=(plan, process, inbox), daemon=True).start()
    return process


def _listen(
    plan: SegmentPlan,
    process: subprocess.Popen[str],
    inbox: queue.Queue[tuple[SegmentPlan, dict[str, Any] | None]],
) -> None:
    assert process.stdout is not None
    with process.stdout as lines:
        for line in lines:
            inbox.put((plan, json.loads(line)))
    process.wait()
    inbox.put((plan, None))


def _settle(plan: SegmentPlan, process: subprocess.Popen[str]) -> None:
    _close_input(process)
    code = process.returncode
    if code:
        how = f"killed by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"
        raise ResourceError(
            f"segments/{plan.index} ({plan.segment.file_stem}): the worker was {how}. What it sealed "
            "is kept: run the same command again to go on from there."
        )


def _error(report: Mapping[str, Any]) -> DatagenError:
    kinds: dict[str, type[DatagenError]] = {"input": InputError, "resource": ResourceError}
    return kinds.get(str(report["kind"]), DatagenError)(str(report["message"]))


def _stop(process: subprocess.Popen[str]) -> None:
    """End a worker and all that it started: TERM, then KILL."""
    for sign, patience in ((signal.SIGTERM, 3.0), (signal.SIGKILL, None)):
        try:
            os.killpg(process.pid, sign)
            process.wait(patience)
        except ProcessLookupError:
            break
        except subprocess.TimeoutExpired:
            continue
        break
    process.wait()
    _close_input(process)


def _close_input(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.close()

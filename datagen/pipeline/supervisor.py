"""The segments of a job in worker processes: one `datagen run-segment` each, none left behind."""

from __future__ import annotations

import queue
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from datagen.errors import DatagenError, InputError, ResourceError
from datagen.pipeline.process import WorkerProcess, how_it_ended
from datagen.plan import SegmentPlan

OnReport = Callable[[int, dict[str, Any]], None]
Inbox = queue.Queue[tuple[SegmentPlan, dict[str, Any] | None]]


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

    When fewer segments are left than workers, each renders with several threads.

    Raises:
        InputError, ResourceError: what the failing worker said, or how it died.
    """
    waiting = list(plans)
    running: dict[int, WorkerProcess] = {}
    inbox: Inbox = queue.Queue()
    try:
        while waiting or running:
            while waiting and len(running) < workers:
                threads = max(1, workers // (len(waiting) + len(running)))
                plan = waiting.pop(0)
                running[plan.index] = _start(plan, out, base_dir, chunk_frames, threads, inbox)
            plan, report = inbox.get()
            if report is None:
                _settle(plan, running.pop(plan.index))
            elif report["event"] == "error":
                raise _error(report)
            else:
                on_report(plan.index, report)
    finally:
        for process in running.values():
            process.stop()


def _start(
    plan: SegmentPlan, out: Path, base_dir: Path, chunk_frames: int, threads: int, inbox: Inbox
) -> WorkerProcess:
    command = [
        sys.executable, "-m", "datagen", "run-segment", str(out), str(plan.index),
        "--base-dir", str(base_dir), "--chunk-frames", str(chunk_frames),
        "--threads", str(threads), "--supervised",
    ]  # fmt: skip
    return WorkerProcess(command, on_report=lambda report: inbox.put((plan, report)))


def _settle(plan: SegmentPlan, process: WorkerProcess) -> None:
    if code := process.close():
        raise ResourceError(
            f"segments/{plan.index} ({plan.segment.file_stem}): the worker was {how_it_ended(code)}. "
            "What it sealed is kept: run the same command again to go on from there."
        )


def _error(report: Mapping[str, Any]) -> DatagenError:
    kinds: dict[str, type[DatagenError]] = {
        "input": InputError, "busy": InputError, "resource": ResourceError, "disk": ResourceError
    }  # fmt: skip
    return kinds.get(str(report["kind"]), DatagenError)(str(report["message"]))

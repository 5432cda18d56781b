"""One worker process: JSON lines out of it, low priority, its own process group, never an orphan.

A worker watches its standard input and ends when it closes, so it cannot outlive the process that
started it, however that one died.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from datagen.pipeline.priority import give_way

SINGLE_THREADED = {
    name: "1" for name in ("NUMBA_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")
}
"""Segments are the unit of parallelism; threads inside a worker would only contend."""

OnReport = Callable[[dict[str, Any] | None], None]


class WorkerProcess:
    """A running command whose standard output is a stream of reports."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        on_report: OnReport,
        environment: Mapping[str, str] | None = None,
        log: IO[bytes] | None = None,
        folder: Path | None = None,
    ) -> None:
        """Start it.

        Args:
            command: program and arguments.
            on_report: takes every report from a thread of its own, then None when the process has
                ended.
            environment: of the process; this one's when absent. Libraries are kept to one thread.
            log: takes standard error and whatever else is printed; this process's when absent.
            folder: working directory.
        """
        self._log = log
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            cwd=folder,
            env=dict(os.environ if environment is None else environment) | SINGLE_THREADED,
            start_new_session=True,
        )
        give_way(self._process.pid)
        threading.Thread(target=self._listen, args=(on_report,), daemon=True).start()
        threading.Thread(target=self._end_group, daemon=True).start()

    @property
    def pid(self) -> int:
        """Process id, also of its group."""
        return self._process.pid

    def _listen(self, on_report: OnReport) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as lines:
            for line in lines:
                report = parsed(line)
                if report is not None:
                    on_report(report)
                elif self._log is not None:
                    with contextlib.suppress(OSError, ValueError):  # full disk, or closed
                        self._log.write(line)
        self._process.wait()
        on_report(None)

    def _end_group(self) -> None:
        """Let nothing that the process started outlive it: that would hold its output open, too."""
        self._process.wait()
        self._tell_group(signal.SIGKILL)

    def _tell_group(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):  # it is gone, or as good as
            os.killpg(self._process.pid, number)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the process and all that it started."""
        if self._process.poll() is None:
            self._tell_group(number)

    def stop(self, patience: float = 3.0) -> None:
        """End the process and all that it started: TERM, then KILL."""
        self.signal(signal.SIGTERM)
        try:
            self._process.wait(patience)
        except subprocess.TimeoutExpired:
            self.signal(signal.SIGKILL)
        self.close()

    def close(self) -> int:
        """Wait for the end and let go of the pipes; the exit code, negative for a signal."""
        assert self._process.stdin is not None
        code = self._process.wait()
        self._process.stdin.close()
        if self._log is not None:
            self._log.close()
        return code


def parsed(line: bytes | str) -> dict[str, Any] | None:
    """A report; None for a line that some library printed."""
    try:
        report = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return report if isinstance(report, dict) and "event" in report else None


def how_it_ended(code: int) -> str:
    """Words for an exit code."""
    return f"killed by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"

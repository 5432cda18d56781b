"""Workers as processes of this machine, each under limits of time, silence and memory.

The executor knows leases and processes, not the ledger. Ending a worker never waits: `check` sends
KILL to those that outlived TERM, and `poll` tells when a process is really gone.
"""

from __future__ import annotations

import os
import queue
import signal
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from datagen.pipeline.process import WorkerProcess, how_it_ended
from datagen.render.isaac.installation import VARIABLES as ISAAC_VARIABLES
from service.dispatch.processes import resident_bytes
from service.ledger.work import Lease

LOG_BYTES = 2**20
PASSED_ON = (
    "PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "TZ", "PYTHONPATH", "VIRTUAL_ENV", "LD_LIBRARY_PATH",
    "NUMBA_CACHE_DIR", "OPENBLAS_CORETYPE", "CUDA_VISIBLE_DEVICES", *ISAAC_VARIABLES,
)  # fmt: skip
"""Variables that a worker sees, those among them that numbers depend on; the service's own may hold
secrets."""


def worker_environment(more: Mapping[str, str]) -> dict[str, str]:
    """What a worker runs with: variables of ours that it may see, and more."""
    passed_on = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    return {**passed_on, **more, "PYTHONSAFEPATH": "1"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """When a worker is ended; see the settings of the same names."""

    segment_seconds: float
    stall_seconds: float
    memory_bytes: int
    stop_seconds: float


@dataclass(frozen=True, slots=True)
class Ended:
    """A worker is gone."""

    how: str
    """In words."""
    stopped: str | None
    """Why we ended it, if we did."""


@dataclass(slots=True)
class _Running:
    process: WorkerProcess
    log: Path
    started: float
    heard: float
    stopped: str | None = None
    kill_at: float | None = None


Message = tuple[Lease, dict[str, Any] | Ended]


class LocalExecutor:
    """Starts, watches and ends worker processes."""

    def __init__(self, limits: Limits, *, mark: Mapping[str, str]) -> None:
        """Set up.

        Args:
            limits: of every worker.
            mark: variables that every worker carries, by which a later dispatcher finds it.
        """
        self._limits = limits
        self._environment = worker_environment(mark)
        self._running: dict[Lease, _Running] = {}
        self._inbox: queue.Queue[tuple[Lease, dict[str, Any] | None]] = queue.Queue()

    def start(self, lease: Lease, command: Sequence[str], *, folder: Path, log: Path) -> None:
        """Start a worker in `folder`, its standard error going to `log`.

        Raises:
            OSError: it cannot be started.
        """
        log.parent.mkdir(parents=True, exist_ok=True)
        said = log.open("ab", buffering=0)
        try:
            process = WorkerProcess(
                command,
                on_report=lambda report: self._inbox.put((lease, report)),
                environment=self._environment,
                log=said,
                folder=folder,
            )
        except OSError:
            said.close()
            raise
        now = time.monotonic()
        self._running[lease] = _Running(process, log, started=now, heard=now)

    def stop(self, lease: Lease, reason: str) -> None:
        """Begin to end a worker; asking twice is harmless."""
        running = self._running.get(lease)
        if running is None or running.stopped is not None:
            return
        running.stopped = reason
        running.kill_at = time.monotonic() + self._limits.stop_seconds
        running.process.signal(signal.SIGTERM)

    def poll(self, timeout: float) -> list[Message]:
        """What workers said since the last time; waits up to `timeout` seconds for the first."""
        messages: list[Message] = []
        try:
            messages += self._take(*self._inbox.get(timeout=timeout))
            while True:
                messages += self._take(*self._inbox.get_nowait())
        except queue.Empty:
            return messages

    def _take(self, lease: Lease, report: dict[str, Any] | None) -> list[Message]:
        running = self._running[lease]
        running.heard = time.monotonic()
        if report is not None:
            return [(lease, report)]
        del self._running[lease]
        code = running.process.close()
        return [(lease, Ended(how_it_ended(code), running.stopped))]

    def check(self) -> None:
        """End whoever passed a limit; kill whoever outlived TERM."""
        now = time.monotonic()
        for lease, running in self._running.items():
            if running.kill_at is not None and now >= running.kill_at:
                running.process.signal(signal.SIGKILL)
            elif (reason := self._passed_limit(running, now)) is not None:
                self.stop(lease, reason)
            _cut_log(running.log)

    def _passed_limit(self, running: _Running, now: float) -> str | None:
        limits = self._limits
        if now - running.started > limits.segment_seconds:
            return f"took longer than {limits.segment_seconds:g} s"
        if now - running.heard > limits.stall_seconds:
            return f"reported nothing for {limits.stall_seconds:g} s"
        used = resident_bytes(running.process.pid)
        if limits.memory_bytes and used > limits.memory_bytes:
            return f"used {used:,} bytes of memory, more than {limits.memory_bytes:,}"
        return None


def _cut_log(path: Path) -> None:
    """Begin a log anew that has grown too large; what comes last matters most."""
    if path.exists() and path.stat().st_size > LOG_BYTES:
        os.truncate(path, 0)

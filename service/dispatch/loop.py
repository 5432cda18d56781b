"""The dispatcher's loop: start what fits, keep what workers say, end what was cancelled.

It may be killed at any instant. What it knows beyond the ledger is only which processes run, and
those end with it; the next one finds their marks, adopts what verifies and hands back the rest.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection

from datagen.errors import DatagenError, kind_of
from datagen.store import free_bytes
from service.clock import now_ms
from service.dispatch import housekeeping
from service.dispatch.executor import Ended, LocalExecutor, Message
from service.dispatch.fairness import Turns, choose
from service.dispatch.orders import command_for, lay_out_inputs
from service.dispatch.outcomes import keep_outcome
from service.dispatch.progress import ProgressBook
from service.dispatch.recovery import recover
from service.folders import Folders, log_name
from service.ledger import assets, jobs, place, queue, work
from service.ledger.database import Database
from service.ledger.queue import Candidate
from service.ledger.work import Lease
from service.settings import Settings
from service.states import STARTABLE, Stage

log = logging.getLogger("datagen.dispatcher")

TICK = 0.2
WRITE_EVERY = 0.3
BEAT_EVERY = 2.0
TIDY_EVERY = 5.0


class Dispatcher:
    """Owner of the running tasks of one ledger. The caller holds `place.sole_dispatcher`."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        executor: LocalExecutor,
        stopping: threading.Event,
    ) -> None:
        self._settings = settings
        self._folders = Folders(settings.data.resolve())
        self._database = database
        self._executor = executor
        self._stopping = stopping
        self._turns = Turns()
        self._running: dict[Lease, Candidate] = {}
        self._progress = ProgressBook()
        self._results: dict[Lease, dict[str, Any]] = {}
        self._due: dict[str, float] = {}
        self._epoch = 0

    def run(self) -> None:
        """Work until asked to stop; then hand back what does not end in time.

        Raises:
            DeposedError: another dispatcher took over.
            Problem: the ledger cannot be written. Being started again is the cure.
        """
        with self._database.write() as connection:
            self._epoch = place.claim(
                connection, host=socket.gethostname(), pid=os.getpid(), now=now_ms()
            )
        with self._write() as connection:
            left = queue.leased(connection)
        recover(left, self._folders, self._write)
        log.info("dispatching", extra={"action": "dispatching", "epoch": self._epoch})
        while not self._stopping.is_set():
            self.step(TICK)
        self._drain()

    def step(self, timeout: float) -> None:
        """One round of the loop."""
        self._hear(self._executor.poll(timeout))
        self._executor.check()
        self._end_cancelled()
        if not self._stopping.is_set():
            self._start_what_fits()
        if self._is_due("write", WRITE_EVERY):
            self._write_progress()
        if self._is_due("beat", BEAT_EVERY):
            self._beat()
        if self._is_due("tidy", TIDY_EVERY):
            housekeeping.tidy(self._database, self._folders, self._settings)

    @contextmanager
    def _write(self) -> Iterator[Connection]:
        """A transaction that only the present dispatcher completes."""
        with self._database.write() as connection:
            place.hold(connection, self._epoch)
            yield connection

    def _is_due(self, what: str, every: float) -> bool:
        now = time.monotonic()
        if now < self._due.get(what, 0.0):
            return False
        self._due[what] = now + every
        return True

    def _hear(self, messages: list[Message]) -> None:
        for lease, message in messages:
            if isinstance(message, Ended):
                self._settle(lease, message)
            else:
                self._note(lease, message)

    def _note(self, lease: Lease, report: dict[str, Any]) -> None:
        match report["event"]:
            case "frame":
                self._progress.frame(lease, int(report["frame"]))
            case "resumed":
                self._progress.adopt(lease, int(report["frames"]))
            case "opened":
                with self._write() as connection:
                    work.noted(connection, lease, list(report["notes"]), now=now_ms())
            case "prepared" | "sealed" | "described" | "unverified" | "error":
                self._results[lease] = report
            case _:
                pass

    def _settle(self, lease: Lease, ended: Ended) -> None:
        """Keep what came of a task whose worker is gone."""
        candidate = self._running.pop(lease)
        self._turns.end(candidate.owner, lease.job_id)
        self._progress.close(lease)
        report = self._results.pop(lease, None)
        with self._write() as connection:
            keep_outcome(connection, lease, report, ended, self._settings, now=now_ms())
            state = jobs.state_of(connection, lease.job_id)
        details = {"attempt": lease.attempt, "how": ended.how, "stopped": ended.stopped}
        log.info("task ended", extra={"action": "task_ended", **_named(lease), **details})
        if state not in STARTABLE:
            self._progress.forget(lease.job_id)
            self._turns.forget(lease.job_id)
            self._end_all(lease.job_id, f"the job is {state}")

    def _end_all(self, job_id: str, reason: str) -> None:
        for lease in self._running:
            if lease.job_id == job_id:
                self._executor.stop(lease, reason)

    def _end_cancelled(self) -> None:
        running = {lease.job_id for lease in self._running}
        if not running:
            return
        with self._database.read() as connection:
            cancelled = queue.cancelling(connection, sorted(running))
        for job_id in cancelled:
            self._end_all(job_id, "cancelled")

    def _start_what_fits(self) -> None:
        slots = self._settings.slots
        used = Counter(candidate.device for candidate in self._running.values())
        free = {device: count - used[device] for device, count in slots.items()}
        devices = [device for device, count in free.items() if count > 0]
        if not devices or self._disk_is_low():
            return
        with self._database.read() as connection:
            depth = 2 * sum(slots.values())
            found = queue.candidates(connection, devices, depth=depth, now=now_ms())
        while (candidate := choose(found, self._turns, free)) is not None:
            found.remove(candidate)
            if self._start(candidate):
                free[candidate.device] -= 1

    def _start(self, candidate: Candidate) -> bool:
        with self._write() as connection:
            lease = work.lease(connection, candidate.job_id, candidate.number, now=now_ms())
            if lease is None:
                return False
            spec = jobs.spec_of(connection, lease.job_id)
            uploads = assets.of_job(connection, lease.job_id)
        try:
            if lease.stage is Stage.PREPARE:
                lay_out_inputs(self._folders, lease.job_id, spec, uploads)
            self._order(lease)
        except (OSError, DatagenError) as error:
            self._keep_refusal(lease, error)
            return False
        self._running[lease] = candidate
        self._turns.start(candidate)
        log.info("task started", extra={"action": "task_started", **_named(lease)})
        return True

    def _order(self, lease: Lease) -> None:
        self._executor.start(
            lease,
            command_for(lease, self._folders, self._settings.command, self._settings.chunk_frames),
            folder=self._folders.job(lease.job_id),
            log=self._folders.logs(lease.job_id)
            / log_name(lease.number, lease.name, lease.attempt),
        )

    def _keep_refusal(self, lease: Lease, error: Exception) -> None:
        """The worker could not be started."""
        kind = kind_of(error) if isinstance(error, DatagenError) else "resource"
        report = {"event": "error", "kind": kind, "message": str(error)}
        with self._write() as connection:
            ended = Ended("not started", None)
            keep_outcome(connection, lease, report, ended, self._settings, now=now_ms())

    def _disk_is_low(self) -> bool:
        return free_bytes(self._folders.data) < self._settings.disk_reserve_bytes

    def _write_progress(self) -> None:
        if not self._progress.changed:
            return
        with self._write() as connection:
            for lease in self._progress.changed:
                left = jobs.frames_left(connection, lease.job_id)
                work.progressed(
                    connection, lease,
                    frames_done=self._progress.frames[lease],
                    seconds_left=self._progress.seconds_left(lease.job_id, left),
                    now=now_ms(),
                )  # fmt: skip
        self._progress.changed.clear()

    def _beat(self) -> None:
        with self._database.write() as connection:
            place.beat(
                connection, self._epoch,
                slots=self._settings.slots, disk_low=self._disk_is_low(), now=now_ms(),
            )  # fmt: skip

    def _drain(self) -> None:
        """Let workers end by themselves for a while, then hand back what is left."""
        log.info("draining", extra={"action": "draining", "tasks": len(self._running)})
        deadline = time.monotonic() + self._settings.drain_seconds
        while self._running:
            if time.monotonic() >= deadline:
                for lease in self._running:
                    self._executor.stop(lease, "the service stops")
            self.step(TICK)


def _named(lease: Lease) -> dict[str, str]:
    return {"job": lease.job_id, "task": lease.name}

"""How far running tasks are and how long their jobs will still take."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from service.ledger.work import Lease


@dataclass(slots=True)
class _Pace:
    """Frames a job made under this dispatcher, and when the first was done."""

    since: float
    frames: int = 0


@dataclass(slots=True)
class ProgressBook:
    """Collects reports between two writes to the ledger."""

    frames: dict[Lease, int] = field(default_factory=dict)
    """Frames of a task that are done."""
    changed: set[Lease] = field(default_factory=set)
    _pace: dict[str, _Pace] = field(default_factory=dict)

    def adopt(self, lease: Lease, frames: int) -> None:
        """Frames that an earlier attempt had sealed."""
        self._keep(lease, frames)

    def frame(self, lease: Lease, frame: int) -> None:
        """Frame number `frame` is done."""
        self._pace.setdefault(lease.job_id, _Pace(time.monotonic())).frames += 1
        self._keep(lease, frame + 1)

    def _keep(self, lease: Lease, frames: int) -> None:
        self.frames[lease] = frames
        self.changed.add(lease)

    def seconds_left(self, job_id: str, frames_left: int) -> float | None:
        """At the pace so far; None before there is one."""
        pace = self._pace.get(job_id)
        if pace is None or pace.frames < 2:
            return None
        return frames_left * (time.monotonic() - pace.since) / (pace.frames - 1)

    def close(self, lease: Lease) -> None:
        """The task has ended."""
        self.frames.pop(lease, None)
        self.changed.discard(lease)

    def forget(self, job_id: str) -> None:
        """The job has ended or pauses."""
        self._pace.pop(job_id, None)

"""Who is next: pure, over what could start and what is running.

Among owners, then among an owner's jobs: the one with the fewest running tasks; among equals the
one that was served longest ago; among those the oldest job. So a user with a thousand jobs does not
keep another waiting, and a small job does not wait for a large one to end.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from service.ledger.queue import Candidate


@dataclass(slots=True)
class Turns:
    """Who has running tasks and who was served when."""

    owners: Counter[str] = field(default_factory=Counter)
    jobs: Counter[str] = field(default_factory=Counter)
    served: dict[str, int] = field(default_factory=dict)
    """Number of the turn in which an owner or job was last served."""
    turn: int = 0

    def start(self, candidate: Candidate) -> None:
        """Count a task as running."""
        self.turn += 1
        self.owners[candidate.owner] += 1
        self.jobs[candidate.job_id] += 1
        self.served[candidate.owner] = self.served[candidate.job_id] = self.turn

    def end(self, owner: str, job_id: str) -> None:
        """Count a task as ended."""
        self.owners[owner] -= 1
        self.jobs[job_id] -= 1

    def forget(self, job_id: str) -> None:
        """Drop a job that will not come again."""
        self.served.pop(job_id, None)
        if not self.jobs[job_id]:
            del self.jobs[job_id]


def choose(
    candidates: Iterable[Candidate], turns: Turns, free: Mapping[str, int]
) -> Candidate | None:
    """The task that should start now on one of the `free` slots (by device class), if any."""

    def rank(candidate: Candidate) -> tuple[int | str, ...]:
        owner, job = candidate.owner, candidate.job_id
        return (
            turns.owners[owner], turns.served.get(owner, 0),
            turns.jobs[job], turns.served.get(job, 0),
            candidate.created_ms, job, candidate.number,
        )  # fmt: skip

    startable = [candidate for candidate in candidates if free.get(candidate.device, 0) > 0]
    return min(startable, key=rank, default=None)

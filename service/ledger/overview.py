"""Counts over the whole ledger, for metrics and readiness."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from service.ledger import datasets
from service.ledger.jobs import count_by_state
from service.ledger.place import heartbeat
from service.ledger.tables import jobs, tasks
from service.states import JobState, TaskState


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """The ledger in numbers."""

    jobs: dict[str, int]
    tasks: dict[str, int]
    attempts: int
    failures: int
    oldest_queued_seconds: float
    dataset_bytes: int
    beat_seconds: float | None
    """Since the dispatcher's last sign of life; None when there never was one."""


def overview(connection: Connection, *, now: int) -> Overview:
    """Count everything."""
    by_state = connection.execute(select(tasks.c.state, func.count()).group_by(tasks.c.state))
    found = {str(state): int(count) for state, count in by_state}
    work = connection.execute(
        select(func.coalesce(func.sum(tasks.c.attempt), 0), func.coalesce(func.sum(tasks.c.failures), 0))
    ).one()  # fmt: skip
    oldest = connection.execute(
        select(func.min(jobs.c.created_ms)).where(jobs.c.state == JobState.QUEUED)
    ).scalar()
    beat = heartbeat(connection)
    states = count_by_state(connection)
    return Overview(
        jobs={state: states.get(state, 0) for state in JobState},
        tasks={state: found.get(state, 0) for state in TaskState},
        attempts=int(work[0]),
        failures=int(work[1]),
        oldest_queued_seconds=0.0 if oldest is None else (now - oldest) / 1e3,
        dataset_bytes=datasets.total_bytes(connection),
        beat_seconds=None if beat is None else (now - beat.beat_ms) / 1e3,
    )

"""Which tasks could start, and which are in workers' hands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, func, select

from service.ledger.tables import jobs, tasks
from service.states import STARTABLE, JobState, TaskState

RUNNING = select(tasks.c.job_id).where(tasks.c.state == TaskState.LEASED).distinct()


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A task that could start now."""

    job_id: str
    owner: str
    device: str
    created_ms: int
    number: int


def candidates(
    connection: Connection, devices: list[str], *, depth: int, now: int
) -> list[Candidate]:
    """Tasks that could start: of each owner's oldest `depth` unfinished jobs, oldest first."""
    age = func.row_number().over(partition_by=jobs.c.owner, order_by=(jobs.c.created_ms, jobs.c.id))
    unfinished = (
        select(jobs.c.id, jobs.c.owner, jobs.c.device, jobs.c.created_ms, jobs.c.stage, age.label("age"))
        .where(jobs.c.state.in_(sorted(STARTABLE)), jobs.c.device.in_(devices))
        .subquery()
    )  # fmt: skip
    statement = (
        select(unfinished, tasks.c.number)
        .join(tasks, tasks.c.job_id == unfinished.c.id)
        .where(
            unfinished.c.age <= depth,
            tasks.c.state == TaskState.PENDING,
            tasks.c.stage == unfinished.c.stage,
            tasks.c.not_before_ms <= now,
        )
        .order_by(unfinished.c.created_ms, unfinished.c.id, tasks.c.number)
    )
    return [
        Candidate(
            job_id=row.id, owner=row.owner, device=row.device,
            created_ms=row.created_ms, number=row.number,
        )
        for row in connection.execute(statement)
    ]  # fmt: skip


def cancelling(connection: Connection, job_ids: list[str]) -> list[str]:
    """Those of some jobs that are to end."""
    statement = select(jobs.c.id).where(jobs.c.id.in_(job_ids), jobs.c.state == JobState.CANCELLING)
    return [str(row.id) for row in connection.execute(statement)]


def running_jobs(connection: Connection) -> frozenset[str]:
    """Jobs with a task in a worker's hands."""
    return frozenset(str(row.job_id) for row in connection.execute(RUNNING))


def leased(connection: Connection) -> list[Row[Any]]:
    """Every task in a worker's hands, with its job's spec."""
    statement = select(tasks, jobs.c.spec).join(jobs)
    return list(connection.execute(statement.where(tasks.c.state == TaskState.LEASED)))

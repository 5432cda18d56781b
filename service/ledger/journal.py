"""Every change of a job or task, in one statement with its event row.

The first thing that any change does is to take the job's next event number. That row update also
makes two writers of the same job take turns, so event numbers have no gaps and no reader can see
number n + 1 before n.
"""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import Connection, and_, delete, insert, select, update

from service.ledger.tables import events, jobs, tasks
from service.states import JobState, TaskState, before, task_before


def record(
    connection: Connection,
    job_id: str,
    type_: str,
    data: dict[str, Any],
    *,
    now: int,
    task: int | None = None,
) -> None:
    """Append an event to a job's journal."""
    taken = update(jobs).where(jobs.c.id == job_id).values(last_event=jobs.c.last_event + 1)
    seq = connection.execute(taken.returning(jobs.c.last_event)).scalar_one()
    _append(connection, job_id, seq, type_, data, now, task)


def _append(
    connection: Connection,
    job_id: str,
    seq: int,
    type_: str,
    data: dict[str, Any],
    now: int,
    task: int | None,
) -> None:
    row = {"job_id": job_id, "seq": seq, "at_ms": now, "type": type_, "task": task}
    connection.execute(insert(events), {**row, "data": json.dumps(data)})


def move_job(
    connection: Connection,
    job_id: str,
    target: JobState,
    *,
    now: int,
    data: dict[str, Any] | None = None,
    **values: Any,
) -> bool:
    """Take a job to another state; False when its present state does not allow that."""
    statement = (
        update(jobs)
        .where(jobs.c.id == job_id, jobs.c.state.in_(sorted(before(target))))
        .values(state=target, last_event=jobs.c.last_event + 1, **values)
        .returning(jobs.c.last_event)
    )
    seq = connection.execute(statement).scalar()
    if seq is None:
        return False
    _append(connection, job_id, seq, "state", {"state": target, **(data or {})}, now, None)
    return True


def move_task(
    connection: Connection,
    job_id: str,
    number: int,
    target: TaskState,
    *,
    now: int,
    speaker: int | None = None,
    data: dict[str, Any] | None = None,
    **values: Any,
) -> bool:
    """Take a task to another state; False when its state or attempt is no longer what was thought.

    Args:
        connection: inside a write transaction.
        job_id: the job.
        number: the task.
        target: the new state.
        now: milliseconds since 1970.
        speaker: the attempt that speaks; one that no longer holds the task changes nothing.
        data: goes into the event.
        values: further columns.
    """
    allowed = [
        tasks.c.job_id == job_id,
        tasks.c.number == number,
        tasks.c.state.in_(sorted(task_before(target))),
    ]
    if speaker is not None:
        allowed += [tasks.c.attempt == speaker, tasks.c.state == TaskState.LEASED]
    statement = update(tasks).where(and_(*allowed)).values(state=target, **values)
    row = connection.execute(statement.returning(tasks.c.name, tasks.c.attempt)).first()
    if row is None:
        return False
    told = {"task": row.name, "state": target, "attempt": row.attempt, **(data or {})}
    record(connection, job_id, "task", told, now=now, task=number)
    return True


def record_progress(
    connection: Connection, job_id: str, number: int, data: dict[str, Any], *, now: int
) -> None:
    """Append a task's progress in place of its last one: old progress is of no use to anyone."""
    connection.execute(
        delete(events).where(
            events.c.job_id == job_id, events.c.type == "progress", events.c.task == number
        )
    )
    record(connection, job_id, "progress", data, now=now, task=number)


def events_after(connection: Connection, job_id: str, seq: int, *, limit: int) -> list[Any]:
    """The job's events numbered above `seq`, in order."""
    statement = (
        select(events)
        .where(events.c.job_id == job_id, events.c.seq > seq)
        .order_by(events.c.seq)
        .limit(limit)
    )
    return list(connection.execute(statement))


def latest_events(connection: Connection, job_id: str, *, limit: int) -> list[Any]:
    """The job's latest events but for progress, in order."""
    statement = (
        select(events)
        .where(events.c.job_id == job_id, events.c.type != "progress")
        .order_by(events.c.seq.desc())
        .limit(limit)
    )
    return list(connection.execute(statement))[::-1]

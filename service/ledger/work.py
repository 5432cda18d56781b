"""What happens to a task in a worker's hands: leased, progressed, sealed, failed, handed back.

Every write is fenced twice: by the dispatcher's epoch (`place.hold`; one that lost its place
changes nothing) and by the attempt number of the task (a worker that was given up changes nothing).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update

from service.ledger.jobs import finish_cancel, tasks_of
from service.ledger.journal import move_job, move_task, record, record_progress
from service.ledger.tables import datasets, files, jobs, tasks
from service.states import STARTABLE, JobState, Stage, TaskState


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """A task in the hands of one worker."""

    job_id: str
    number: int
    attempt: int
    stage: Stage
    name: str
    frames: int


def lease(connection: Connection, job_id: str, number: int, *, now: int) -> Lease | None:
    """Take a pending task under its next attempt number; None when it can no longer start."""
    statement = select(jobs.c.state, jobs.c.stage).where(jobs.c.id == job_id).with_for_update()
    job = connection.execute(statement).first()
    if job is None or JobState(job.state) not in STARTABLE:
        return None
    taken = move_task(
        connection, job_id, number, TaskState.LEASED, now=now,
        attempt=tasks.c.attempt + 1, started_ms=now, finished_ms=None, error=None,
    )  # fmt: skip
    if not taken:
        return None
    if job.state == JobState.QUEUED:
        move_job(connection, job_id, JobState.RUNNING, now=now, started_ms=now)
    if job.stage == Stage.PACKAGE:
        move_job(connection, job_id, JobState.PACKAGING, now=now)
    row = connection.execute(
        select(tasks).where(tasks.c.job_id == job_id, tasks.c.number == number)
    ).one()
    return lease_of(row)


def lease_of(row: Row[Any]) -> Lease:
    """The lease that a task's row tells of."""
    return Lease(
        job_id=row.job_id, number=row.number, attempt=row.attempt,
        stage=Stage(row.stage), name=row.name, frames=row.frames,
    )  # fmt: skip


def progressed(
    connection: Connection,
    lease: Lease,
    *,
    frames_done: int,
    seconds_left: float | None,
    now: int,
) -> None:
    """Keep how far a worker is."""
    statement = (
        update(tasks)
        .where(
            tasks.c.job_id == lease.job_id,
            tasks.c.number == lease.number,
            tasks.c.state == TaskState.LEASED,
            tasks.c.attempt == lease.attempt,
        )
        .values(frames_done=frames_done)
    )
    if connection.execute(statement).rowcount == 0:
        return
    total = _count_frames(connection, lease.job_id, seconds_left=seconds_left)
    data = {
        "task": lease.name,
        "frames_done": frames_done,
        "frames": lease.frames,
        "job_frames_done": total,
        "seconds_left": seconds_left,
    }
    record_progress(connection, lease.job_id, lease.number, data, now=now)


def noted(connection: Connection, lease: Lease, notes: list[str], *, now: int) -> None:
    """Keep what a worker says about its scene."""
    if notes:
        data = {"task": lease.name, "notes": notes}
        record(connection, lease.job_id, "note", data, now=now, task=lease.number)


def sealed(
    connection: Connection, lease: Lease, *, now: int, data: dict[str, Any] | None = None
) -> bool:
    """Keep that a task's result is on disk and verified; False for a late or doubled worker."""
    kept = move_task(
        connection, lease.job_id, lease.number, TaskState.SEALED,
        now=now, speaker=lease.attempt, data=data,
        frames_done=tasks.c.frames, finished_ms=now, error=None,
    )  # fmt: skip
    if kept:
        _count_frames(connection, lease.job_id)
        _advance(connection, lease.job_id, now)
        _close_if_cancelled(connection, lease.job_id, now)
    return kept


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """A finished dataset."""

    files: list[dict[str, Any]]
    """`name`, `size`, `sha256` of every file."""
    archive_sha256: str

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(int(file["size"]) for file in self.files)


def published(connection: Connection, lease: Lease, publication: Publication, *, now: int) -> bool:
    """Seal the last task and make the dataset visible; False for a late or doubled worker."""
    job = connection.execute(
        select(jobs.c.state, jobs.c.owner, jobs.c.name).where(jobs.c.id == lease.job_id)
    ).one()
    if job.state == JobState.CANCELLING:
        return handed_back(connection, lease, "cancelled", now=now)
    sealing: dict[str, Any] = {"now": now, "speaker": lease.attempt, "finished_ms": now}
    if not move_task(connection, lease.job_id, lease.number, TaskState.SEALED, **sealing):
        return False
    dataset_id = dataset_of(lease.job_id)
    row = {
        "id": dataset_id, "job_id": lease.job_id, "owner": job.owner, "name": job.name,
        "created_ms": now, "bytes": publication.size, "archive_sha256": publication.archive_sha256,
    }  # fmt: skip
    connection.execute(insert(datasets), row)
    connection.execute(insert(files), [{"dataset_id": dataset_id, **f} for f in publication.files])
    data = {"dataset": dataset_id}
    done: dict[str, Any] = {"now": now, "data": data, "finished_ms": now, "seconds_left": 0.0}
    return move_job(connection, lease.job_id, JobState.SUCCEEDED, **done)


def dataset_of(job_id: str) -> str:
    """Id of the dataset that a job makes."""
    return job_id.replace("job_", "dataset_")


def failed(
    connection: Connection,
    lease: Lease,
    error: dict[str, Any],
    *,
    final: bool,
    max_failures: int,
    retry_ms: int,
    now: int,
) -> None:
    """Count a failure; the job fails with it when it is final or one too many."""
    row = connection.execute(
        select(tasks.c.failures, tasks.c.attempt).where(
            tasks.c.job_id == lease.job_id, tasks.c.number == lease.number
        )
    ).one()
    failures = row.failures + 1
    told: dict[str, Any] = {"now": now, "speaker": lease.attempt, "data": {"error": error}}
    kept: dict[str, Any] = {"failures": failures, "finished_ms": now, "error": json.dumps(error)}
    if not final and failures < max_failures:
        pause = retry_ms * 2 ** (failures - 1)
        move_task(connection, lease.job_id, lease.number, TaskState.PENDING,
                  **told, **kept, not_before_ms=now + pause)  # fmt: skip
    elif move_task(connection, lease.job_id, lease.number, TaskState.FAILED, **told, **kept):
        values = {"finished_ms": now, "error": json.dumps(error), "seconds_left": None}
        move_job(
            connection, lease.job_id, JobState.FAILED, now=now, data={"error": error}, **values
        )
    _close_if_cancelled(connection, lease.job_id, now)


def handed_back(
    connection: Connection, lease: Lease, reason: str, *, now: int, pause_ms: int = 0
) -> bool:
    """Put a task back in the queue; that counts as no failure."""
    kept = move_task(
        connection, lease.job_id, lease.number, TaskState.PENDING,
        now=now, speaker=lease.attempt, data={"reason": reason},
        not_before_ms=now + pause_ms, finished_ms=now,
    )  # fmt: skip
    _close_if_cancelled(connection, lease.job_id, now)
    return kept


def unsealed(connection: Connection, lease: Lease, names: list[str], *, now: int) -> None:
    """Make segments again whose files no longer verify; packaging waits for them."""
    if not _holds(connection, lease):
        return
    for task in tasks_of(connection, lease.job_id, Stage.SEGMENTS):
        if task.name in names:
            move_task(
                connection, lease.job_id, task.number, TaskState.PENDING,
                now=now, data={"reason": "unverified"}, frames_done=0,
            )  # fmt: skip
    handed_back(connection, lease, "unverified", now=now)
    connection.execute(update(jobs).where(jobs.c.id == lease.job_id).values(stage=Stage.SEGMENTS))
    _count_frames(connection, lease.job_id)
    move_job(connection, lease.job_id, JobState.RUNNING, now=now)


def _holds(connection: Connection, lease: Lease) -> bool:
    """The task is still in the hands of this worker."""
    statement = select(tasks.c.state, tasks.c.attempt).where(
        tasks.c.job_id == lease.job_id, tasks.c.number == lease.number
    )
    return tuple(connection.execute(statement).one()) == (TaskState.LEASED, lease.attempt)


def _count_frames(connection: Connection, job_id: str, **values: Any) -> int:
    total = select(func.sum(tasks.c.frames_done)).where(tasks.c.job_id == job_id).scalar_subquery()
    statement = update(jobs).where(jobs.c.id == job_id).values(frames_done=total, **values)
    return int(connection.execute(statement.returning(jobs.c.frames_done)).scalar_one())


def _advance(connection: Connection, job_id: str, now: int) -> None:
    """Go on to the next stage when every task of this one is sealed."""
    stage = Stage(connection.execute(select(jobs.c.stage).where(jobs.c.id == job_id)).scalar_one())
    whole = all(t.state == TaskState.SEALED for t in tasks_of(connection, job_id, stage))
    if not whole or stage is Stage.PACKAGE:
        return
    connection.execute(update(jobs).where(jobs.c.id == job_id).values(stage=stage + 1))
    if stage + 1 == Stage.PACKAGE:
        move_job(connection, job_id, JobState.PACKAGING, now=now)


def _close_if_cancelled(connection: Connection, job_id: str, now: int) -> None:
    state = connection.execute(select(jobs.c.state).where(jobs.c.id == job_id)).scalar_one()
    if state == JobState.CANCELLING:
        finish_cancel(connection, job_id, now=now)

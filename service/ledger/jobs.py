"""What users do with jobs: submit, look, cancel, retry, delete."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    Connection,
    Row,
    bindparam,
    func,
    insert,
    select,
    update,
)
from sqlalchemy import delete as delete_rows
from sqlalchemy.dialects import postgresql

from service.errors import Conflict, KeyReused, NotFound
from service.ledger.journal import move_job, move_task, record
from service.ledger.listing import newest_first, owned
from service.ledger.quota import WHO, Limits, refuse_over_quota
from service.ledger.tables import (
    events,
    idempotency,
    job_assets,
    jobs,
    owners,
    tasks,
)
from service.states import FINISHED, JobState, Stage, TaskState, before

Job = Row[Any]


# Statements of a submission: building them takes longer than running them.
MAKE_OWNER = postgresql.insert(owners).on_conflict_do_nothing()
LOCK_OWNER = select(owners.c.owner).where(owners.c.owner == WHO).with_for_update()
KEY = (idempotency.c.owner == WHO, idempotency.c.key == bindparam("which"))
KNOWN = (
    select(idempotency)
    .join(jobs, jobs.c.id == idempotency.c.job_id)
    .where(*KEY, jobs.c.deleted_ms.is_(None))
)
FREE_KEY = delete_rows(idempotency).where(*KEY)
INSERT_JOB, INSERT_TASKS, INSERT_EVENT = insert(jobs), insert(tasks), insert(events)
INSERT_ASSETS, INSERT_KEY = insert(job_assets), insert(idempotency)
# And of looking.
FIND = select(jobs).where(jobs.c.id == bindparam("job"), jobs.c.deleted_ms.is_(None))
FIND_OF_OWNER = FIND.where(jobs.c.owner == WHO)
NOT_DELETED = select(*(column for column in jobs.c if column.name != "spec")).where(
    jobs.c.deleted_ms.is_(None)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTask:
    """One unit of work of a new job."""

    stage: Stage
    name: str
    frames: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class NewJob:
    """A checked job, ready to be accepted."""

    owner: str
    name: str
    device: str
    spec: str
    spec_sha256: str
    expected_bytes: int
    tasks: list[NewTask]
    asset_ids: list[str]
    idempotency_key: str | None = None
    body_sha256: str = ""

    @property
    def frames(self) -> int:
        """Frames of all segments."""
        return sum(task.frames for task in self.tasks)


def submit(connection: Connection, new: NewJob, limits: Limits, *, now: int) -> tuple[str, bool]:
    """Accept a job.

    Returns:
        Its id, and whether an earlier request with the same idempotency key had made it.

    Raises:
        KeyReused: the key was used with another body.
        QuotaExceeded: a quota of the owner.
        StorageFull: it would not fit beside the unfinished jobs.
    """
    _take_turn(connection, new.owner)
    if (made := known(connection, new)) is not None:
        return made, True
    refuse_over_quota(
        connection, new.owner, limits, frames=new.frames, expected_bytes=new.expected_bytes
    )
    job_id = f"job_{uuid.uuid4().hex}"
    connection.execute(INSERT_JOB, _job_row(job_id, new, now))
    connection.execute(INSERT_TASKS, [_task_row(job_id, i, t) for i, t in enumerate(new.tasks)])
    if new.asset_ids:
        used = [{"job_id": job_id, "asset_id": asset} for asset in new.asset_ids]
        connection.execute(INSERT_ASSETS, used)
    event = {"job_id": job_id, "seq": 1, "at_ms": now, "type": "state", "task": None}
    connection.execute(INSERT_EVENT, {**event, "data": f'{{"state": "{JobState.QUEUED}"}}'})
    if new.idempotency_key is not None:
        # one that a deleted job left behind makes place
        connection.execute(FREE_KEY, {"who": new.owner, "which": new.idempotency_key})
        connection.execute(INSERT_KEY, _key_row(job_id, new, now))
    return job_id, False


def _job_row(job_id: str, new: NewJob, now: int) -> dict[str, Any]:
    return {
        "id": job_id,
        "owner": new.owner,
        "name": new.name,
        "state": JobState.QUEUED,
        "stage": Stage.PREPARE,
        "device": new.device,
        "spec": new.spec,
        "spec_sha256": new.spec_sha256,
        "segments": sum(task.stage is Stage.SEGMENTS for task in new.tasks),
        "frames": new.frames,
        "frames_done": 0,
        "expected_bytes": new.expected_bytes,
        "created_ms": now,
        "last_event": 1,
    }


def _task_row(job_id: str, number: int, task: NewTask) -> dict[str, Any]:
    return {
        "job_id": job_id,
        "number": number,
        "stage": task.stage,
        "name": task.name,
        "state": TaskState.PENDING,
        "attempt": 0,
        "failures": 0,
        "not_before_ms": 0,
        "frames": task.frames,
        "frames_done": 0,
    }


def _key_row(job_id: str, new: NewJob, now: int) -> dict[str, Any]:
    return {
        "owner": new.owner,
        "key": new.idempotency_key,
        "body_sha256": new.body_sha256,
        "job_id": job_id,
        "created_ms": now,
    }


def _take_turn(connection: Connection, owner: str) -> None:
    """Make submissions of one owner take turns, so that together they cannot pass a quota.

    SQLite's writers take turns anyway.
    """
    if connection.dialect.name == "sqlite":
        return
    connection.execute(MAKE_OWNER, {"owner": owner})
    connection.execute(LOCK_OWNER, {"who": owner})


def known(connection: Connection, new: NewJob) -> str | None:
    """The job that an earlier request with the same idempotency key made; None when it is deleted.

    Raises:
        KeyReused: the key was used with another body.
    """
    if new.idempotency_key is None:
        return None
    which = {"who": new.owner, "which": new.idempotency_key}
    found = connection.execute(KNOWN, which).first()
    if found is None:
        return None
    if found.body_sha256 != new.body_sha256:
        raise KeyReused(
            f"Idempotency-Key {new.idempotency_key!r} came before with another body, for "
            f"{found.job_id}; use a new key for a new request"
        )
    return str(found.job_id)


def find(connection: Connection, job_id: str, owner: str | None) -> Job:
    """A job that `owner` may see (None sees all).

    Raises:
        NotFound: there is none, it is deleted, or it is someone else's.
    """
    if owner is None:
        found = connection.execute(FIND, {"job": job_id}).first()
    else:
        found = connection.execute(FIND_OF_OWNER, {"job": job_id, "who": owner}).first()
    if found is None:
        raise NotFound(f"there is no job {job_id}")
    return found


def state_of(connection: Connection, job_id: str) -> JobState:
    """A job's state."""
    state = connection.execute(select(jobs.c.state).where(jobs.c.id == job_id)).scalar_one()
    return JobState(state)


def is_gone(connection: Connection, job_id: str) -> bool:
    """The job is deleted."""
    row = connection.execute(select(jobs.c.deleted_ms).where(jobs.c.id == job_id)).first()
    return row is None or row.deleted_ms is not None


def last_events(connection: Connection, job_ids: list[str]) -> dict[str, int]:
    """Number of the latest event of some jobs."""
    statement = select(jobs.c.id, jobs.c.last_event).where(jobs.c.id.in_(job_ids))
    return {str(row.id): int(row.last_event) for row in connection.execute(statement)}


def spec_of(connection: Connection, job_id: str) -> str:
    """A job's spec as canonical JSON."""
    return str(connection.execute(select(jobs.c.spec).where(jobs.c.id == job_id)).scalar_one())


def frames_left(connection: Connection, job_id: str) -> int:
    """Frames that a job still has to make."""
    left = select(jobs.c.frames - jobs.c.frames_done).where(jobs.c.id == job_id)
    return int(connection.execute(left).scalar_one())


def page(
    connection: Connection,
    *,
    owner: str | None,
    states: Sequence[JobState] = (),
    name: str | None = None,
    after: tuple[int, str] | None = None,
    limit: int,
) -> list[Job]:
    """Jobs from the newest to the oldest, without their specs.

    Args:
        connection: inside a transaction.
        owner: whose; None is everyone's.
        states: only these; empty is all.
        name: only this name.
        after: creation time and id of the last job of the page before.
        limit: at most so many.
    """
    statement = owned(NOT_DELETED, jobs, owner)
    if states:
        statement = statement.where(jobs.c.state.in_(sorted(states)))
    if name is not None:
        statement = statement.where(jobs.c.name == name)
    return list(connection.execute(newest_first(statement, jobs, after, limit)))


def tasks_of(connection: Connection, job_id: str, stage: Stage | None = None) -> list[Row[Any]]:
    """A job's tasks in order."""
    statement = select(tasks).where(tasks.c.job_id == job_id).order_by(tasks.c.number)
    if stage is not None:
        statement = statement.where(tasks.c.stage == stage)
    return list(connection.execute(statement))


def cancel(connection: Connection, job_id: str, owner: str | None, *, now: int) -> None:
    """Ask a job to end; done at once when no worker has any of it. Asking twice is harmless.

    Raises:
        Conflict: it is already finished in another way.
    """
    job = find(connection, job_id, owner)
    if job.state in (JobState.CANCELLING, JobState.CANCELLED):
        return
    if not move_job(connection, job_id, JobState.CANCELLING, now=now):
        raise Conflict(f"{job_id} is {job.state}; only an unfinished job can be cancelled")
    finish_cancel(connection, job_id, now=now)


def finish_cancel(connection: Connection, job_id: str, *, now: int) -> None:
    """Close a cancelled job when no worker has any of it."""
    held = [t for t in tasks_of(connection, job_id) if t.state == TaskState.LEASED]
    if held or not move_job(connection, job_id, JobState.CANCELLED, now=now, finished_ms=now):
        return
    for task in tasks_of(connection, job_id):
        if task.state == TaskState.PENDING:
            move_task(connection, job_id, task.number, TaskState.CANCELLED, now=now)


def retry(
    connection: Connection, job_id: str, owner: str | None, limits: Limits, *, now: int
) -> None:
    """Queue a failed or cancelled job again; what is sealed stays, failures are forgotten.

    Raises:
        Conflict: it is neither failed nor cancelled.
        QuotaExceeded, StorageFull: as for a new job.
    """
    job = find(connection, job_id, owner)
    if JobState(job.state) in before(JobState.QUEUED):
        _refuse_once_more(connection, job, limits)
    cleared = {"finished_ms": None, "error": None, "seconds_left": None}
    if not move_job(connection, job_id, JobState.QUEUED, now=now, **cleared):
        raise Conflict(
            f"{job_id} is {job.state}; only a failed or cancelled job can be tried again"
        )
    for task in tasks_of(connection, job_id):
        if task.state in (TaskState.FAILED, TaskState.CANCELLED):
            move_task(connection, job_id, task.number, TaskState.PENDING, now=now, error=None)
    unsealed = (tasks.c.job_id == job_id, tasks.c.state != TaskState.SEALED)
    connection.execute(update(tasks).where(*unsealed).values(failures=0, not_before_ms=0))


def _refuse_once_more(connection: Connection, job: Job, limits: Limits) -> None:
    """Raise when a finished job cannot be taken on again; what it has sealed is counted already."""
    _take_turn(connection, job.owner)
    left = round(job.expected_bytes * (1 - job.frames_done / job.frames))
    kept = 0 if job.frames_done else job.expected_bytes
    refuse_over_quota(
        connection, job.owner, limits, frames=job.frames, expected_bytes=left, kept_bytes=kept
    )


def delete(connection: Connection, job_id: str, owner: str | None, *, now: int) -> None:
    """Take a finished job and its dataset from sight; the dispatcher removes their files.

    Raises:
        Conflict: it is unfinished, or a worker has not ended yet.
    """
    job = find(connection, job_id, owner)
    held = any(task.state == TaskState.LEASED for task in tasks_of(connection, job_id))
    if JobState(job.state) not in FINISHED or held:
        raise Conflict(f"{job_id} is {job.state}; cancel it and wait for its workers to end")
    record(connection, job_id, "deleted", {}, now=now)
    connection.execute(update(jobs).where(jobs.c.id == job_id).values(deleted_ms=now))


def count_by_state(connection: Connection, owner: str | None = None) -> dict[str, int]:
    """Jobs by state."""
    statement = select(jobs.c.state, func.count()).where(jobs.c.deleted_ms.is_(None))
    statement = owned(statement, jobs, owner).group_by(jobs.c.state)
    return {str(s): int(n) for s, n in connection.execute(statement)}

"""Removing what is no longer wanted."""

from __future__ import annotations

from sqlalchemy import Connection, delete, select, update

from service.ledger.tables import idempotency, jobs


def deleted_jobs(connection: Connection, *, limit: int) -> list[str]:
    """Jobs whose files are to be removed."""
    statement = select(jobs.c.id).where(jobs.c.deleted_ms.is_not(None)).limit(limit)
    return [str(row.id) for row in connection.execute(statement)]


def forget(connection: Connection, job_id: str) -> None:
    """Remove every row of a job whose files are gone."""
    connection.execute(delete(jobs).where(jobs.c.id == job_id))


def expire(connection: Connection, *, finished_before: int, now: int) -> list[str]:
    """Mark jobs as deleted that finished before a time."""
    statement = (
        update(jobs)
        .where(jobs.c.finished_ms < finished_before, jobs.c.deleted_ms.is_(None))
        .values(deleted_ms=now)
        .returning(jobs.c.id)
    )
    return [str(row.id) for row in connection.execute(statement)]


def forget_old_keys(connection: Connection, *, created_before: int) -> None:
    """Remove idempotency keys that nobody will repeat."""
    connection.execute(delete(idempotency).where(idempotency.c.created_ms < created_before))

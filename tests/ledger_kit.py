"""Ledgers and jobs for tests that use no web app: SQLite always, PostgreSQL where there is one."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from postgres_kit import postgres_server
from sqlalchemy import create_engine, make_url, text

from service.ledger import Database, jobs, open_database, work
from service.ledger.jobs import NewJob, NewTask
from service.ledger.quota import Limits
from service.ledger.work import Lease, Publication
from service.states import Stage

LIMITS = Limits(jobs=100, frames=10**6, bytes=10**12, disk_bytes=10**12)
PUBLICATION = Publication(
    files=[{"name": "manifest.json", "size": 3, "sha256": "0" * 64}], archive_sha256="1" * 64
)
PREPARE, FIRST, SECOND, PACKAGE = range(4)
"""Numbers of the tasks of `new_job`."""


def new_job(owner: str = "ann", **changes: Any) -> NewJob:
    """A job of two segments of four frames."""
    tasks = [
        NewTask(stage=Stage.PREPARE, name="prepare"),
        NewTask(stage=Stage.SEGMENTS, name="first", frames=4),
        NewTask(stage=Stage.SEGMENTS, name="second", frames=4),
        NewTask(stage=Stage.PACKAGE, name="package"),
    ]
    fields: dict[str, Any] = {
        "owner": owner, "name": "job", "device": "cpu", "spec": "{}", "spec_sha256": "2" * 64,
        "expected_bytes": 1000, "tasks": tasks, "asset_ids": [],
    }  # fmt: skip
    return NewJob(**{**fields, **changes})


def submit(
    database: Database, new: NewJob | None = None, *, limits: Limits = LIMITS, now: int = 0
) -> str:
    """Submit a job and return its id."""
    with database.write() as connection:
        return jobs.submit(connection, new or new_job(), limits, now=now)[0]


def lease(database: Database, job_id: str, number: int) -> Lease:
    """Put a task into a worker's hands."""
    with database.write() as connection:
        taken = work.lease(connection, job_id, number, now=1)
    assert taken is not None
    return taken


def seal(database: Database, job_id: str, *numbers: int) -> None:
    """Do some tasks."""
    for number in numbers:
        taken = lease(database, job_id, number)
        with database.write() as connection:
            assert work.sealed(connection, taken, now=2)


@contextmanager
def ledger(kind: str, folder: Path) -> Iterator[Database]:
    """An empty ledger of a kind; skips where there is no such database."""
    with ledger_url(kind, folder) as url:
        database = open_database(url)
        try:
            yield database
        finally:
            database.close()


@contextmanager
def ledger_url(kind: str, folder: Path) -> Iterator[str]:
    """URL of a place for a ledger, with nothing there yet."""
    if kind == "sqlite":
        yield f"sqlite:///{folder / 'ledger.sqlite'}"
        return
    server = postgres_server()
    if server is None:
        pytest.skip("no PostgreSQL: its server programs are not installed")
    schema = f"test_{uuid.uuid4().hex}"
    engine = create_engine(server)
    with engine.begin() as connection:
        connection.execute(text(f"CREATE SCHEMA {schema}"))
    try:
        url = make_url(server).update_query_dict({"options": f"-csearch_path={schema}"})
        yield url.render_as_string(hide_password=False)
    finally:
        with engine.begin() as connection:
            connection.execute(text(f"DROP SCHEMA {schema} CASCADE"))
        engine.dispose()

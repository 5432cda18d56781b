"""What must hold when the chaos is over: nothing lost, nothing doubled, no bad file.

Reads the ledger and the data folder only; the service may be down.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from service_chaos_users import Users
from sqlalchemy import Connection, Row, select, text

from datagen.store import sha256_file
from service.folders import Folders
from service.ledger import Database, open_database
from service.ledger.tables import datasets, events, files, jobs, tasks
from service.settings import Settings
from service.states import JOB_TRANSITIONS, TASK_TRANSITIONS, JobState, TaskState


@dataclass(slots=True)
class ChaosReport:
    """What was done to a service and every promise that it broke."""

    lost: list[str]
    doubled: list[str]
    bad_files: list[str]
    jobs: int
    did: dict[str, int]
    kills: Counter[str] = field(default_factory=Counter)
    harm: Counter[str] = field(default_factory=Counter)


def audit(settings: Settings, users: Users, expected: dict[str, dict[str, str]]) -> ChaosReport:
    """Hold the ledger and the files to what was answered, and to an undisturbed run."""
    database = open_database(settings.ledger_url)
    try:
        with database.read() as connection:
            report = ChaosReport(
                lost=[*users.broken, *lost_jobs(connection, users)],
                doubled=doubled_jobs(connection, users),
                bad_files=[*users.bad_files, *bad_files(connection, settings, expected)],
                jobs=len(users.acknowledged),
                did=users.did,
            )
            report.lost += broken_ledger(connection)
    finally:
        database.close()
    return report


def published_digests(database: Database, job_id: str) -> dict[str, str]:
    """Digests of the files of a job's dataset, as the ledger has them."""
    statement = select(files).join(datasets).where(datasets.c.job_id == job_id)
    with database.read() as connection:
        return {row.name: row.sha256 for row in connection.execute(statement)}


def lost_jobs(connection: Connection, users: Users) -> list[str]:
    """Acknowledged jobs that are not there, or were not done."""
    states = {row.id: row.state for row in connection.execute(select(jobs.c.id, jobs.c.state))}
    return [
        f"{job_id} was acknowledged and is {states.get(job_id, 'absent')}"
        for job_id in users.acknowledged
        if states.get(job_id) != JobState.SUCCEEDED
    ]


def doubled_jobs(connection: Connection, users: Users) -> list[str]:
    """Jobs nobody asked for, submissions with two jobs, jobs with two datasets, broken journals."""
    found = []
    rows = list(connection.execute(select(jobs)))
    found += [f"{row.id} was never asked for" for row in rows if row.id not in users.acknowledged]
    numbers = Counter(users.acknowledged.values())
    found += [f"submission {n} made {count} jobs" for n, count in numbers.items() if count > 1]
    owned = Counter(connection.execute(select(datasets.c.job_id)).scalars())
    found += [f"{row.id} has {owned[row.id]} datasets" for row in rows if owned[row.id] != 1]
    for row in rows:
        found += [f"{row.id}: {fault}" for fault in journal_faults(connection, row)]
    return found


def journal_faults(connection: Connection, job: Row[Any]) -> list[str]:
    """Where a job's journal leaves the table of transitions."""
    statement = select(events).where(events.c.job_id == job.id).order_by(events.c.seq)
    rows = list(connection.execute(statement))
    faults = [] if rows[-1].seq == job.last_event else ["last_event is not the last event"]
    state: JobState | None = None
    now: dict[str, TaskState] = {}
    attempts: Counter[str] = Counter()
    for row in rows:
        data = json.loads(row.data)
        if row.type == "state":
            after = JobState(data["state"])
            if after not in (JOB_TRANSITIONS[state] if state else {JobState.QUEUED}):
                faults.append(f"went from {state} to {after}")
            state = after
        elif row.type == "task":
            faults += _task_faults(data, now, attempts)
    if state != job.state:
        faults.append(f"is {job.state}, its journal says {state}")
    for task in connection.execute(select(tasks).where(tasks.c.job_id == job.id)):
        if (now.get(task.name, TaskState.PENDING), attempts[task.name]) != (
            task.state,
            task.attempt,
        ):
            faults.append(f"{task.name} is not where its journal ends")
    return faults


def _task_faults(
    data: dict[str, Any], now: dict[str, TaskState], attempts: Counter[str]
) -> list[str]:
    name, after = data["task"], TaskState(data["state"])
    seen = now.get(name, TaskState.PENDING)
    faults = []
    if after not in TASK_TRANSITIONS[seen]:
        faults.append(f"{name} went from {seen} to {after}")
    attempts[name] += after is TaskState.LEASED
    if data["attempt"] != attempts[name]:
        faults.append(f"{name}: attempt {data['attempt']} spoke during attempt {attempts[name]}")
    now[name] = after
    return faults


def bad_files(
    connection: Connection, settings: Settings, expected: dict[str, dict[str, str]]
) -> list[str]:
    """Published files whose bytes are not those of an undisturbed run."""
    folders, found = Folders(settings.data), []
    for dataset in connection.execute(select(datasets)):
        listed = {
            row.name: row.sha256
            for row in connection.execute(select(files).where(files.c.dataset_id == dataset.id))
        }
        if listed != expected[dataset.name]:
            found.append(f"{dataset.id} does not list the files of an undisturbed run")
        for name, digest in listed.items():
            path = folders.dataset(dataset.job_id) / name
            if not path.is_file() or sha256_file(path) != digest:
                found.append(f"{dataset.id}/{name} is not what the ledger says")
    return found


def broken_ledger(connection: Connection) -> list[str]:
    """What SQLite finds wrong with its file."""
    answer = str(connection.execute(text("PRAGMA integrity_check")).scalar_one())
    return [] if answer == "ok" else [f"the ledger is damaged: {answer}"]

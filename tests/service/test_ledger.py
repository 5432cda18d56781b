"""The ledger without a web app: states, journal, fences, idempotency, quotas, keys, retention."""

from __future__ import annotations

import contextlib
import functools
import itertools
import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ledger_kit import (
    FIRST,
    LIMITS,
    PACKAGE,
    PREPARE,
    PUBLICATION,
    SECOND,
    lease,
    ledger,
    new_job,
    seal,
    submit,
)
from service_chaos_audit import journal_faults
from sqlalchemy import Connection, func, select, update

from service.errors import Conflict, KeyReused, NotFound, QuotaExceeded, StorageFull
from service.ledger import Database, jobs, keys, place, queue, retention, work
from service.ledger.journal import events_after, move_job, move_task, record_progress
from service.ledger.keys import Scope
from service.ledger.tables import datasets, events, files, tasks
from service.ledger.tables import jobs as job_table
from service.states import JOB_TRANSITIONS, TASK_TRANSITIONS, JobState, TaskState

DIED: dict[str, Any] = {"kind": "died", "task": "first", "attempt": 1, "message": "gone"}


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    with ledger(request.param, tmp_path) as opened:
        yield opened


def job_row(database: Database, job_id: str) -> Any:
    with database.read() as connection:
        return connection.execute(select(job_table).where(job_table.c.id == job_id)).one()


def task_row(database: Database, job_id: str, number: int) -> Any:
    with database.read() as connection:
        return jobs.tasks_of(connection, job_id)[number]


def count_events(connection: Connection, job_id: str) -> int:
    statement = select(func.count()).where(events.c.job_id == job_id)
    return int(connection.execute(statement).scalar_one())


def fail(database: Database, taken: work.Lease, *, final: bool = False, now: int = 0) -> None:
    with database.write() as connection:
        work.failed(
            connection, taken, DIED, final=final, max_failures=3, retry_ms=100, now=now
        )  # fmt: skip


def test_job_moves_only_as_the_table_says(database: Database) -> None:
    """Move a job between two states when the table has that pair, with one event, or not at all."""
    job_id = submit(database)
    for here, there in itertools.product(JobState, JobState):
        with database.write() as connection:
            connection.execute(update(job_table).values(state=here))
            before = count_events(connection, job_id)
            moved = move_job(connection, job_id, there, now=0)
            assert moved == (there in JOB_TRANSITIONS[here]), (here, there)
            assert count_events(connection, job_id) == before + moved
            assert jobs.state_of(connection, job_id) == (there if moved else here)


def test_task_moves_only_as_the_table_says(database: Database) -> None:
    """Move a task between two states when the table has that pair, with one event, or not at all."""
    job_id = submit(database)
    for here, there in itertools.product(TaskState, TaskState):
        with database.write() as connection:
            connection.execute(update(tasks).values(state=here))
            before = count_events(connection, job_id)
            moved = move_task(connection, job_id, FIRST, there, now=0)
            assert moved == (there in TASK_TRANSITIONS[here]), (here, there)
            assert count_events(connection, job_id) == before + moved


ACTS: dict[str, Callable[[Connection, work.Lease], object]] = {
    "sealed": lambda c, held: work.sealed(c, held, now=3),
    "published": lambda c, held: work.published(c, held, PUBLICATION, now=3),
    "failed": lambda c, held: work.failed(
        c, held, DIED, final=False, max_failures=3, retry_ms=1, now=3
    ),
    "wrong": lambda c, held: work.failed(
        c, held, DIED, final=True, max_failures=3, retry_ms=1, now=3
    ),
    "handed back": lambda c, held: work.handed_back(c, held, "busy", now=3),
    "unsealed": lambda c, held: work.unsealed(c, held, ["first"], now=3),
    "progressed": lambda c, held: work.progressed(c, held, frames_done=2, seconds_left=None, now=3),
}
"""What may come of a lease."""
SEGMENT_ACTS = ("sealed", "sealed", "failed", "wrong", "handed back", "progressed")
LAST_ACTS = ("published", "unsealed", "failed", "handed back")


def step(connection: Connection, job_id: str, held: list[work.Lease], data: st.DataObject) -> None:
    """One thing that a user, the dispatcher or a worker of any age may do."""
    act = data.draw(st.sampled_from(["start", "start", "speak", "speak", "cancel", "retry"]))
    if act == "start":
        pending = [task.number for task in jobs.tasks_of(connection, job_id)]
        stage = jobs.find(connection, job_id, None).stage
        fitting = [n for n in pending if jobs.tasks_of(connection, job_id)[n].stage == stage]
        taken = work.lease(connection, job_id, data.draw(st.sampled_from(fitting)), now=3)
        held += [taken] if taken is not None else []
    elif act == "speak" and held:
        speaker = data.draw(st.sampled_from(held))
        said = LAST_ACTS if speaker.number == PACKAGE else SEGMENT_ACTS
        ACTS[data.draw(st.sampled_from(said))](connection, speaker)
    else:
        ask = jobs.cancel if act == "cancel" else functools.partial(jobs.retry, limits=LIMITS)
        with contextlib.suppress(Conflict):
            ask(connection, job_id, "ann", now=3)


@pytest.fixture(scope="module")
def one_ledger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    with ledger("sqlite", tmp_path_factory.mktemp("ledger")) as opened:
        yield opened


@settings(max_examples=30)
@given(data=st.data())
def test_any_history_follows_the_table(data: st.DataObject, one_ledger: Database) -> None:
    """Keep the journal lawful whatever users and workers, late and doubled ones too, do when."""
    steps = data.draw(st.integers(5, 30))
    with one_ledger.write() as connection:
        job_id, _ = jobs.submit(connection, new_job(), replace(LIMITS, jobs=10**6), now=0)
        held: list[work.Lease] = []
        for _ in range(steps):
            step(connection, job_id, held, data)
        row = jobs.find(connection, job_id, None)
        assert journal_faults(connection, row) == []
        made = connection.execute(select(datasets).where(datasets.c.job_id == job_id)).all()
        assert len(made) == (row.state == JobState.SUCCEEDED)


def test_a_job_from_start_to_end(database: Database) -> None:
    """Go through the stages as their tasks are sealed, and publish at the end."""
    job_id = submit(database)
    seal(database, job_id, PREPARE, FIRST)
    assert job_row(database, job_id).state == JobState.RUNNING
    seal(database, job_id, SECOND)
    assert job_row(database, job_id).state == JobState.PACKAGING
    last = lease(database, job_id, PACKAGE)
    with database.write() as connection:
        assert work.published(connection, last, PUBLICATION, now=9)
    done = job_row(database, job_id)
    assert (done.state, done.frames_done, done.finished_ms) == (JobState.SUCCEEDED, 8, 9)
    with database.read() as connection:
        names = connection.execute(select(files.c.name)).scalars().all()
    assert names == ["manifest.json"]


def test_a_late_worker_changes_nothing(database: Database) -> None:
    """Ignore what an attempt says after it was given up for another."""
    job_id = submit(database)
    seal(database, job_id, PREPARE)
    late = lease(database, job_id, FIRST)
    with database.write() as connection:
        work.handed_back(connection, late, "the dispatcher was restarted", now=3)
    current = lease(database, job_id, FIRST)
    assert (late.attempt, current.attempt) == (1, 2)
    with database.write() as connection:
        assert not work.sealed(connection, late, now=4)
        assert not work.handed_back(connection, late, "busy", now=4)
        work.progressed(connection, late, frames_done=3, seconds_left=None, now=4)
        work.failed(connection, late, DIED, final=True, max_failures=1, retry_ms=1, now=4)
    row = task_row(database, job_id, FIRST)
    assert (row.state, row.attempt, row.frames_done) == (TaskState.LEASED, 2, 0)
    assert job_row(database, job_id).state == JobState.RUNNING


def test_a_doubled_worker_publishes_once(database: Database) -> None:
    """Make one dataset when two workers describe it."""
    job_id = submit(database)
    seal(database, job_id, PREPARE, FIRST, SECOND)
    last = lease(database, job_id, PACKAGE)
    with database.write() as connection:
        assert work.published(connection, last, PUBLICATION, now=3)
        assert not work.published(connection, last, PUBLICATION, now=4)
        assert connection.execute(select(func.count()).select_from(datasets)).scalar_one() == 1


def test_a_leased_task_cannot_be_leased(database: Database) -> None:
    """Give a task to one worker only."""
    job_id = submit(database)
    lease(database, job_id, PREPARE)
    with database.write() as connection:
        assert work.lease(connection, job_id, PREPARE, now=1) is None


def test_failures_pause_and_end(database: Database) -> None:
    """Wait twice as long after each failure, and fail the job with the third."""
    job_id = submit(database)
    pauses = []
    for _ in range(3):
        fail(database, lease(database, job_id, PREPARE), now=1000)
        pauses.append(task_row(database, job_id, PREPARE).not_before_ms - 1000)
    assert pauses[:2] == [100, 200]
    failed = job_row(database, job_id)
    assert failed.state == JobState.FAILED
    assert json.loads(failed.error)["message"] == "gone"


def test_a_wrong_input_fails_at_once(database: Database) -> None:
    """Not try again what cannot succeed."""
    job_id = submit(database)
    fail(database, lease(database, job_id, PREPARE), final=True)
    assert job_row(database, job_id).state == JobState.FAILED


def test_retry_starts_counting_anew(database: Database) -> None:
    """Forget the failures of every task that is still to be done, but nothing that is sealed."""
    job_id = submit(database)
    seal(database, job_id, PREPARE)
    fail(database, lease(database, job_id, SECOND), now=10**6)
    fail(database, lease(database, job_id, FIRST), final=True)
    with database.write() as connection:
        jobs.retry(connection, job_id, "ann", LIMITS, now=0)
    rows = [task_row(database, job_id, number) for number in (PREPARE, FIRST, SECOND)]
    assert [row.state for row in rows] == ["SEALED", "PENDING", "PENDING"]
    assert [(row.failures, row.not_before_ms) for row in rows] == [(0, 0)] * 3
    assert job_row(database, job_id).error is None


def test_retry_while_a_worker_of_before_goes_on(database: Database) -> None:
    """Fail a job that was tried again with what a worker of its first try still finds wrong."""
    job_id = submit(database)
    seal(database, job_id, PREPARE)
    first, second = lease(database, job_id, FIRST), lease(database, job_id, SECOND)
    fail(database, first, final=True)
    with database.write() as connection:
        jobs.retry(connection, job_id, "ann", LIMITS, now=0)
    fail(database, second, final=True)
    assert job_row(database, job_id).state == JobState.FAILED


@pytest.mark.parametrize(
    "limits",
    [{"jobs": 1}, {"frames": 15}, {"bytes": 1999}, {"disk_bytes": 1999}],
)
def test_retry_keeps_the_quotas(database: Database, limits: dict[str, int]) -> None:
    """Take no job on again that would be too much as a new one."""
    again = submit(database)
    with database.write() as connection:
        jobs.cancel(connection, again, "ann", now=0)
    submit(database)
    with pytest.raises((QuotaExceeded, StorageFull)), database.write() as connection:
        jobs.retry(connection, again, "ann", replace(LIMITS, **limits), now=0)
    assert job_row(database, again).state == JobState.CANCELLED


def test_retry_counts_what_is_kept_once(database: Database) -> None:
    """Take a job on again whose bytes were counted all the time."""
    job_id = submit(database)
    seal(database, job_id, PREPARE, FIRST)
    with database.write() as connection:
        jobs.cancel(connection, job_id, "ann", now=0)
        tight = replace(LIMITS, bytes=1000, disk_bytes=500)
        jobs.retry(connection, job_id, "ann", tight, now=0)
    assert job_row(database, job_id).state == JobState.QUEUED


def test_key_of_a_deleted_job(database: Database) -> None:
    """Make a new job for a key whose job is deleted; the same body gives the new one again."""
    new = new_job(idempotency_key="once", body_sha256="3" * 64)
    first = submit(database, new)
    with database.write() as connection:
        jobs.cancel(connection, first, "ann", now=0)
        jobs.delete(connection, first, "ann", now=0)
    second = submit(database, new)
    assert second != first
    assert submit(database, new) == second


def test_packaging_waits_for_what_no_longer_verifies(database: Database) -> None:
    """Make a segment again whose file is damaged, then package."""
    job_id = submit(database)
    seal(database, job_id, PREPARE, FIRST, SECOND)
    last = lease(database, job_id, PACKAGE)
    with database.write() as connection:
        work.unsealed(connection, last, ["second"], now=3)
        found = queue.candidates(connection, ["cpu"], depth=9, now=4)
    assert [candidate.number for candidate in found] == [SECOND]
    assert (job_row(database, job_id).state, job_row(database, job_id).frames_done) == (
        "RUNNING",
        4,
    )
    seal(database, job_id, SECOND)
    assert job_row(database, job_id).state == JobState.PACKAGING


def test_cancel_waits_for_workers(database: Database) -> None:
    """Close a cancelled job when its last worker is gone; keep what that one sealed."""
    job_id = submit(database)
    seal(database, job_id, PREPARE)
    held = lease(database, job_id, FIRST)
    with database.write() as connection:
        jobs.cancel(connection, job_id, "ann", now=3)
    assert job_row(database, job_id).state == JobState.CANCELLING
    with database.write() as connection:
        assert work.lease(connection, job_id, SECOND, now=3) is None
        work.sealed(connection, held, now=4)
    assert job_row(database, job_id).state == JobState.CANCELLED
    assert task_row(database, job_id, FIRST).state == TaskState.SEALED
    assert task_row(database, job_id, SECOND).state == TaskState.CANCELLED


def test_a_cancelled_job_publishes_nothing(database: Database) -> None:
    """Hand the last task back when a cancellation came first."""
    job_id = submit(database)
    seal(database, job_id, PREPARE, FIRST, SECOND)
    last = lease(database, job_id, PACKAGE)
    with database.write() as connection:
        jobs.cancel(connection, job_id, "ann", now=3)
        work.published(connection, last, PUBLICATION, now=4)
        assert connection.execute(select(datasets)).first() is None
    assert job_row(database, job_id).state == JobState.CANCELLED


def test_event_numbers_have_no_gaps(database: Database) -> None:
    """Number events from one; progress replaces the progress before it."""
    job_id = submit(database)
    held = lease(database, job_id, PREPARE)
    with database.write() as connection:
        for frames in range(3):
            record_progress(connection, job_id, held.number, {"frames_done": frames}, now=1)
        rows = events_after(connection, job_id, 0, limit=100)
    assert [row.seq for row in rows] == [1, 2, 3, 6]
    assert json.loads(rows[-1].data) == {"frames_done": 2}


def test_parallel_writers_keep_the_numbers(database: Database) -> None:
    """Give every event its own number when several write to one job."""
    job_id = submit(database)

    def note(index: int) -> None:
        held = work.Lease(
            job_id=job_id, number=0, attempt=1, stage=0, name=str(index), frames=0  # type: ignore[arg-type]
        )  # fmt: skip
        with database.write() as connection:
            work.noted(connection, held, ["seen"], now=1)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(note, range(24)))
    with database.read() as connection:
        numbers = [row.seq for row in events_after(connection, job_id, 0, limit=100)]
    assert numbers == list(range(1, 26))


def test_idempotency_key(database: Database) -> None:
    """Answer a key with its job: per owner, and only for the same body."""
    new = new_job(idempotency_key="once", body_sha256="3" * 64)
    with database.write() as connection:
        first = jobs.submit(connection, new, LIMITS, now=0)
        again = jobs.submit(connection, new, LIMITS, now=1)
        other = jobs.submit(connection, replace(new, owner="bob"), LIMITS, now=1)
        assert again == (first[0], True)
        assert (other[0] != first[0], other[1]) == (True, False)
        with pytest.raises(KeyReused, match=first[0]):
            jobs.submit(connection, replace(new, body_sha256="4" * 64), LIMITS, now=1)


def test_idempotency_key_in_parallel(database: Database) -> None:
    """Make one job of many requests with one key that come at once."""
    new = new_job(idempotency_key="once", body_sha256="3" * 64)
    with ThreadPoolExecutor(8) as pool:
        made = set(pool.map(lambda _: submit(database, new), range(16)))
    assert len(made) == 1


def test_idempotency_key_beats_the_quota(database: Database) -> None:
    """Answer a repeated request also when the quota is used up by it."""
    new = new_job(idempotency_key="once", body_sha256="3" * 64)
    limits = replace(LIMITS, jobs=1)
    assert submit(database, new, limits=limits) == submit(database, new, limits=limits)


@pytest.mark.parametrize(
    ("limits", "told"),
    [
        (replace(LIMITS, jobs=2), "unfinished jobs: 2 now"),
        (replace(LIMITS, frames=16), "frames in unfinished jobs: 16 now and 8 more"),
        (replace(LIMITS, bytes=2999), "bytes kept: 2,000 now"),
    ],
)
def test_quota(database: Database, limits: jobs.Limits, told: str) -> None:
    """Refuse what passes an owner's quota, and nobody else's."""
    submit(database, limits=limits)
    submit(database, limits=limits)
    with pytest.raises(QuotaExceeded, match=told) as refusal:
        submit(database, limits=limits)
    assert int(refusal.value.headers["Retry-After"]) > 0
    submit(database, new_job("bob"), limits=limits)


def test_quota_counts_unfinished_jobs_only(database: Database) -> None:
    """Take the next job when one has ended."""
    limits = replace(LIMITS, jobs=1)
    job_id = submit(database, limits=limits)
    with database.write() as connection:
        jobs.cancel(connection, job_id, "ann", now=1)
    submit(database, limits=limits)


def test_quota_holds_in_parallel(database: Database) -> None:
    """Accept exactly the quota of many submissions that come at once."""

    def attempt(_: int) -> bool:
        try:
            submit(database, limits=replace(LIMITS, jobs=10))
        except QuotaExceeded:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(attempt, range(40))) == 10


def test_disk_admission(database: Database) -> None:
    """Refuse what would not fit beside the jobs of everyone."""
    limits = replace(LIMITS, disk_bytes=1999)
    submit(database, new_job("bob"), limits=limits)
    with pytest.raises(StorageFull, match="1,999 are free"):
        submit(database, limits=limits)


def test_a_view_is_consistent(database: Database) -> None:
    """See the state of a job as it was when its events were read: an end is never seen without them."""
    job_id = submit(database)
    with database.read() as connection:
        before = events_after(connection, job_id, 0, limit=9)
        with database.write() as writing:
            jobs.cancel(writing, job_id, "ann", now=0)
        assert jobs.state_of(connection, job_id) == JobState.QUEUED
        assert events_after(connection, job_id, 0, limit=9) == before
    with database.read() as connection:
        assert jobs.state_of(connection, job_id) == JobState.CANCELLED


def test_a_refused_job_leaves_nothing(database: Database) -> None:
    """Roll everything back with the refusal."""
    with pytest.raises(QuotaExceeded):
        submit(database, limits=replace(LIMITS, jobs=0))
    with database.read() as connection:
        assert connection.execute(select(job_table)).first() is None
        assert connection.execute(select(tasks)).first() is None


def test_a_full_disk_is_said(tmp_path: Path) -> None:
    """Say that the disk is full, keep what was there, and go on when there is room."""
    with ledger("sqlite", tmp_path) as database:
        job_id = submit(database)
        with database.write() as connection:
            used = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
            connection.exec_driver_sql(f"PRAGMA max_page_count = {used}")
        with pytest.raises(StorageFull, match="disk is full"):
            submit(database, new_job(spec="x" * 10**6))
        with database.write() as connection:
            connection.exec_driver_sql("PRAGMA max_page_count = 1000000")
        with database.read() as connection:
            assert connection.execute(select(job_table.c.id)).scalars().all() == [job_id]
        submit(database)


def test_one_dispatcher(database: Database) -> None:
    """Depose the dispatcher before with every new one."""
    with database.write() as connection:
        first = place.claim(connection, host="here", pid=1, now=0)
        second = place.claim(connection, host="here", pid=2, now=0)
        place.hold(connection, second)
        with pytest.raises(place.DeposedError, match=f"epoch {first} was followed by {second}"):
            place.hold(connection, first)


def test_key_is_hashed_and_revoked(database: Database) -> None:
    """Keep no secret, know the key until it is revoked, and no other."""
    with database.write() as connection:
        key_id, key = keys.create(connection, owner="ann", scopes=frozenset({Scope.READ}), now=0)
        caller = keys.caller_of(connection, key)
        assert caller == keys.Caller("ann", frozenset({Scope.READ}))
        kept = str(connection.execute(select(keys.keys)).all())
        assert key.split("_", 2)[2] not in kept
        for wrong in (
            key[:-1],
            key + "A",
            key.replace("dgk", "abc"),
            key_id,
            "",
            "dgk__",
            "dgk_\0_a",
        ):
            assert keys.caller_of(connection, wrong) is None
        keys.revoke(connection, key_id, now=1)
        assert keys.caller_of(connection, key) is None
        with pytest.raises(NotFound):
            keys.revoke(connection, key_id, now=2)


def test_session_ends_with_its_key(database: Database) -> None:
    """End a session at its time, at log-out, and with its key."""
    with database.write() as connection:
        key_id, key = keys.create(connection, owner="ann", scopes=frozenset({Scope.READ}), now=0)

        def alive(token: str | None, now: int) -> bool:
            assert token is not None
            return keys.caller_of_session(connection, token, now=now) is not None

        timed, closed, revoked = (
            keys.log_in(connection, key, now=0, expires_ms=10) for _ in range(3)
        )
        assert (alive(timed, 9), alive(timed, 10)) == (True, False)
        keys.log_out(connection, str(closed))
        assert not alive(closed, 1)
        keys.revoke(connection, key_id, now=1)
        assert not alive(revoked, 1)


def test_retention(database: Database) -> None:
    """Expire what finished long ago, with all its rows, and leave the rest."""
    old, young, unfinished = submit(database), submit(database), submit(database)
    with database.write() as connection:
        jobs.cancel(connection, old, "ann", now=5)
        jobs.cancel(connection, young, "ann", now=50)
        assert retention.expire(connection, finished_before=20, now=60) == [old]
        with pytest.raises(NotFound):
            jobs.find(connection, old, None)
        assert retention.deleted_jobs(connection, limit=9) == [old]
        retention.forget(connection, old)
    with database.read() as connection:
        left = set(connection.execute(select(events.c.job_id)).scalars())
    assert left == {young, unfinished}

"""Who is next: fair between users, then between a user's jobs, then oldest first."""

from __future__ import annotations

from collections import Counter
from itertools import product
from pathlib import Path

from ledger_kit import ledger, new_job, submit

from service.dispatch.fairness import Turns, choose
from service.ledger import queue
from service.ledger.queue import Candidate

FREE = {"cpu": 1}


def candidate(owner: str, job: str, number: int = 1, device: str = "cpu") -> Candidate:
    return Candidate(job_id=job, owner=owner, device=device, created_ms=0, number=number)


def served(waiting: list[Candidate], turns: int, slots: int = 1) -> list[Candidate]:
    """Tasks in the order of their start, when each ends as the next needs its slot."""
    book, running, order = Turns(), [], []
    for _ in range(turns):
        if len(running) == slots:
            ended = running.pop(0)
            book.end(ended.owner, ended.job_id)
        found = choose(waiting, book, FREE)
        assert found is not None
        waiting.remove(found)
        book.start(found)
        running.append(found)
        order.append(found)
    return order


def test_many_jobs_of_one_user_do_not_keep_another_waiting() -> None:
    """Serve two users in turns, however many jobs one of them has."""
    waiting = [candidate("ann", f"a{i:02}") for i in range(50)]
    waiting += [candidate("bob", "b", number) for number in range(5)]
    assert Counter(c.owner for c in served(waiting, 10)) == {"ann": 5, "bob": 5}


def test_a_small_job_does_not_wait_for_a_large_one() -> None:
    """Serve a user's jobs in turns."""
    waiting = [candidate("ann", job, number) for job, number in product("xy", range(9))]
    assert Counter(c.job_id for c in served(waiting, 6)) == {"x": 3, "y": 3}


def test_running_tasks_count() -> None:
    """Give a free slot to who has fewer running."""
    book = Turns()
    for number in range(2):
        book.start(candidate("ann", "a", number))
    book.start(candidate("bob", "b"))
    found = choose([candidate("ann", "a", 3), candidate("bob", "b", 3)], book, FREE)
    assert found is not None
    assert found.owner == "bob"


def test_a_busy_device_holds_up_nothing_else() -> None:
    """Pass over a job whose kind of device has no free slot."""
    waiting = [candidate("ann", "a", device="isaac"), candidate("bob", "b")]
    found = choose(waiting, Turns(), {"cpu": 1, "isaac": 0})
    assert found == waiting[1]
    assert choose(waiting[:1], Turns(), {"cpu": 1}) is None


def test_every_owner_has_candidates(tmp_path: Path) -> None:
    """Look at the oldest jobs of each owner, not of all together."""
    with ledger("sqlite", tmp_path) as database:
        for now in range(6):
            submit(database, new_job("ann"), now=now)
        submit(database, new_job("bob"), now=9)
        with database.read() as connection:
            found = queue.candidates(connection, ["cpu"], depth=2, now=10)
            none = queue.candidates(connection, ["isaac"], depth=2, now=10)
    assert [c.owner for c in found] == ["ann", "ann", "bob"]
    assert [c.created_ms for c in found] == [0, 1, 9]
    assert none == []

"""What every submission and every list asks of the ledger costs little, however many jobs there are."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ledger_kit import submit
from sqlalchemy import Engine, event

from service.ledger import jobs, open_database
from service.ledger.database import Database


def plans_of(database: Database, part: str, act: Callable[[], object]) -> list[list[str]]:
    """How SQLite carries out the statements with `part` in them that `act` makes."""
    seen: list[tuple[str, Any]] = []

    def keep(_c: Any, _cursor: Any, statement: str, values: Any, _x: Any, _many: bool) -> None:
        if part in statement:
            seen.append((statement, values))

    event.listen(Engine, "before_cursor_execute", keep)
    act()
    event.remove(Engine, "before_cursor_execute", keep)
    with database.read() as connection:
        plans = [connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {s}", v).all() for s, v in seen]
    return [[row[3] for row in plan] for plan in plans]


def test_sums_over_jobs_read_no_rows(tmp_path: Path) -> None:
    """Add quotas and promised space up from covering indexes, past the specs in the rows."""
    database = open_database(f"sqlite:///{tmp_path / 'ledger.sqlite'}")
    (plan,) = plans_of(database, "sum(jobs.", lambda: submit(database))
    database.close()
    steps = [step for step in plan if " jobs " in step]
    assert len(steps) == 4
    assert all("COVERING INDEX" in step for step in steps), plan


@pytest.mark.parametrize("owner", [None, "someone"])
@pytest.mark.parametrize("after", [None, (1, "job_1")])
def test_lists_sort_nothing(
    tmp_path: Path, owner: str | None, after: tuple[int, str] | None
) -> None:
    """Read a page of jobs in the order of an index, not by sorting all of them."""
    database = open_database(f"sqlite:///{tmp_path / 'ledger.sqlite'}")

    def look() -> None:
        with database.read() as connection:
            jobs.page(connection, owner=owner, after=after, limit=5)

    (plan,) = plans_of(database, "FROM jobs", look)
    database.close()
    assert len(plan) == 1, plan
    assert "USING INDEX jobs_by_" in plan[0]

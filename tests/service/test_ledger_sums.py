"""What a submission adds up over all unfinished jobs costs little, however many there are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ledger_kit import submit
from sqlalchemy import event

from service.ledger import open_database


def test_sums_over_jobs_read_no_rows(tmp_path: Path) -> None:
    """Add quotas and promised space up from covering indexes, past the specs in the rows."""
    database = open_database(f"sqlite:///{tmp_path / 'ledger.sqlite'}")
    seen: list[tuple[str, Any]] = []

    @event.listens_for(database.engine, "before_cursor_execute")
    def _keep(_c: Any, _cursor: Any, statement: str, values: Any, _x: Any, _many: bool) -> None:
        if "sum(jobs." in statement:
            seen.append((statement, values))

    submit(database)
    ((statement, values),) = seen
    with database.write() as connection:
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values).all()
    database.close()
    steps = [row[3] for row in plan if " jobs " in row[3]]
    assert len(steps) == 4
    assert all("COVERING INDEX" in step for step in steps), plan

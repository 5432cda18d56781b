"""Tables: made at once or by migrations, they are exactly those that the code uses."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from ledger_kit import ledger_url, submit
from sqlalchemy import Connection

from service.ledger import open_database
from service.ledger.tables import metadata
from service.ledger.versions import HEAD, MIGRATIONS, is_current, migrate


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    with ledger_url(request.param, tmp_path) as found:
        yield found


def test_a_new_ledger_has_the_tables(url: str) -> None:
    """Make at once what `tables.py` says, of the newest version."""
    database = open_database(url)
    with database.read() as connection:
        assert is_current(connection)
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    database.close()


def test_migrations_give_the_tables(url: str) -> None:
    """Make by migrations what is made at once, down to the conditions of indexes."""
    database = open_database(url)
    with database.write() as connection:
        at_once = indexes(connection)
        metadata.drop_all(connection)
        connection.exec_driver_sql("DELETE FROM alembic_version")
        migrate(connection)
        assert is_current(connection)
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
        assert indexes(connection) == at_once
    database.close()


def indexes(connection: Connection) -> list[str]:
    """How the database itself writes every index down."""
    if connection.dialect.name == "sqlite":
        statement = "SELECT sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"
    else:
        statement = "SELECT indexdef FROM pg_indexes WHERE schemaname = current_schema()"
    return sorted(connection.exec_driver_sql(statement).scalars())


def test_head_is_the_newest_migration() -> None:
    """Name the newest script as the version that is expected."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    assert ScriptDirectory.from_config(config).get_current_head() == HEAD


def test_opening_again_keeps_all(url: str) -> None:
    """Leave a current ledger as it is."""
    first = open_database(url)
    job_id = submit(first)
    first.close()
    again = open_database(url)
    with again.read() as connection:
        found = connection.exec_driver_sql("SELECT id FROM jobs").scalars().all()
    again.close()
    assert found == [job_id]


def test_processes_that_start_together(url: str) -> None:
    """Let an API and a dispatcher meet an empty ledger at the same moment."""
    order = (
        "import sys; from service.ledger import open_database; open_database(sys.argv[1]).close()"
    )
    started = [
        subprocess.Popen([sys.executable, "-W", "error", "-c", order, url], stderr=subprocess.PIPE)
        for _ in range(3)
    ]
    said = [process.communicate()[1].decode() for process in started]
    assert [process.returncode for process in started] == [0, 0, 0], said

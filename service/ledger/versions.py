"""Migrations: the tables of an older ledger are brought to the newest version when it is opened.

alembic takes half a second to import, so it is only loaded when there is something to do.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, func, inspect, select, text

from service.ledger.database import Database

HEAD = "0002"
"""The newest revision in `migrations/versions`; a test holds it to that."""
MIGRATIONS = Path(__file__).parent / "migrations"
MIGRATING = 0x6D696772617465
"""The letters `migrate`: PostgreSQL's lock of that number makes processes take turns."""


def bring_up_to_date(database: Database) -> None:
    """Run the migrations that the ledger lacks."""
    with database.read() as connection:
        current = _revision(connection)
    if current == HEAD:
        return
    from alembic import command
    from alembic.config import Config

    with database.write() as connection:
        if not database.is_sqlite:  # there, whoever comes second waits here and finds it done
            connection.execute(select(func.pg_advisory_xact_lock(MIGRATING)))
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def is_current(connection: Connection) -> bool:
    """The tables are of the newest version."""
    return _revision(connection) == HEAD


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()

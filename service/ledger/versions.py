"""A ledger that is opened gets the tables of the newest version: all at once, or by migrations."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Column, Connection, MetaData, String, Table, func, insert, inspect, select
from sqlalchemy.schema import CreateTable

from service.ledger.database import Database
from service.ledger.tables import metadata

HEAD = "0003"
"""The newest revision in `migrations/versions`; a test holds it to that."""
MIGRATIONS = Path(__file__).parent / "migrations"
VERSION = Table("alembic_version", MetaData(), Column("version_num", String(32), primary_key=True))
"""alembic's own."""
MIGRATING = 0x6D696772617465
"""The letters `migrate`: PostgreSQL's lock of that number makes processes take turns."""


def bring_up_to_date(database: Database) -> None:
    """Make the tables of a new ledger, or run the migrations that an older one lacks."""
    with database.read() as connection:
        current = _revision(connection)
    if current == HEAD:
        return
    with database.write() as connection:
        if not database.is_sqlite:  # there, whoever comes second waits here and finds it done
            connection.execute(select(func.pg_advisory_xact_lock(MIGRATING)))
        if _revision(connection) is None:
            make_tables(connection)
        else:
            migrate(connection)


def make_tables(connection: Connection) -> None:
    """Make every table of an empty ledger as it is now, and say so."""
    metadata.create_all(connection)
    connection.execute(CreateTable(VERSION))
    connection.execute(insert(VERSION), {"version_num": HEAD})


def migrate(connection: Connection) -> None:
    """Run every migration that the ledger lacks. alembic takes half a second to import."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def is_current(connection: Connection) -> bool:
    """The tables are of the newest version."""
    return _revision(connection) == HEAD


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table(VERSION.name):
        return None
    return connection.execute(select(VERSION.c.version_num)).scalar()

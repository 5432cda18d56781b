"""Connections: SQLite in WAL mode with full sync, or PostgreSQL by URL.

SQLite has one writer at a time: a write transaction takes the lock at its start (BEGIN IMMEDIATE),
so that it never fails half-way for another writer, and threads of one process queue on a lock
instead of polling the file.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import OperationalError

from service.errors import StorageFull, Unavailable

BUSY_SECONDS = 15.0
PRAGMAS = ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON")


class Database:
    """The ledger's database: `read` and `write` open transactions."""

    def __init__(self, reader: Engine, writer: Engine) -> None:
        self._reader = reader
        self.engine = writer
        self._turn = threading.Lock() if self.is_sqlite else contextlib.nullcontext()

    @property
    def is_sqlite(self) -> bool:
        """The database is one file on this machine."""
        return self.engine.dialect.name == "sqlite"

    @contextlib.contextmanager
    def read(self) -> Iterator[Connection]:
        """A consistent view: what others commit meanwhile is not seen."""
        with _clear_errors(), self._reader.begin() as connection:
            yield connection

    @contextlib.contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that is durable when the block ends without an error.

        Raises:
            StorageFull: the disk is full; nothing was changed.
            Unavailable: the database cannot be used at the moment; nothing was changed.
        """
        with self._turn, _clear_errors(), self.engine.begin() as connection:
            yield connection

    def close(self) -> None:
        """Close every connection."""
        self._reader.dispose()
        self.engine.dispose()


def open_database(url: str) -> Database:
    """Connect and bring the tables to the newest version."""
    if make_url(url).get_backend_name() == "sqlite":
        database = Database(_sqlite(url, "BEGIN"), _sqlite(url, "BEGIN IMMEDIATE"))
    else:
        engine = create_engine(url, pool_pre_ping=True)
        database = Database(engine.execution_options(isolation_level="REPEATABLE READ"), engine)
    from service.ledger.versions import bring_up_to_date

    bring_up_to_date(database)
    return database


def _sqlite(url: str, begin: str) -> Engine:
    engine = create_engine(url, connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False})

    @event.listens_for(engine, "connect")
    def _configure(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # transactions begin where we say so
        for pragma in PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine


@contextlib.contextmanager
def _clear_errors() -> Iterator[None]:
    try:
        yield
    except OperationalError as error:
        if "full" in str(error.orig) or "disk I/O error" in str(error.orig):
            raise StorageFull(
                "the ledger could not be written: the disk is full; free some space and try again"
            ) from error
        raise Unavailable(f"the ledger cannot be used at the moment: {error.orig}") from error

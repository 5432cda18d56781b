"""The lock that makes a dispatcher the only one of its ledger.

On one machine, the kernel's lock of a file in the data folder, which goes when the process dies. On
PostgreSQL also an advisory lock of the database, for dispatchers on several machines.
"""

from __future__ import annotations

import contextlib
import fcntl
from collections.abc import Callable, Iterator
from pathlib import Path

from sqlalchemy import func, select

from service.ledger.database import Database

ADVISORY_KEY = 0x6461746167656E
"""The letters `datagen`."""
PAUSE = 0.2


@contextlib.contextmanager
def sole_dispatcher(
    lock: Path, database: Database, *, wait: Callable[[float], bool]
) -> Iterator[bool]:
    """Hold the place, waiting for it; yields False when `wait` said to give up.

    Args:
        lock: the lock file; made if absent.
        database: the ledger.
        wait: sleeps for so many seconds; True to give up.
    """
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("ab") as file, _advisory(database) as try_advisory:
        while not (_try_file(file.fileno()) and try_advisory()):
            if wait(PAUSE):
                yield False
                return
        yield True


def _try_file(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextlib.contextmanager
def _advisory(database: Database) -> Iterator[Callable[[], bool]]:
    if database.is_sqlite:
        yield lambda: True
        return
    with database.engine.connect() as connection:
        attempt = select(func.pg_try_advisory_lock(ADVISORY_KEY))
        yield lambda: bool(connection.execute(attempt).scalar_one())

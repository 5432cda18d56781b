"""The dispatcher's place: one holder per ledger, known by an epoch that only grows."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from datagen.errors import DatagenError
from service.ledger.tables import dispatcher

HEARTBEAT = select(dispatcher)


class DeposedError(DatagenError):
    """Another dispatcher has taken over this ledger."""


def claim(connection: Connection, *, host: str, pid: int, now: int) -> int:
    """Become the dispatcher of this ledger; every earlier one is deposed.

    Returns:
        The new epoch.
    """
    values = {"host": host, "pid": pid, "beat_ms": now, "slots": "{}", "disk_low": 0}
    taken = update(dispatcher).values(epoch=dispatcher.c.epoch + 1, **values)
    epoch = connection.execute(taken.returning(dispatcher.c.epoch)).scalar()
    if epoch is None:
        connection.execute(insert(dispatcher), {"id": 1, "epoch": 1, **values})
        epoch = 1
    return int(epoch)


def hold(connection: Connection, epoch: int) -> None:
    """Make sure that this is still the dispatcher.

    Raises:
        DeposedError: it is not.
    """
    seen = connection.execute(select(dispatcher.c.epoch).with_for_update()).scalar()
    if seen != epoch:
        raise DeposedError(f"epoch {epoch} was followed by {seen}; another dispatcher is at work")


def beat(
    connection: Connection, epoch: int, *, slots: dict[str, int], disk_low: bool, now: int
) -> None:
    """Say that the dispatcher lives and what it can do."""
    hold(connection, epoch)
    connection.execute(
        update(dispatcher).values(beat_ms=now, slots=json.dumps(slots), disk_low=int(disk_low))
    )


def heartbeat(connection: Connection) -> Row[Any] | None:
    """The dispatcher's row."""
    return connection.execute(HEARTBEAT).first()

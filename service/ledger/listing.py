"""Lists that users page through: rows of their own, the newest first."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, Table, tuple_


def owned(statement: Select[Any], table: Table, owner: str | None) -> Select[Any]:
    """Only the rows of an owner; None sees all."""
    return statement if owner is None else statement.where(table.c.owner == owner)


def newest_first(
    statement: Select[Any], table: Table, after: tuple[int, str] | None, limit: int
) -> Select[Any]:
    """At most `limit` rows after the last one of the page before, by its creation time and id."""
    place = (table.c.created_ms, table.c.id)
    if after is not None:
        statement = statement.where(tuple_(*place) < tuple_(*after))
    return statement.order_by(*(column.desc() for column in place)).limit(limit)

"""Finished datasets: what users list and download."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, Select, func, select

from service.errors import NotFound
from service.ledger.listing import newest_first, owned
from service.ledger.tables import datasets, files, jobs


def _visible() -> Select[Any]:
    columns = (datasets, jobs.c.frames, jobs.c.segments, jobs.c.spec_sha256)
    return select(*columns).join(jobs).where(jobs.c.deleted_ms.is_(None))


def find(connection: Connection, dataset_id: str, owner: str | None) -> Row[Any]:
    """A dataset that `owner` may see (None sees all).

    Raises:
        NotFound: there is none, it is deleted, or it is someone else's.
    """
    statement = _visible().where(datasets.c.id == dataset_id)
    found = connection.execute(owned(statement, datasets, owner)).first()
    if found is None:
        raise NotFound(f"there is no dataset {dataset_id}")
    return found


def page(
    connection: Connection,
    *,
    owner: str | None,
    name: str | None = None,
    after: tuple[int, str] | None = None,
    limit: int,
) -> list[Row[Any]]:
    """Datasets from the newest to the oldest; see `jobs.page`."""
    statement = owned(_visible(), datasets, owner)
    if name is not None:
        statement = statement.where(datasets.c.name == name)
    return list(connection.execute(newest_first(statement, datasets, after, limit)))


def files_of(connection: Connection, dataset_id: str) -> list[Row[Any]]:
    """Files of a dataset by name."""
    statement = select(files).where(files.c.dataset_id == dataset_id).order_by(files.c.name)
    return list(connection.execute(statement))


def find_file(connection: Connection, dataset_id: str, name: str) -> Row[Any]:
    """One file of a dataset, by exactly the name that the dataset lists.

    Raises:
        NotFound: it lists no such name.
    """
    statement = select(files).where(files.c.dataset_id == dataset_id, files.c.name == name)
    found = connection.execute(statement).first()
    if found is None:
        raise NotFound(f"{dataset_id} has no file {name!r}; its list of files has all names")
    return found


def total_bytes(connection: Connection) -> int:
    """Bytes of all datasets."""
    return int(
        connection.execute(select(func.coalesce(func.sum(datasets.c.bytes), 0))).scalar_one()
    )

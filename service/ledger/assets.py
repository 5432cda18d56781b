"""Uploads: scenes, textures and recorded trajectories that specs refer to by id."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select

from service.errors import Conflict, NotFound, QuotaExceeded
from service.ledger.listing import newest_first, owned
from service.ledger.quota import bytes_held
from service.ledger.tables import asset_files, assets, job_assets, jobs
from service.states import ACTIVE


@dataclass(frozen=True, slots=True)
class AssetFile:
    """One file of an upload."""

    name: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAsset:
    """A checked upload, ready to be kept."""

    id: str
    owner: str
    name: str
    sha256: str
    files: list[AssetFile]

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self.files)


def add(connection: Connection, new: NewAsset, *, quota_bytes: int, now: int) -> None:
    """Keep an upload.

    Raises:
        QuotaExceeded: the owner's bytes.
    """
    held = bytes_held(connection, new.owner)
    if held + new.size > quota_bytes:
        raise QuotaExceeded(
            f"bytes kept: {held:,} now and {new.size:,} more would pass the quota of "
            f"{quota_bytes:,}; delete datasets or uploads"
        )
    row = {
        "id": new.id, "owner": new.owner, "name": new.name, "size": new.size,
        "sha256": new.sha256, "created_ms": now,
    }  # fmt: skip
    connection.execute(insert(assets), row)
    members = [
        {"asset_id": new.id, "name": f.name, "size": f.size, "sha256": f.sha256} for f in new.files
    ]
    connection.execute(insert(asset_files), members)


def find(connection: Connection, asset_id: str, owner: str | None) -> Row[Any]:
    """An upload that `owner` may see (None sees all).

    Raises:
        NotFound: there is none, or it is someone else's.
    """
    statement = select(assets).where(assets.c.id == asset_id)
    found = connection.execute(owned(statement, assets, owner)).first()
    if found is None:
        raise NotFound(f"there is no upload {asset_id}")
    return found


def files_of(connection: Connection, asset_id: str) -> list[Row[Any]]:
    """Files of an upload by name."""
    statement = select(asset_files).where(asset_files.c.asset_id == asset_id)
    return list(connection.execute(statement.order_by(asset_files.c.name)))


def page(
    connection: Connection,
    *,
    owner: str | None,
    sha256: str | None = None,
    after: tuple[int, str] | None = None,
    limit: int,
) -> list[Row[Any]]:
    """Uploads from the newest to the oldest, of certain bytes if asked; see `jobs.page`."""
    statement = owned(select(assets), assets, owner)
    if sha256 is not None:
        statement = statement.where(assets.c.sha256 == sha256)
    return list(connection.execute(newest_first(statement, assets, after, limit)))


def remove(connection: Connection, asset_id: str, owner: str | None) -> None:
    """Forget an upload.

    Raises:
        NotFound: as `find`.
        Conflict: an unfinished job needs it.
    """
    find(connection, asset_id, owner)
    needed = (
        select(jobs.c.id)
        .join(job_assets, job_assets.c.job_id == jobs.c.id)
        .where(job_assets.c.asset_id == asset_id, jobs.c.state.in_(sorted(ACTIVE)))
    )
    if (job := connection.execute(needed.limit(1)).first()) is not None:
        raise Conflict(f"{asset_id} is needed by {job.id}, which is unfinished")
    connection.execute(delete(assets).where(assets.c.id == asset_id))


def known(connection: Connection) -> set[str]:
    """Ids of all uploads."""
    return {str(row.id) for row in connection.execute(select(assets.c.id))}


def of_job(connection: Connection, job_id: str) -> list[tuple[str, str]]:
    """(upload, file name) of everything that a job refers to."""
    statement = (
        select(asset_files.c.asset_id, asset_files.c.name)
        .join(job_assets, job_assets.c.asset_id == asset_files.c.asset_id)
        .where(job_assets.c.job_id == job_id)
    )
    return [(str(row.asset_id), str(row.name)) for row in connection.execute(statement)]

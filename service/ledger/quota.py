"""What one owner, and all together, may have: the limits, and what counts against them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import BindParameter, Connection, String, and_, bindparam, func, or_, select

from service.errors import QuotaExceeded, StorageFull
from service.ledger.tables import assets, datasets, jobs
from service.states import ACTIVE, JobState


def _total(column: Any, *conditions: Any) -> Any:
    """A sum over rows, 0 over none, for use inside a statement."""
    return select(func.coalesce(func.sum(column), 0)).where(*conditions).scalar_subquery()


WHO: BindParameter[str] = bindparam("who", type_=String())
"""The owner; statements are built once, for building them takes longer than running them."""
_ACTIVE = jobs.c.state.in_(sorted(ACTIVE))
_KEPT_BY_JOBS = _total(
    jobs.c.expected_bytes,
    jobs.c.owner == WHO,
    or_(_ACTIVE, and_(jobs.c.state != JobState.SUCCEEDED, jobs.c.frames_done > 0)),
)
_HELD = (
    _total(datasets.c.bytes, datasets.c.owner == WHO)
    + _total(assets.c.size, assets.c.owner == WHO)
    + _KEPT_BY_JOBS
)
HELD = select(_HELD)
USED = select(
    _total(1, jobs.c.owner == WHO, _ACTIVE),
    _total(jobs.c.frames, jobs.c.owner == WHO, _ACTIVE),
    _HELD,
    _total(jobs.c.expected_bytes * (1.0 - 1.0 * jobs.c.frames_done / jobs.c.frames), _ACTIVE),
)
"""Of an owner: unfinished jobs, their frames, bytes held; of all: what may still be written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one owner, and all together, may have."""

    jobs: int
    frames: int
    bytes: int
    disk_bytes: int
    """Free on the disk beyond the reserve."""


def refuse_over_quota(
    connection: Connection,
    owner: str,
    limits: Limits,
    *,
    frames: int,
    expected_bytes: int,
    kept_bytes: int | None = None,
) -> None:
    """Raise when one more job would pass a limit.

    Args:
        connection: inside a transaction.
        owner: whose.
        limits: what may be had.
        frames: of the job.
        expected_bytes: that it may still write.
        kept_bytes: that it adds to what is kept for the owner; as many when absent.

    Raises:
        QuotaExceeded: a quota of the owner.
        StorageFull: it would not fit beside the unfinished jobs.
    """
    used_jobs, used_frames, held, promised = connection.execute(USED, {"who": owner}).one()
    for what, used, more, most in (
        ("unfinished jobs", int(used_jobs), 1, limits.jobs),
        ("frames in unfinished jobs", int(used_frames), frames, limits.frames),
        (
            "bytes kept",
            int(held),
            expected_bytes if kept_bytes is None else kept_bytes,
            limits.bytes,
        ),
    ):
        if used + more > most:
            raise QuotaExceeded(
                f"{what}: {used:,} now and {more:,} more would pass the quota of {most:,}; "
                "wait for jobs to finish, or delete some",
                headers={"Retry-After": "60"},
            )
    promised = int(promised)
    if promised + expected_bytes > limits.disk_bytes:
        raise StorageFull(
            f"the job may need {expected_bytes:,} bytes and unfinished jobs {promised:,} more; "
            f"{max(limits.disk_bytes, 0):,} are free; delete datasets, or ask for less"
        )


def bytes_held(connection: Connection, owner: str) -> int:
    """Bytes of an owner's datasets and uploads, and what the unfinished jobs may need."""
    return int(connection.execute(HELD, {"who": owner}).scalar_one())

"""What the end of a worker means for its task.

| the worker | the task |
|---|---|
| reported its result | sealed (or, for a job's last task, published) |
| found segments that no longer verify | waits until those are made again |
| was ended on purpose | handed back |
| said that someone else is writing there, or that the disk is full | handed back, after a pause |
| said that the input is wrong | failed for good |
| died, passed a limit, or met another error | failed, and is tried again so many times |

A result counts even when the worker was being ended: it is on disk and verified.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from service.dispatch.executor import Ended
from service.folders import Folders
from service.ledger import work
from service.ledger.work import Lease, Publication
from service.settings import Settings

BUSY_MS = 2_000
DISK_MS = 10_000
ON_PURPOSE = ("cancelled", "the service stops", "the job is")


def keep_outcome(
    connection: Connection,
    lease: Lease,
    report: dict[str, Any] | None,
    ended: Ended,
    settings: Settings,
    *,
    now: int,
) -> None:
    """Write down what became of a task.

    Args:
        connection: inside a fenced write transaction.
        lease: the task.
        report: its result or error, if it said any.
        ended: how the worker ended.
        settings: how often and how soon to try again.
        now: milliseconds since 1970.
    """
    match (report or {"event": None})["event"]:
        case "prepared" | "sealed":
            work.sealed(connection, lease, now=now)
        case "described":
            assert report is not None
            publication = Publication(
                files=list(report["files"]), archive_sha256=str(report["archive_sha256"])
            )
            work.published(connection, lease, publication, now=now)
        case "unverified":
            assert report is not None
            work.unsealed(connection, lease, list(report["segments"]), now=now)
        case _:
            _keep_failure(connection, lease, report, ended, settings, now=now)


def _keep_failure(
    connection: Connection,
    lease: Lease,
    report: dict[str, Any] | None,
    ended: Ended,
    settings: Settings,
    *,
    now: int,
) -> None:
    kind = str(report["kind"]) if report is not None else "died"
    if ended.stopped is not None and ended.stopped.startswith(ON_PURPOSE):
        work.handed_back(connection, lease, ended.stopped, now=now)
    elif kind in ("busy", "disk"):
        pause = BUSY_MS if kind == "busy" else DISK_MS
        work.handed_back(connection, lease, kind, now=now, pause_ms=pause)
    else:
        work.failed(
            connection, lease, _error(lease, kind, report, ended, settings),
            final=kind == "input", max_failures=settings.max_failures,
            retry_ms=round(settings.retry_seconds * 1e3), now=now,
        )  # fmt: skip


def _error(
    lease: Lease, kind: str, report: dict[str, Any] | None, ended: Ended, settings: Settings
) -> dict[str, Any]:
    """Why a task failed, for its owner: an input is named as the job names it, not by our paths."""
    if ended.stopped is not None:
        message = f"the worker {ended.stopped} and was {ended.how}"
    elif report is not None:
        inputs = Folders(settings.data.resolve()).inputs(lease.job_id)
        message = str(report["message"]).replace(f"{inputs}/", "")
    else:
        message = f"the worker was {ended.how}; its log may say more"
    return {"kind": kind, "task": lease.name, "attempt": lease.attempt, "message": message}

"""What a new dispatcher does with tasks that its predecessor left in workers' hands."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any

from sqlalchemy import Connection, Row

from datagen.pipeline.layout import finished_entry
from datagen.plan import plan_job
from schemas.job import JobSpec
from service.clock import now_ms
from service.dispatch.processes import kill_marked
from service.folders import Folders
from service.ledger import work
from service.settings import WORKER_MARK
from service.states import Stage

log = logging.getLogger("datagen.dispatcher")

Write = Callable[[], AbstractContextManager[Connection]]


def recover(left: Sequence[Row[Any]], folders: Folders, write: Write) -> None:
    """End workers that are still alive; adopt segments that verify, hand back the rest.

    Args:
        left: tasks in workers' hands, with their jobs' specs.
        folders: the data folder.
        write: opens a fenced write transaction.
    """
    killed = kill_marked(WORKER_MARK, str(folders.data))
    adopted = [row for row in left if _is_finished(row, folders)]
    with write() as connection:
        for row in left:
            lease = work.lease_of(row)
            if row in adopted:
                work.sealed(connection, lease, data={"reason": "adopted"}, now=now_ms())
            else:
                work.handed_back(connection, lease, "the dispatcher was restarted", now=now_ms())
    if left or killed:
        counts = {
            "workers": killed,
            "adopted": len(adopted),
            "handed_back": len(left) - len(adopted),
        }
        log.warning("recovered", extra={"action": "recovered", **counts})


def _is_finished(row: Row[Any], folders: Folders) -> bool:
    if row.stage != Stage.SEGMENTS:
        return False
    plan = plan_job(JobSpec.model_validate_json(row.spec))[row.number - 1]
    return finished_entry(folders.dataset(row.job_id), plan) is not None

"""Files and rows that are no longer wanted."""

from __future__ import annotations

import logging
import math
import shutil
import time
from pathlib import Path

from service.clock import now_ms
from service.folders import Folders
from service.ledger import assets, retention
from service.ledger.database import Database
from service.settings import Settings

log = logging.getLogger("datagen.dispatcher")

DAY_MS = 86_400_000
KEYS_DAYS = 7
STRAY_SECONDS = 3600.0
"""An upload that no row names and that nothing was added to for so long was given up half-way."""


def tidy(database: Database, folders: Folders, settings: Settings) -> None:
    """One pass: expire old jobs, remove the files of one deleted job, and what uploads left."""
    now = now_ms()
    with database.read() as connection:
        deleted = retention.deleted_jobs(connection, limit=1)
        known = assets.known(connection)
    for job_id in deleted:
        shutil.rmtree(folders.job(job_id), ignore_errors=True)
        with database.write() as connection:
            retention.forget(connection, job_id)
        log.info("job removed", extra={"action": "job_removed", "job": job_id})
    _remove_stray_uploads(folders, known)
    if settings.retention_days:
        before = now - round(settings.retention_days * DAY_MS)
        with database.write() as connection:
            retention.expire(connection, finished_before=before, now=now)
    with database.write() as connection:
        retention.forget_old_keys(connection, created_before=now - KEYS_DAYS * DAY_MS)


def _remove_stray_uploads(folders: Folders, known: set[str]) -> None:
    before = time.time() - STRAY_SECONDS
    for parent in (folders.assets, folders.uploads):
        for path in parent.iterdir() if parent.is_dir() else ():
            if path.name not in known and _last_written(path) < before:
                shutil.rmtree(path, ignore_errors=True)


def _last_written(folder: Path) -> float:
    """When anything in a folder was last written to: one on its way in may take long to come.

    Never for one that is gone: whoever receives an upload moves and removes its folder meanwhile.
    """
    try:
        return max(path.stat().st_mtime for path in (folder, *folder.iterdir()))
    except OSError:
        return math.inf

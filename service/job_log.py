"""The log of a job as text: its events, then what every attempt of its workers printed."""

from __future__ import annotations

import json
import os

from sqlalchemy import Connection

from service.folders import Folders, log_name
from service.ledger.jobs import tasks_of
from service.ledger.journal import latest_events
from service.views import time_text

EVENTS = 2_000
"""Most events that are shown: the last ones."""
TAIL = 64 * 1024
"""Most bytes of one attempt's output that are shown: the last ones."""
MOST = 2 * 2**20
"""Output of workers in all: no more is read from here on."""


def log_text(connection: Connection, folders: Folders, job_id: str) -> str:
    """How a job went: its latest events but for progress, and the end of what its workers printed."""
    events = latest_events(connection, job_id, limit=EVENTS)
    lines = [f"... the latest {EVENTS:,} events:"] if len(events) == EVENTS else []
    lines += [f"{time_text(row.at_ms)} {row.type} {_plain(row.data)}" for row in events]
    length = 0
    for task in tasks_of(connection, job_id):
        for attempt in range(1, task.attempt + 1):
            text = _tail(folders, job_id, log_name(task.number, task.name, attempt))
            if text:
                lines += ["", f"--- {task.name}, attempt {attempt}", text]
                length += len(text)
            if length >= MOST:
                lines += ["", "... output of later tasks is left out"]
                return "\n".join(lines) + "\n"
    return "\n".join(lines) + "\n"


def _plain(data: str) -> str:
    return " ".join(f"{name}={value}" for name, value in json.loads(data).items())


def _tail(folders: Folders, job_id: str, name: str) -> str:
    try:
        with (folders.logs(job_id) / name).open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - TAIL))
            text = file.read(TAIL).decode(errors="replace").rstrip()
    except OSError:
        return ""
    return text.replace(f"{folders.data}/", "")

"""The log of a job as text: its events, then what every attempt of its workers printed."""

from __future__ import annotations

import json
import os

from sqlalchemy import Connection

from service.folders import Folders, log_name
from service.ledger.jobs import tasks_of
from service.ledger.journal import events_after
from service.views import time_text

EVENTS = 2_000
TAIL = 64 * 1024
"""Most bytes of one attempt's output that are shown: the last ones."""
MOST = 2 * 2**20
"""Output of workers in all: no more is read from here on."""


def log_text(connection: Connection, folders: Folders, job_id: str) -> str:
    """Everything that is known of how a job went."""
    lines = [
        f"{time_text(row.at_ms)} {row.type} {_plain(row.data)}"
        for row in events_after(connection, job_id, 0, limit=EVENTS)
    ]
    length = 0
    for task in tasks_of(connection, job_id):
        for attempt in range(1, task.attempt + 1):
            if length >= MOST:
                break
            text = _tail(folders, job_id, log_name(task.number, task.name, attempt))
            if text:
                lines += ["", f"--- {task.name}, attempt {attempt}", text]
                length += len(text)
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

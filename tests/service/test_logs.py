"""Logs say which job and task they speak of."""

from __future__ import annotations

import json
import logging

from service.logs import JsonFormatter, TextFormatter

RECORD = logging.makeLogRecord(
    {
        "name": "datagen.dispatcher", "levelname": "INFO", "msg": "task ended",
        "action": "task_ended", "job": "job_1", "task": "orbit",
    }
)  # fmt: skip


def test_text_for_people_names_the_task() -> None:
    """Append what a program finds in fields."""
    line = TextFormatter().format(RECORD)
    assert line.endswith("INFO datagen.dispatcher: task ended  job=job_1  task=orbit")


def test_json_has_fields() -> None:
    """Give every field a name of its own."""
    entry = json.loads(JsonFormatter().format(RECORD))
    expected = {"action": "task_ended", "job": "job_1", "task": "orbit", "message": "task ended"}
    assert expected.items() <= entry.items()

"""Numbers, sizes, times and states as people read them."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

from markupsafe import Markup, escape

from service.states import JobState, TaskState

WAITING = {
    "slot": "Waits for a free worker",
    "cpu": "Waits for a CPU worker; none is set up",
    "isaac": "Waits for Isaac Sim, which is not set up on this machine",
    "disk": "Waits for room on the disk",
    "dispatcher": "Waits for the dispatcher, which is not running",
}
JOB_WORDS = {state: state.value.capitalize() for state in JobState}
TASK_WORDS = {
    TaskState.PENDING: "Waiting",
    TaskState.LEASED: "Rendering",
    TaskState.SEALED: "Done",
    TaskState.FAILED: "Failed",
    TaskState.CANCELLED: "Cancelled",
}
MINUTE, HOUR, DAY = 60, 3600, 86_400
_CODE = re.compile(r"`([^`]+)`")


def size(count: float) -> str:
    """Bytes with a decimal unit: `8.9 MB`."""
    if count < 999.5:
        return f"{count:.0f} B"
    scaled, unit = _scaled(count, ("B", "kB", "MB", "GB", "TB"))
    return f"{scaled:.0f} {unit}" if scaled >= 99.95 else f"{scaled:.1f} {unit}"


def number(count: float) -> str:
    """A whole number with thousands apart."""
    return f"{count:,.0f}"


def short_number(count: float) -> str:
    """Three digits and a unit: `182 k`."""
    scaled, unit = _scaled(count, ("", "k", "M", "G", "T"))
    return f"{scaled:.3g} {unit}".rstrip()


def _scaled(count: float, units: tuple[str, ...]) -> tuple[float, str]:
    power = 0
    while abs(count) >= 999.5 and power < len(units) - 1:
        count, power = count / 1000, power + 1
    return count, units[power]


def duration(seconds: float) -> str:
    """A span of time with at most two units: `1 h 4 min`."""
    whole = round(seconds)
    if whole < MINUTE:
        return f"{whole} s"
    if whole < HOUR:
        minutes, rest = divmod(whole, MINUTE)
        return f"{minutes} min {rest} s" if minutes < 10 and rest else f"{minutes} min"
    if whole < DAY:
        return f"{whole // HOUR} h {whole % HOUR // MINUTE} min"
    return f"{whole // DAY} d {whole % DAY // HOUR} h"


def percent(share: float) -> str:
    """A share of one: `45 %`."""
    return f"{share * 100:.0f} %"


def between(start: str, stop: str) -> float:
    """Seconds from one ISO time to another."""
    return (datetime.fromisoformat(stop) - datetime.fromisoformat(start)).total_seconds()


def moment(iso: str) -> Markup:
    """A time in UTC, which the browser shows in its own zone."""
    text = datetime.fromisoformat(iso).strftime("%Y-%m-%d %H:%M")
    return Markup('<time datetime="{}">{} UTC</time>').format(iso, text)


def inline_code(text: str) -> Markup:
    """Escaped text with `code` between backticks set as code."""
    return Markup(_CODE.sub(r"<code>\1</code>", str(escape(text))))


def job_word(state: JobState) -> str:
    """A job's state in a word."""
    return JOB_WORDS[state]


def task_word(state: TaskState) -> str:
    """A segment's state in a word."""
    return TASK_WORDS[state]


def waiting(reason: str) -> str:
    """Why a job waits."""
    return WAITING.get(reason, f"Waits for {reason}")


FILTERS: dict[str, Callable[..., Any]] = {
    "duration": duration,
    "inline_code": inline_code,
    "job_word": job_word,
    "moment": moment,
    "number": number,
    "percent": percent,
    "short_number": short_number,
    "size": size,
    "task_word": task_word,
    "waiting": waiting,
}

"""Server-sent events as they come off the wire (HTML standard, section 9.2)."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to a job."""

    number: int
    """Rises within a job."""
    type: str
    """`state`, `task`, `progress`, `note`."""
    data: dict[str, Any]


async def read_events(lines: AsyncIterator[str]) -> AsyncGenerator[Event]:
    """Events of a stream of lines; comments and incomplete events are left out."""
    fields: dict[str, str] = {}
    async for line in lines:
        if line:
            name, _, value = line.partition(":")
            fields[name] = value.removeprefix(" ")
        elif "data" in fields and "id" in fields:
            yield Event(int(fields["id"]), fields.get("event", ""), json.loads(fields["data"]))
            fields = {}
        else:
            fields = {}

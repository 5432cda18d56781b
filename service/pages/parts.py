"""Long lists, a part at a time."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query

SHOWN = 48

First = Annotated[int, Query(ge=0, le=100_000, description="Number of the first item shown.")]


def parts_of(count: int) -> list[range]:
    """The parts that a list of `count` items is shown in."""
    return [range(start, min(start + SHOWN, count)) for start in range(0, count, SHOWN)]

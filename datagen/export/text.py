"""Events -> text, one line per event: `t,x,y,p` in microseconds, or `t x y p` in seconds.

Times are written from whole microseconds, so that no digit is rounded. Lines end in a line feed.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numba import njit

from datagen.export.event_source import EventSource
from schemas.export import RpgTextExportSpec

LONGEST_LINE = 40
"""19 digits of time, a point and 6 zeros at most, 5 + 5 + 1 digits, 3 separators, line feed."""
ROWS_AT_ONCE = 2**16
COMMA, SPACE, POINT, LINE_FEED, ZERO = (ord(character) for character in ", .\n0")


def write_csv(path: Path, events: EventSource) -> None:
    """Write `t,x,y,p` lines under a header line; t [us], p 1 = ON, 0 = OFF."""
    _write(path, events, "t,x,y,p\n", COMMA, decimals=0)


def write_rpg_txt(path: Path, events: EventSource, spec: RpgTextExportSpec) -> None:
    """Write `t x y p` lines; t [s] with six decimals, p 1 = ON, 0 = OFF."""
    head = f"{events.width} {events.height}\n" if spec.size_line else ""
    _write(path, events, head, SPACE, decimals=6)


def _write(path: Path, events: EventSource, head: str, separator: int, *, decimals: int) -> None:
    text = np.empty(ROWS_AT_ONCE * LONGEST_LINE, np.uint8)
    with path.open("wb") as file:
        file.write(head.encode("ascii"))
        for slab in events.slabs:
            for start in range(0, len(slab), ROWS_AT_ONCE):
                part = slice(start, start + ROWS_AT_ONCE)
                columns = (slab.t[part], slab.x[part], slab.y[part], slab.p[part])
                text[: _lines(*columns, separator, decimals, text)].tofile(file)


@njit(cache=True, nogil=True)
def _lines(t, x, y, p, separator, decimals, text):  # type: ignore[no-untyped-def]
    n = 0
    for i in range(t.shape[0]):
        n = _number(text, n, t[i], decimals)
        for value in (np.int64(x[i]), np.int64(y[i]), np.int64(p[i])):
            text[n] = separator
            n = _number(text, n + 1, value, 0)
        text[n] = LINE_FEED
        n += 1
    return n


@njit(cache=True, nogil=True)
def _number(text, n, value, decimals):  # type: ignore[no-untyped-def]
    """Write `value` / 10^decimals with all its decimals at text[n]; returns the next index."""
    digits = 1
    rest = value // 10
    while rest > 0 or digits <= decimals:
        rest //= 10
        digits += 1
    end = n + digits + (1 if decimals > 0 else 0)
    at = end - 1
    for place in range(digits):
        if decimals > 0 and place == decimals:
            text[at] = POINT
            at -= 1
        text[at] = ZERO + value % 10
        value //= 10
        at -= 1
    return end

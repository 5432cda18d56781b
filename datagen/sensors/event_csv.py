"""Events as text: one `t,x,y,p` line per event, t in microseconds, p 1 = brighter, 0 = darker."""

from __future__ import annotations

from typing import TextIO

import numpy as np

from schemas.arrays import EventArray

HEADER = "t,x,y,p"
LINES_AT_ONCE = 100_000


def write_csv(events: EventArray, stream: TextIO, *, header: bool = True) -> None:
    """Write events to an open text stream, holding a bounded part of the text at a time.

    Args:
        events: what to write; read only.
        stream: opened for writing with `newline=""`; lines end in a line feed.
        header: write the line `t,x,y,p` first; False to go on with a file already begun.
    """
    if header:
        stream.write(f"{HEADER}\n")
    for start in range(0, len(events), LINES_AT_ONCE):
        part = slice(start, start + LINES_AT_ONCE)
        columns = (events.t[part], events.x[part], events.y[part], events.p[part])
        rows = np.stack([column.astype(np.int64) for column in columns], axis=1).tolist()
        stream.writelines(f"{t},{x},{y},{p}\n" for t, x, y, p in rows)

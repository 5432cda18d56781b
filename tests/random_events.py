"""Events without any pattern."""

from __future__ import annotations

import numpy as np

from schemas.arrays import EventArray


def random_events(seed: int, n: int, *, width: int, height: int, until_us: int) -> EventArray:
    """`n` events at random places and times in [0, until_us]; nobody may write to them."""
    rng = np.random.default_rng(seed)
    columns = {
        "t": np.sort(rng.integers(0, until_us + 1, n)),
        "x": rng.integers(0, width, n).astype(np.uint16),
        "y": rng.integers(0, height, n).astype(np.uint16),
        "p": rng.integers(0, 2, n).astype(np.uint8),
    }
    for column in columns.values():
        column.flags.writeable = False
    return EventArray(**columns)

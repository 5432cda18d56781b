"""Hypothesis strategies for the columns that flow between stages."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from schemas.arrays import EventArray


@st.composite
def event_arrays(
    draw: st.DrawFn, *, width: int = 8, height: int = 6, until_us: int = 20_000, max_size: int = 60
) -> EventArray:
    """Valid events in [0, until_us], often at equal times and on millisecond borders."""
    times = st.integers(0, until_us) | st.integers(0, until_us // 1000).map(lambda ms: 1000 * ms)
    t = sorted(draw(st.lists(times, max_size=max_size)))
    n = len(t)

    def column(below: int) -> list[int]:
        return draw(st.lists(st.integers(0, below - 1), min_size=n, max_size=n))

    return EventArray(
        t=np.array(t, np.int64),
        x=np.array(column(width), np.uint16),
        y=np.array(column(height), np.uint16),
        p=np.array(column(2), np.uint8),
    )

"""Columns that flow between stages: parts of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from schemas.arrays import EventArray


@pytest.mark.parametrize(
    "part", [slice(1, 3), np.array([False, True, True, False]), np.array([1, 2])]
)
@pytest.mark.parametrize("labelled", [True, False])
def test_part_of_events(part: Any, labelled: bool) -> None:
    """Cut all columns alike, labels included where there are any."""
    rows = np.arange(4)
    events = EventArray(
        t=rows * 10, x=rows.astype(np.uint16), y=rows.astype(np.uint16) + 5,
        p=np.array([0, 1, 0, 1], np.uint8),
        noise=np.array([0, 0, 1, 1], np.uint8) if labelled else None,
    )  # fmt: skip
    cut = events[part]
    assert (cut.t.tolist(), cut.x.tolist(), cut.y.tolist(), cut.p.tolist()) == (
        [10, 20], [1, 2], [6, 7], [1, 0],
    )  # fmt: skip
    assert (None if cut.noise is None else cut.noise.tolist()) == ([0, 1] if labelled else None)

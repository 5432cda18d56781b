"""Memory in pieces on huge pages."""

from __future__ import annotations

import numpy as np

from datagen.sensors.memory import CACHE_LINE, HUGE_PAGE, new_room, on_huge_pages, pieces


def test_pieces_have_their_sizes_and_lie_apart() -> None:
    """Give every part its own cache lines, the first at the start of a huge page."""
    parts = [(7, np.uint8), (1000, np.float64), (3, np.int32), (0, np.uint64), (5, np.float32)]
    arrays = pieces(*parts)
    assert [(a.size, a.dtype) for a in arrays] == [(n, np.dtype(kind)) for n, kind in parts]
    assert arrays[0].ctypes.data % HUGE_PAGE == 0
    assert all(a.ctypes.data % CACHE_LINE == 0 for a in arrays)
    for i, array in enumerate(arrays):
        array[:] = i + 1
    assert all(np.all(a == i + 1) for i, a in enumerate(arrays))


def test_room_holds_what_was_asked_for() -> None:
    """Start on a huge page and not be short."""
    for size in (1, HUGE_PAGE - 1, HUGE_PAGE, 3 * HUGE_PAGE + 5):
        part = on_huge_pages(new_room(size))
        assert part.size == size
        assert part.ctypes.data % HUGE_PAGE == 0

"""Memory on huge pages: one look-up and one page fault for 2 MiB instead of 512."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

HUGE_PAGE = 1 << 21
CACHE_LINE = 64


def new_room(size: int) -> NDArray[np.uint8]:
    """Memory for `size` bytes that start on a huge page, and a page on either side.

    NumPy asks for huge pages for arrays of at least two of them; what is never touched costs nothing.
    """
    return np.empty(size + 2 * HUGE_PAGE, np.uint8)


def on_huge_pages(room: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The part of `new_room` that starts on a huge page."""
    start = -room.ctypes.data % HUGE_PAGE
    return room[start : start + room.size - 2 * HUGE_PAGE]


def pieces(*parts: tuple[int, DTypeLike]) -> list[NDArray[Any]]:
    """Empty arrays of so many elements of a type, one behind the other on huge pages."""
    kinds = [(n, np.dtype(kind)) for n, kind in parts]
    sizes = [-(-n * kind.itemsize // CACHE_LINE) * CACHE_LINE for n, kind in kinds]
    room = on_huge_pages(new_room(sum(sizes)))
    starts = np.cumsum([0, *sizes[:-1]]).tolist()
    return [
        np.frombuffer(room, kind, n, start) for (n, kind), start in zip(kinds, starts, strict=True)
    ]

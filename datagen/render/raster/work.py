"""Room that one thread draws in, kept from picture to picture."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from datagen.render.raster.coverage import Marked
from datagen.render.raster.fragments import FRAGMENT
from datagen.render.raster.points import POINT
from datagen.render.raster.shade import Desk, new_desk
from datagen.render.vectors import Records

BATCH = 4096
"""Fragments that are shaded together."""
CACHE_LINE = 64


class Work(NamedTuple):
    """Room to draw in."""

    inverse_z: NDArray[np.float32]
    """Of every sample of a band, see `coverage`."""
    nearest: NDArray[np.int32]
    fragments: Records
    """FRAGMENT records."""
    points: Records
    """POINT records, as many."""
    visible: NDArray[np.float32]
    """(as many, lamps)."""
    chosen: NDArray[np.int32]
    """(as many,)."""
    room: Records
    """One POINT record."""
    marked: Marked
    """Pixels at edges of a band."""
    desk: Desk


def new_work(samples: int, rows: int, width: int, lamps: int) -> Work:
    """Room for bands of so many samples, filled-up lanes included."""
    return Work(
        inverse_z=_aligned(samples, np.float32),
        nearest=_aligned(samples, np.int32),
        fragments=np.empty(BATCH, FRAGMENT),
        points=np.empty(BATCH, POINT),
        visible=np.zeros((BATCH, lamps), np.float32),
        chosen=np.empty(BATCH, np.int32),
        room=np.empty(1, POINT),
        marked=Marked(np.empty((rows, width + 1), np.int32), np.empty(rows * width, np.int32)),
        desk=new_desk(),
    )


def _aligned(count: int, kind: type[np.generic]) -> NDArray[Any]:
    """An array of 4-byte numbers that starts on a cache line."""
    room = np.empty(count * 4 + CACHE_LINE, np.uint8)
    first = -room.ctypes.data % CACHE_LINE
    return room[first : first + 4 * count].view(kind)

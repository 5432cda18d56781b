"""What the clean and the noisy kernel share: tiles, compaction, stamps.

A kernel works through one tile of pixels and one interval at a time in short loops without
branches, so that each loop is vectorised: mark the pixels that may send events, list them, gather
what is known of them, compute.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from datagen.sensors.events.compaction import COMPRESSES, VECTOR_BYTES, append_marked

TILE = 8192
"""Pixels worked through at a time: few enough for the second cache, enough for long rows of pictures.
Shot noise is drawn per tile, so this is part of the model."""
TIE = 1e-8
"""A threshold counts as reached this fraction of it early: a light that comes back exactly gives
back exactly as many events, whatever the rounding of logarithms."""
STAMP_SLACK_US = 1e-6
"""A crossing this little after a whole microsecond is stamped with that microsecond."""
LANES = 16
"""Pixels that the vectorised loops take at a time."""
COMPILE = {"cache": True, "nogil": True, "error_model": "numpy"}


def tiles_of(pixels: int, tile: int = TILE) -> int:
    """Tiles that hold `pixels`, the last one perhaps in part."""
    return -(-pixels // tile)


@njit(**COMPILE)
def list_marked(n, mark, listed):  # type: ignore[no-untyped-def]
    """Write the indices of the ones among n marks to `listed` (n + 1,); returns how many."""
    m = first = 0
    if COMPRESSES:
        lanes = VECTOR_BYTES // listed.itemsize
        first = n // lanes * lanes
        for j in range(0, first, lanes):
            m = append_marked(mark, j, listed, m)
    for j in range(first, n):
        listed[m] = j
        m += mark[j]
    return m


@njit(**COMPILE)
def padded(m, listed):  # type: ignore[no-untyped-def]
    """Repeat the first of m indices up to a whole number of `LANES`; returns that number.

    Loops of whole lanes have no scalar rest, which costs more than the repeated work.
    """
    full = -(-m // LANES) * LANES
    for k in range(m, full):
        listed[k] = listed[0]
    return full


@njit(**COMPILE)
def gather(source, listed, out):  # type: ignore[no-untyped-def]
    """out[k] = source[listed[k]] for every k in `out`."""
    for k in range(out.size):
        out[k] = source[np.uint32(listed[k])]


@njit(**COMPILE)
def scatter(source, listed, out):  # type: ignore[no-untyped-def]
    """out[listed[k]] = source[k] for every k in `source`."""
    for k in range(source.size):
        out[np.uint32(listed[k])] = source[k]


@njit(**COMPILE)
def whole_us(at, duration):  # type: ignore[no-untyped-def]
    """The whole microsecond, 1 .. duration, of a crossing `at` microseconds after the start."""
    whole = np.ceil(at - STAMP_SLACK_US)
    whole = whole if whole > 1.0 else 1.0
    return whole if whole < duration else duration

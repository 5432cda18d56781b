"""The kernels of voxel grids: events in, their votes added to a grid (bins, H, W).

An event at bin time t* = (t - start) * bins_per_us votes for bins floor(t*) and floor(t*) + 1. In a
grid these lie a whole picture apart, and every vote misses the cache. Many events are therefore
gathered in a *pair*: a buffer (H, 2 W) with two consecutive bins side by side, which moves on
through the grid with time. Few events are added to the grid directly, for moving the pair costs the
same however few they are. Sums are made in the same order, so the results have the same bits.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

CELLS_PER_EVENT = 24
"""Above so many cells per event, moving the pair takes longer than missing the cache."""


def vote(
    grid: NDArray[np.float32],
    t: NDArray[np.int64],
    x: NDArray[np.uint16],
    y: NDArray[np.uint16],
    p: NDArray[np.uint8],
    start: int,
    bins_per_us: float,
) -> None:
    """Add every event's polarity to the two bins around (t - start) * bins_per_us.

    Args:
        grid: contiguous, shape (bins, H, W); changed.
        t: in time order [us], shape (N,).
        x: columns on the sensor.
        y: rows on the sensor.
        p: 1 or 0.
        start: centre of bin 0 [us].
        bins_per_us: bins per microsecond.
    """
    few = grid.size > CELLS_PER_EVENT * len(t)
    (vote_directly if few else vote_in_pairs)(grid, t, x, y, p, start, bins_per_us)


def vote_trilinear(
    grid: NDArray[np.float32],
    t: NDArray[np.int64],
    positions: NDArray[np.float32],
    p: NDArray[np.uint8],
    start: int,
    bins_per_us: float,
) -> None:
    """As `vote`, shared between the four pixels around each position x, y of (N, 2) too.

    What falls outside the picture is left out.
    """
    few = grid.size > CELLS_PER_EVENT * len(t)
    kernel: Any = trilinear_directly if few else trilinear_in_pairs
    kernel(grid, t, positions, p, start, bins_per_us)


@njit(cache=True, nogil=True)
def vote_directly(grid, t, x, y, p, start, bins_per_us):  # type: ignore[no-untyped-def]
    """`vote` for few events."""
    bins = grid.shape[0]
    for i in range(t.shape[0]):
        at = (t[i] - start) * bins_per_us
        if -1.0 < at < bins:
            low = int(np.floor(at))
            sign = np.float32(1.0) if p[i] else np.float32(-1.0)
            late = sign * np.float32(at - low)
            if low >= 0:
                grid[low, y[i], x[i]] += sign - late
            if low + 1 < bins:
                grid[low + 1, y[i], x[i]] += late


@njit(cache=True, nogil=True)
def vote_in_pairs(grid, t, x, y, p, start, bins_per_us):  # type: ignore[no-untyped-def]
    """`vote` for many events."""
    bins, height, width = grid.shape
    pair = np.zeros((height, 2 * width), np.float32)
    current = -1
    for i in range(t.shape[0]):
        at = (t[i] - start) * bins_per_us
        if not -1.0 < at < bins:
            continue
        low = int(np.floor(at))
        if low < current:  # out of order: its bins have passed already
            vote_directly(
                grid, t[i : i + 1], x[i : i + 1], y[i : i + 1], p[i : i + 1], start, bins_per_us
            )
            continue
        while current < low:
            _move_on(grid, current, pair, 0)
            current += 1
        sign = np.float32(1.0) if p[i] else np.float32(-1.0)
        late = sign * np.float32(at - low)
        pair[y[i], 2 * x[i]] += sign - late
        pair[y[i], 2 * x[i] + 1] += late
    _move_on(grid, current, pair, 0)
    _move_on(grid, current + 1, pair, 0)


@njit(cache=True, nogil=True)
def _move_on(grid, current, pair, margin):  # type: ignore[no-untyped-def]
    """Add the pair's first bin to the grid; its second becomes the first."""
    bins, height, width = grid.shape
    if not 0 <= current < bins:
        pair[:, ::2] = pair[:, 1::2]
        pair[:, 1::2] = 0.0
        return
    for y in range(height):
        full, line = grid[current, y], pair[y + margin, 2 * margin :]
        for x in range(width):
            full[x] += line[2 * x]
            line[2 * x] = line[2 * x + 1]
            line[2 * x + 1] = np.float32(0.0)


@njit(cache=True, nogil=True)
def trilinear_directly(grid, t, positions, p, start, bins_per_us):  # type: ignore[no-untyped-def]
    """`vote_trilinear` for few events."""
    bins, height, width = grid.shape
    for i in range(t.shape[0]):
        at = (t[i] - start) * bins_per_us
        if not -1.0 < at < bins:
            continue
        x, y = positions[i, 0], positions[i, 1]
        low, column, row = int(np.floor(at)), int(np.floor(x)), int(np.floor(y))
        to_x, to_y = x - np.float32(column), y - np.float32(row)
        sign = np.float32(1.0) if p[i] else np.float32(-1.0)
        late = sign * np.float32(at - low)
        for c in range(max(low, 0), min(low + 2, bins)):
            share = late if c > low else sign - late
            for dy in range(2):
                strip = share * to_y if dy else share - share * to_y
                for dx in range(2):
                    if 0 <= row + dy < height and 0 <= column + dx < width:
                        vote = strip * to_x if dx else strip - strip * to_x
                        grid[c, row + dy, column + dx] += vote


@njit(cache=True, nogil=True)
def trilinear_in_pairs(grid, t, positions, p, start, bins_per_us):  # type: ignore[no-untyped-def]
    """`vote_trilinear` for many events; the pair has a margin of one pixel."""
    bins, height, width = grid.shape
    pair = np.zeros((height + 2, 2 * (width + 2)), np.float32)
    current = -1
    for i in range(t.shape[0]):
        at = (t[i] - start) * bins_per_us
        x, y = positions[i, 0], positions[i, 1]
        if not (-1.0 < at < bins and -1.0 <= x < width and -1.0 <= y < height):
            continue
        low, column, row = int(np.floor(at)), int(np.floor(x)), int(np.floor(y))
        if low < current:  # out of order: its bins have passed already
            trilinear_directly(
                grid, t[i : i + 1], positions[i : i + 1], p[i : i + 1], start, bins_per_us
            )
            continue
        while current < low:
            _move_on(grid, current, pair, 1)
            current += 1
        to_x, to_y = x - np.float32(column), y - np.float32(row)
        sign = np.float32(1.0) if p[i] else np.float32(-1.0)
        late = sign * np.float32(at - low)
        for k in range(2):
            share = late if k else sign - late
            below = share * to_y
            above = share - below
            left = 2 * (column + 1) + k
            pair[row + 1, left] += above - above * to_x
            pair[row + 1, left + 2] += above * to_x
            pair[row + 2, left] += below - below * to_x
            pair[row + 2, left + 2] += below * to_x
    _move_on(grid, current, pair, 1)
    _move_on(grid, current + 1, pair, 1)

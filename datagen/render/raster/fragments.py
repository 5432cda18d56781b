"""Samples gathered into fragments: which records a sub-pixel sees, where and how much.

A fragment is one record in one sub-pixel; its place is the centroid of the samples that see it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from datagen.render.compiled import inlined, inner
from datagen.render.raster.lanes import LANES, lanes_with
from datagen.render.vectors import Records

FRAGMENT = np.dtype(
    [
        ("place", np.float64, 2),  # x, y on the image plane
        ("inside", np.float32, 2),  # barycentric b_1, b_2 there
        ("right", np.float32, 2),  # their change per pixel to the right
        ("down", np.float32, 2),  # and downwards
        ("inverse_z", np.float32),
        ("spread", np.float32, 3),  # sums of x^2, x y, y^2 in the pixel over the samples
        ("column", np.int32),  # of the pixel
        ("samples", np.uint64),  # bit k: sample k of the sub-pixel sees it
        ("row", np.int32),
        ("sub", np.int32),  # sub-pixel of the pixel, row by row
        ("record", np.int32),  # row of RECORD records, NOTHING for the background
        ("count", np.int32),  # of samples
        ("point", np.int32),  # shading point that it belongs to
        ("level", np.int32, 2),  # of the lattice on its triangle
        ("node", np.int64),  # one of the nodes around the pixel if they are all alike, else 0
        ("known", np.bool_),  # whether all of them are known
    ],
    align=True,
)


@inner
def gather(
    nearest: NDArray[np.int32],
    at: int,
    stride: int,
    row: int,
    columns: tuple[int, int],
    subs: int,
    offset: NDArray[np.float64],
    sums: NDArray[np.float64],
    out: Records,
    count: int,
) -> int:
    """Append the fragments of some pixels of a row, pixel by pixel and sub-pixel by sub-pixel.

    Args:
        nearest: what every sample sees.
        at: first sample of the first pixel; sample q n + k of a pixel is sample k of sub-pixel q.
        stride: from a pixel's first sample to the next pixel's.
        row: of the pixels.
        columns: first and last + 1.
        subs: sub-pixels of a pixel.
        offset: (subs n, 2) places of the samples in a pixel.
        sums: as `Samples.sums`.
        out: FRAGMENT records; there must be room for one per sample.
        count: how many are filled already.

    Returns:
        How many are filled now.
    """
    side = len(offset) // subs
    for x in range(columns[0], columns[1]):
        for q in range(subs):
            before = count
            if side % LANES == 0:
                count = _distinct_lanes(nearest, at + q * side, side, sums[q], out, before)
            else:
                count = _distinct(nearest, at, q * side, side, offset, out, before)
            for f in range(before, count):
                fragment = out[f]
                fragment.column, fragment.row, fragment.sub = x, row, q
                fragment.place[0] = x + fragment.place[0] / fragment.count
                fragment.place[1] = row + fragment.place[1] / fragment.count
        at += stride
    return count


@inlined
def _distinct_lanes(
    nearest: NDArray[np.int32],
    at: int,
    side: int,
    sums: NDArray[np.float64],
    out: Records,
    count: int,
) -> int:
    """Append one fragment per distinct record among whole lanes of samples; places are summed."""
    left = ~np.uint64(0) >> np.uint64(64 - side)
    while left != np.uint64(0):
        record = nearest[at + lowest_bit(left)]
        seen = np.uint64(0)
        for k in range(0, side, LANES):
            seen |= lanes_with(nearest, at + k, record) << np.uint64(k)
        out[count].record, out[count].samples, out[count].count = record, seen, bits_of(seen)
        _sum_places(out[count], seen, sums)
        left &= ~seen
        count += 1
    return count


@inlined
def _sum_places(out: Any, seen: np.uint64, sums: NDArray[np.float64]) -> None:
    """Write sums over samples, four at a time."""
    x = y = x_x = x_y = y_y = 0.0
    four = 0
    while seen != np.uint64(0):
        own = sums[16 * four + np.int64(seen & np.uint64(15))]
        x, y = x + own[0], y + own[1]
        x_x, x_y, y_y = x_x + own[2], x_y + own[3], y_y + own[4]
        seen >>= np.uint64(4)
        four += 1
    out.place[0], out.place[1] = x, y
    out.spread[0], out.spread[1], out.spread[2] = x_x, x_y, y_y


@inlined
def _distinct(
    nearest: NDArray[np.int32],
    at: int,
    first: int,
    side: int,
    offset: NDArray[np.float64],
    out: Records,
    before: int,
) -> int:
    """Append one fragment per distinct record among samples of a sub-pixel; places are summed."""
    count, f = before, before
    for k in range(side):
        seen = nearest[at + first + k]
        if f == count or out[f].record != seen:
            f = before
        while f < count and out[f].record != seen:
            f += 1
        if f == count:
            out[f].record, out[f].samples, out[f].count = seen, np.uint64(0), 0
            out[f].place[0], out[f].place[1] = 0.0, 0.0
            out[f].spread[0], out[f].spread[1], out[f].spread[2] = 0.0, 0.0, 0.0
            count += 1
        out[f].samples |= np.uint64(1) << np.uint64(k)
        out[f].count += 1
        x, y = offset[first + k, 0], offset[first + k, 1]
        out[f].place[0] += x
        out[f].place[1] += y
        out[f].spread[0] += x * x
        out[f].spread[1] += x * y
        out[f].spread[2] += y * y
    return count


@inlined
def bits_of(bits: np.uint64) -> np.int64:
    """How many bits are set."""
    count = np.int64(0)
    while bits != np.uint64(0):
        bits &= bits - np.uint64(1)
        count += 1
    return count


@inlined
def lowest_bit(bits: np.uint64) -> np.int64:
    """Place of the lowest bit that is set; there must be one."""
    place = np.int64(0)
    while bits & np.uint64(1) == np.uint64(0):
        bits >>= np.uint64(1)
        place += 1
    return place


@inlined
def same_pixel(a: Any, b: Any) -> bool:
    """Whether two fragments, or points, are in one pixel."""
    return a.column == b.column and a.row == b.row


@inlined
def inside_at(fragment: Any, x: float, y: float) -> tuple[np.floating, np.floating]:
    """b_1 and b_2 at a place in the fragment's pixel."""
    dx = np.float32(x + fragment.column - fragment.place[0])
    dy = np.float32(y + fragment.row - fragment.place[1])
    return (
        fragment.inside[0] + dx * fragment.right[0] + dy * fragment.down[0],
        fragment.inside[1] + dx * fragment.right[1] + dy * fragment.down[1],
    )

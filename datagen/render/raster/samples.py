"""Where visibility is sampled: the same places in every pixel, picture and process.

A pixel is split into `oversample`^2 sub-pixels, each with an m x m sheared lattice ("rotated
grid"): its m^2 samples have m^2 distinct columns and rows, so a near-vertical or near-horizontal
edge is seen in m^2 steps. In sub-pixel units

    x = (i + (j + 1/2) / m) / m,    y = (j + (m - i - 1/2) / m) / m,    0 <= i, j < m.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from datagen.render.raster.lanes import LANES

MOST_LOOKS = 16
"""A sub-pixel with more samples looks shadows up at a quarter of them."""


class Samples(NamedTuple):
    """Visibility samples of a pixel."""

    oversample: int
    """Sub-pixels of a pixel's side."""
    side: int
    """Samples of a sub-pixel."""
    place: NDArray[np.float64]
    """(samples, 2) in the pixel, sub-pixel by sub-pixel."""
    looks: np.uint64
    """Bit k: sample k of a sub-pixel is one of those at which shadows are looked up."""
    sums: NDArray[np.float64]
    """(oversample^2, fours * 16, 5): sums of x, y, x^2, x y, y^2 over those of each four samples of a
    sub-pixel, in order, whose bits are set; empty if samples do not come by LANES."""
    outer: NDArray[np.int64]
    """(4, side) the samples of a sub-pixel as seen from each of its corners, nearest first; opposite
    corners follow each other."""
    middle: int
    """One of the samples about the middle of a sub-pixel."""
    lanes: NDArray[np.float32]
    """(groups, 2, LANES) the places, filled up with NaN."""

    @property
    def slots(self) -> float:
        """All samples lie at x, y = (k + 1/2) / slots [px]."""
        return float(self.oversample * self.side)


def pixel_samples(samples: int, oversample: int) -> Samples:
    """`samples` per pixel, at least one per sub-pixel, which then lies in its middle."""
    side = max(1, math.isqrt(samples // oversample**2))
    inside = rotated_grid(side)
    sub = np.stack(np.divmod(np.arange(oversample**2), oversample)[::-1], axis=1)
    place = ((sub[:, None] + inside) / oversample).reshape(-1, 2)
    groups = -(-len(place) // LANES)
    lanes = np.full((groups * LANES, 2), np.nan, np.float32)
    lanes[: len(place)] = place
    return Samples(
        oversample=oversample,
        side=side * side,
        place=place,
        looks=_sparse(inside) if len(inside) > MOST_LOOKS else ~np.uint64(0),
        sums=_sums(place.reshape(oversample**2, side * side, 2)),
        outer=_outermost(inside),
        middle=side * side // 2 + side // 2,
        lanes=np.ascontiguousarray(lanes.reshape(groups, LANES, 2).transpose(0, 2, 1)),
    )


def _sparse(inside: NDArray[np.float64]) -> np.uint64:
    """One of four samples, spread over the unit square, as bits."""
    side = round(len(inside) ** 0.5)
    column, row = np.floor(inside * side).astype(np.int64).T
    chosen = (column - np.array([0, 2, 1, 3])[row % 4]) % 4 == 0
    return np.uint64(sum(1 << int(k) for k in np.flatnonzero(chosen)))


def _outermost(inside: NDArray[np.float64]) -> NDArray[np.int64]:
    corner = np.array([(-1.0, -1.0), (1.0, 1.0), (1.0, -1.0), (-1.0, 1.0)])
    return np.argsort(-(corner @ (inside - 0.5).T), axis=1, kind="stable")


def _sums(place: NDArray[np.float64]) -> NDArray[np.float64]:
    x, y = place[..., 0], place[..., 1]
    own = np.stack([x, y, x * x, x * y, y * y], axis=-1)
    fours = own.reshape(len(own), -1, 4, 5) if own.shape[1] % LANES == 0 else own[:, :0, None]
    chosen = np.arange(16)[:, None] >> np.arange(fours.shape[2]) & 1
    return np.ascontiguousarray((chosen @ fours).reshape(len(own), -1, 5))


def rotated_grid(side: int) -> NDArray[np.float64]:
    """Places in the unit square, (side^2, 2), in an order in which neighbours lie apart."""
    row, column = np.divmod(np.arange(side * side), side)
    shift = 2 * column + 1
    i, j = column, (shift + row) % side if side % 2 else (row + shift % (side + 1)) % side
    x = (i + (j + 0.5) / side) / side
    y = (j + (side - i - 0.5) / side) / side
    return np.stack([x, y], axis=1)

"""The fixed sample pattern of a pixel: where visibility is sampled and which point of a lamp each
sample looks at. The same in every pixel, picture and process.

A pixel is split into `oversample`^2 sub-pixels, each with an m x m sheared lattice ("rotated
grid"): its m^2 samples have m^2 distinct columns and rows, so a near-vertical or near-horizontal
edge is seen in m^2 steps. In sub-pixel units

    x = (i + (j + 1/2) / m) / m,    y = (j + (m - i - 1/2) / m) / m,    0 <= i, j < m.

The L = (oversample m)^2 samples of a pixel share L points on every lamp, a Hammersley set
((k + 1/2) / L, radical inverse of k + 1 / (2 L)). Sub-pixel q has those with
k = (i oversample^2 + q) m + j: the outer digits of k, which place a point roughly, differ, so that it
sees the whole lamp. Its samples share them out in a shuffled order: where a sample lies says nothing
of the point it looks at, or a shadow's edge across the pixel would come out too dark or too bright.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

SHUFFLE = 1
"""Seed of the order."""


class Pattern(NamedTuple):
    """Samples of one pixel."""

    oversample: int
    offset: NDArray[np.float64]
    """(n, 2) place inside a sub-pixel, in sub-pixels."""
    lamp_point: NDArray[np.int32]
    """(oversample, oversample, n) which lamp point a sample uses, by sub-pixel row and column."""
    lamp_square: NDArray[np.float64]
    """(L, 2) lamp points in the unit square."""
    spacing: float
    """Distance between samples [px]."""


def pattern(samples: int, oversample: int) -> Pattern:
    """The pattern of `samples` per pixel; at least one per sub-pixel."""
    side = max(1, math.isqrt(samples // oversample**2))
    lamps = (oversample * side) ** 2
    order = np.arange(lamps, dtype=np.int32).reshape(side, oversample, oversample, side)
    points = np.moveaxis(order, 0, 2).reshape(oversample, oversample, side**2)
    return Pattern(
        oversample=oversample,
        offset=_rotated_grid(side),
        lamp_point=np.random.default_rng(SHUFFLE).permuted(points, axis=-1),
        lamp_square=_hammersley(lamps),
        spacing=1.0 / (oversample * side),
    )


def _rotated_grid(side: int) -> NDArray[np.float64]:
    i, j = np.divmod(np.arange(side * side), side)
    x = (i + (j + 0.5) / side) / side
    y = (j + (side - i - 0.5) / side) / side
    return np.stack([x, y], axis=1)


def _hammersley(count: int) -> NDArray[np.float64]:
    k = np.arange(count)
    return np.stack([(k + 0.5) / count, _radical_inverse(k) + 0.5 / count], axis=1)


def _radical_inverse(k: NDArray[np.int_]) -> NDArray[np.float64]:
    """Binary digits of k mirrored at the point."""
    out = np.zeros(len(k))
    for bit in range(int(k.max(initial=0)).bit_length()):
        out += ((k >> bit) & 1) * 0.5 ** (bit + 1)
    return out

"""Which convention motion vectors follow: 36 hypotheses against the true motion.

    direction   previous   from the pixel to where its point was in the frame before
                next       ... to where it will be in the next frame
                stale      what the frame before should have given
    signs       x and y as image axes point (right, down), or turned round
    unit        pixel; ndc (the picture is 2 wide and high); normalised (it is 1 wide and high)

The documented one is (previous, +, +, pixel).
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from datagen.render.isaac.doctor.bench import Bench

DIRECTIONS = ("previous", "next", "stale")
UNITS = ("pixel", "ndc", "normalised")


@dataclass(frozen=True, slots=True)
class Convention:
    """One hypothesis."""

    direction: str
    x: int
    y: int
    unit: str

    def scale(self, width: int, height: int) -> NDArray[np.float64]:
        """Factor from image pixels to its numbers, (2,)."""
        whole = {"pixel": (1.0, 1.0), "ndc": (2 / width, 2 / height), "normalised": (1 / width, 1 / height)}  # fmt: skip
        return np.array([self.x, self.y]) * whole[self.unit]


ALL = tuple(Convention(*each) for each in itertools.product(DIRECTIONS, (1, -1), (1, -1), UNITS))
DOCUMENTED = Convention("previous", 1, 1, "pixel")


@dataclass(frozen=True, slots=True, kw_only=True)
class Identified:
    """The best hypothesis."""

    convention: Convention
    error: float
    """Median distance from it [px]."""
    margin: float
    """By how much the next best is worse [px]."""
    first_frame: int | None
    """First view whose vectors follow it; None when none does."""


def truth(bench: Bench, direction: str, k: int) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Flow [px] on the grid of the frame that a direction speaks of, for vectors of view k."""
    match direction:
        case "previous":
            return bench.flow(k, k - 1)
        case "next":
            return bench.flow(k, k + 1)
        case _:
            return bench.flow(k - 1, k - 2)


def identify(bench: Bench, vectors: NDArray[np.float32]) -> Identified:
    """The hypothesis that fits best, over views 2 .. N-2.

    Args:
        bench: what is true.
        vectors: motion vectors of all views, (N, H, W, 2).
    """
    views = range(2, len(vectors) - 1)
    errors = {c: float(np.median([_error(bench, c, vectors[k], k) for k in views])) for c in ALL}
    best, second = sorted(ALL, key=errors.__getitem__)[:2]
    good = [
        k
        for k in range(1, len(vectors) - 1)
        if (best.direction != "stale" or k > 1) and _error(bench, best, vectors[k], k) < 0.5
    ]
    return Identified(
        convention=best,
        error=errors[best],
        margin=errors[second] - errors[best],
        first_frame=good[0] if good else None,
    )


def _error(bench: Bench, convention: Convention, vectors: NDArray[np.float32], k: int) -> float:
    """Median distance [px]; the numbers are brought back to pixels first."""
    flow, valid = truth(bench, convention.direction, k)
    height, width = valid.shape
    pixels = vectors / convention.scale(width, height)
    return float(np.median(np.hypot(*(pixels - flow)[valid].T)))


def fill_value(vectors: NDArray[np.float32]) -> float | None:
    """A number that more than 1 % of all pixels hold in both channels; None when there is none."""
    same = vectors[..., 0][vectors[..., 0] == vectors[..., 1]]
    values, counts = np.unique(same, return_counts=True)
    if not len(values) or counts.max() < 0.01 * vectors[..., 0].size:
        return None
    return float(values[counts.argmax()])

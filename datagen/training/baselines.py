"""Flow guesses that need no network: a prediction has to beat them to mean anything.

* zero: nothing moves;
* mean: one vector, the mean true flow over all valid pixels of the *training* windows of the
  evaluated length; it knows the data set and not the picture;
* oracle translation: per frame the mean *true* flow of that frame; beating it takes dense flow.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]
"""u, v [px]."""


def mean_flow(frames: Iterable[tuple[NDArray[np.float32], NDArray[np.bool_]]]) -> Vector:
    """Mean over the valid pixels of all frames; zero if there are none.

    Args:
        frames: pairs of flow (H, W, 2) [px] and valid mask (H, W).
    """
    total, count = np.zeros(2), 0
    for flow, valid in frames:
        total += flow[valid].sum(axis=0, dtype=np.float64)
        count += int(valid.sum())
    return total / max(count, 1)


def constant_flow(vector: Vector, shape: tuple[int, int]) -> NDArray[np.float64]:
    """The same vector everywhere, shape (2, H, W)."""
    return np.broadcast_to(np.asarray(vector)[:, None, None], (2, *shape))


def oracle_translation(truth: NDArray[np.float32], valid: NDArray[np.bool_]) -> Vector:
    """The frame's mean true flow over its valid pixels; zero if there are none.

    Args:
        truth: shape (2, H, W).
        valid: shape (H, W).
    """
    if not valid.any():
        return np.zeros(2)
    vector: Vector = truth[:, valid].mean(axis=1, dtype=np.float64)
    return vector

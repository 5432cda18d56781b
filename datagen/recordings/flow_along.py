"""Flow over several stored intervals: every pixel is followed from one to the next.

    x_0 = x,  x_(n+1) = x_n + s_n flow_n(round(x_n)),  flow = x_N - x

with s_n the share of interval n that is covered. This is the rule by which EV-FlowNet (Zhu et al.,
RSS 2018) brings MVSEC's flow, stored at the lidar's pace, to the times of pictures. A pixel that
leaves the picture, or comes to where flow is not known, is not known.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from datagen.dataset.segment import Flow


def flow_along(steps: Iterable[tuple[Flow, float]], shape: tuple[int, int]) -> Flow:
    """The flow over consecutive steps.

    Args:
        steps: stored flow (H, W, 2) [px] with where it is valid (H, W), and the share covered.
        shape: rows and columns.

    Returns:
        Flow on the first grid and where it is known.
    """
    height, width = shape
    first = np.stack(np.meshgrid(np.arange(width), np.arange(height)), axis=-1).astype(np.float64)
    at, known = first.copy(), np.ones(shape, np.bool_)
    for (flow, valid), share in steps:
        column, row = np.rint(at).astype(np.int64).transpose(2, 0, 1)
        inside = (column >= 0) & (column < width) & (row >= 0) & (row < height)
        place = np.clip(row, 0, height - 1), np.clip(column, 0, width - 1)
        known &= inside & valid[place]
        at += np.where(known[..., None], flow[place], 0) * share
    return (at - first).astype(np.float32), known


def covered_intervals(
    stamps: NDArray[np.float64], start: float, stop: float
) -> list[tuple[int, float]]:
    """Intervals k, from stamps[k] to stamps[k + 1], that (start, stop) touches, with their shares.

    Args:
        stamps: rising, shape (K,).
        start: not before the first stamp.
        stop: not after the last one.
    """
    first = int(np.searchsorted(stamps, start, side="right")) - 1
    last = int(np.searchsorted(stamps, stop, side="left"))
    covered = []
    for k in range(first, last):
        begin, end = max(start, stamps[k]), min(stop, stamps[k + 1])
        covered.append((k, float((end - begin) / (stamps[k + 1] - stamps[k]))))
    return covered

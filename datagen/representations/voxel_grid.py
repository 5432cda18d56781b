"""Events of a time window -> voxel grid, float32 (bins, H, W).

Every event adds its polarity (+1 or -1) to its pixel, shared between the two nearest time bins:

    t* = (bins - 1) (t - start) / (end - start)
    V[c, y, x] = sum of p max(0, 1 - |c - t*|)

(Zhu et al., "Unsupervised Event-based Learning of Optical Flow, Depth, and Egomotion", CVPR 2019).
The bins are pinned to the window, not to its first and last event: what a pixel holds does not
depend on other pixels, reversing time reverses the bins exactly, and an empty window or one whose
events share a stamp is as good as any. An event outside the window counts as far as the formula
reaches. `voxel_grid_numpy` says the same in plain numpy and is what the kernel is tested against.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from datagen.errors import InputError
from datagen.representations.voxel_votes import vote
from schemas.arrays import EventArray


def voxel_grid(
    events: EventArray, *, start_us: int, end_us: int, bins: int, height: int, width: int
) -> NDArray[np.float32]:
    """The voxel grid of a window.

    Args:
        events: the window's events; read only.
        start_us: centre of bin 0 [us].
        end_us: centre of the last bin [us].
        bins: time bins.
        height: rows [px].
        width: columns [px].

    Returns:
        Shape (bins, H, W), polarity per bin.

    Raises:
        InputError: an empty window, no bins, or an event outside the sensor.
    """
    check_window(start_us, end_us, bins)
    check_on_sensor(events, height, width)
    grid = np.zeros((bins, height, width), np.float32)
    vote(grid, events.t, events.x, events.y, events.p, start_us, (bins - 1) / (end_us - start_us))
    return grid


def voxel_grid_numpy(
    events: EventArray, *, start_us: int, end_us: int, bins: int, height: int, width: int
) -> NDArray[np.float32]:
    """`voxel_grid` in plain numpy, for reading and for tests."""
    check_window(start_us, end_us, bins)
    check_on_sensor(events, height, width)
    grid = np.zeros((bins, height, width), np.float32)
    at = (events.t - start_us) * ((bins - 1) / (end_us - start_us))
    polarity = 2.0 * events.p - 1.0
    for bin_index in range(bins):
        weight = polarity * np.maximum(0.0, 1.0 - np.abs(bin_index - at))
        np.add.at(grid[bin_index], (events.y, events.x), weight.astype(np.float32))
    return grid


def unit_rms(grid: NDArray[np.float32]) -> NDArray[np.float32]:
    """The grid scaled so that its non-zero cells have a mean square of one.

    Unlike zero mean and unit deviation this keeps zero at zero and commutes with a flip of
    polarity. A grid without events stays zero.
    """
    cells = np.count_nonzero(grid)
    if cells == 0:
        return grid.copy()
    return grid * np.float32(np.sqrt(cells / np.square(grid, dtype=np.float64).sum()))


def check_window(start_us: int, end_us: int, bins: int) -> None:
    """Refuse a window without length or a grid without bins."""
    if end_us <= start_us:
        raise InputError(
            f"the window is {start_us} to {end_us} us; expected its end after its start"
        )
    if bins < 2:
        raise InputError(f"{bins} time bins; expected at least 2")


def check_on_sensor(events: EventArray, height: int, width: int) -> None:
    """Refuse events that lie outside the sensor, before a kernel writes there."""
    if len(events) == 0:
        return
    x, y = int(events.x.max()), int(events.y.max())
    if x >= width or y >= height:
        raise InputError(
            f"an event lies at column {x} or row {y}; expected columns below {width} and rows "
            f"below {height}. Pass the sensor's own size."
        )

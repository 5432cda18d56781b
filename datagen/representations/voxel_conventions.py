"""Voxel grids as other projects define them, for their networks and for comparison.

All pin the bins to the first and last *event*, so a grid depends on when its first event happened:

* `eraft`: trilinear, also in rectified positions between pixels; non-zero cells are brought to zero
  mean and unit deviation (Gehrig et al., 3DV 2021, and the DSEC data set's own code);
* `event_flow`: shared between time bins only, not normalised (Hagenaars et al., NeurIPS 2021);
* `tonic`: as `event_flow`, but time is scaled by the number of bins instead of one less, so the last
  bin fills only in part and the last event falls out (Lenz et al., "Tonic").

Where the originals fail, these do not: events between pixels left of the picture are floored, not
truncated towards zero; a window without events, or whose events share one stamp (which all go to
the first bin), is finite; and inputs are left alone.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numba import njit
from numpy.typing import NDArray

from datagen.errors import InputError
from datagen.representations.voxel_grid import check_on_sensor
from datagen.representations.voxel_grid import vote as vote_in_time
from schemas.arrays import EventArray

Convention = Literal["eraft", "event_flow", "tonic"]


def voxel_grid_as(
    convention: Convention,
    events: EventArray,
    *,
    bins: int,
    height: int,
    width: int,
    positions: NDArray[np.float32] | None = None,
) -> NDArray[np.float32]:
    """The voxel grid of another project.

    Args:
        convention: whose.
        events: in time order; read only.
        bins: time bins.
        height: rows [px].
        width: columns [px].
        positions: rectified x, y of every event [px], shape (N, 2), for `eraft`; the events' own
            pixels if None. What lies outside the picture is left out.

    Returns:
        Shape (bins, H, W).

    Raises:
        InputError: an event outside the sensor, or positions that do not fit.
    """
    if positions is not None and (convention != "eraft" or positions.shape != (len(events), 2)):
        raise InputError(
            f"positions of shape {positions.shape} for convention {convention!r} and {len(events)} "
            "events; expected one x, y per event, and `eraft`"
        )
    grid = np.zeros((bins, height, width), np.float32)
    if len(events) == 0:
        return grid
    first, length = int(events.t[0]), max(int(events.t[-1] - events.t[0]), 1)
    if convention != "eraft":
        check_on_sensor(events, height, width)
        scale = (bins if convention == "tonic" else bins - 1) / length
        vote_in_time(grid, events.t, events.x, events.y, events.p, first, scale)
        return grid
    if positions is None:
        positions = np.stack([events.x, events.y], axis=1).astype(np.float32)
    _vote_trilinear(grid, events.t, positions, events.p, first, (bins - 1) / length)
    return standardised(grid)


def standardised(grid: NDArray[np.float32]) -> NDArray[np.float32]:
    """Non-zero cells to zero mean and unit (unbiased) deviation; only the mean where that is zero."""
    out = np.empty_like(grid)
    _standardise(np.ascontiguousarray(grid).reshape(-1), out.reshape(-1))
    return out


@njit(cache=True, nogil=True)
def _standardise(cells, out):  # type: ignore[no-untyped-def]
    filled, total = 0, 0.0
    for value in cells:
        if value != 0:
            filled += 1
            total += value
    mean = total / max(filled, 1)
    squares = 0.0
    for value in cells:
        if value != 0:
            squares += (value - mean) ** 2
    deviation = np.sqrt(squares / (filled - 1)) if filled > 1 else 0.0
    scale = 1.0 / deviation if deviation > 0 else 1.0
    for i in range(cells.shape[0]):
        out[i] = (cells[i] - mean) * scale if cells[i] != 0 else 0.0


@njit(cache=True, nogil=True)
def _vote_trilinear(grid, t, positions, p, first, bins_per_us):  # type: ignore[no-untyped-def]
    bins, height, width = grid.shape
    for i in range(t.shape[0]):
        at, x, y = (t[i] - first) * bins_per_us, positions[i, 0], positions[i, 1]
        c, column, row = int(np.floor(at)), int(np.floor(x)), int(np.floor(y))
        to_c, to_x, to_y = np.float32(at - c), x - column, y - row
        sign = np.float32(1.0) if p[i] else np.float32(-1.0)
        for dc in range(2):
            if not 0 <= c + dc < bins:
                continue
            share = sign * (to_c if dc else np.float32(1.0) - to_c)
            for dy in range(2):
                if not 0 <= row + dy < height:
                    continue
                strip = share * (to_y if dy else np.float32(1.0) - to_y)
                for dx in range(2):
                    if 0 <= column + dx < width:
                        vote = strip * (to_x if dx else np.float32(1.0) - to_x)
                        grid[c + dc, row + dy, column + dx] += vote

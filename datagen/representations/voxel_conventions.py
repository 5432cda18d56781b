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
from datagen.representations.voxel_votes import vote, vote_trilinear
from schemas.arrays import EventArray

Convention = Literal["eraft", "event_flow", "tonic"]
LANES = 16
"""Running sums side by side."""


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
    if positions is None:
        check_on_sensor(events, height, width)
        scale = (bins if convention == "tonic" else bins - 1) / length
        vote(grid, events.t, events.x, events.y, events.p, first, scale)
    else:
        vote_trilinear(grid, events.t, positions, events.p, first, (bins - 1) / length)
    if convention == "eraft":
        _standardise(grid.reshape(-1))
    return grid


@njit(cache=True, nogil=True)
def _standardise(cells):  # type: ignore[no-untyped-def]
    filled = 0
    for value in cells:
        filled += value != 0
    if filled == 0:
        return
    mean = _sum_of_powers(cells, 0.0, 1) / filled
    squares = _sum_of_powers(cells, mean, 2) - (cells.shape[0] - filled) * mean * mean
    deviation = np.sqrt(max(squares, 0.0) / (filled - 1)) if filled > 1 else 0.0
    shift, scale = np.float32(mean), np.float32(1.0 / deviation if deviation > 0 else 1.0)
    for i in range(cells.shape[0]):
        cells[i] = (cells[i] - shift) * scale if cells[i] != 0 else np.float32(0.0)


@njit(cache=True, nogil=True)
def _sum_of_powers(cells, centre, power):  # type: ignore[no-untyped-def]
    """Sum of (cell - centre)^power, in lanes side by side: one after another takes ten times as long."""
    totals = np.zeros(LANES)
    whole = cells.shape[0] // LANES * LANES
    for i in range(0, whole, LANES):
        for k in range(LANES):
            away = cells[i + k] - centre
            totals[k] += away * away if power == 2 else away
    for i in range(whole, cells.shape[0]):
        totals[0] += (cells[i] - centre) ** power
    return totals.sum()

"""What clean pixels look up for 8-bit pictures: log light of a code, safe codes around a level.

A level of log light is told by the bin it falls into. `highest` of that bin is the largest code
whose log light is below every level of the bin, `lowest` the smallest one above: a little too
careful, never wrong.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from datagen.sensors.events.response import Response, log_picture

CODES = 256
BINS = 8192
SLACK = 1e-9
"""Far more than what rounding moves a level by [log units]."""


class CodeTables(NamedTuple):
    """Tables of one `Response`."""

    log: NDArray[np.float64]
    """Log light of every code (256,)."""
    highest: NDArray[np.uint8]
    """(BINS,)."""
    lowest: NDArray[np.uint8]
    """(BINS,)."""
    bottom: float
    """Lower edge of the first bin [log units]."""
    bins_per_unit: float
    """[1 / log units]."""


@lru_cache(maxsize=4)
def code_tables(response: Response) -> CodeTables:
    """Tables for 8-bit pictures; two bins lie below black and two above white. Cameras share them."""
    log = log_picture(np.arange(CODES, dtype=np.uint8), response)
    bins_per_unit = (BINS - 4) / float(log[-1] - log[0])
    bottom = float(log[0]) - 2 / bins_per_unit
    edges = bottom + np.arange(BINS + 1) / bins_per_unit
    highest = np.searchsorted(log, edges[:-1] - SLACK, side="left") - 1
    lowest = np.searchsorted(log, edges[1:] + SLACK, side="right")
    return CodeTables(
        log=log,
        highest=np.maximum(highest, 0).astype(np.uint8),
        lowest=np.minimum(lowest, CODES - 1).astype(np.uint8),
        bottom=bottom,
        bins_per_unit=bins_per_unit,
    )


@njit(cache=True, nogil=True, error_model="numpy")
def bin_of(level, tables):  # type: ignore[no-untyped-def]
    """Index of the bin of a level; levels beyond the ends belong to the last bins."""
    at = (level - tables.bottom) * tables.bins_per_unit
    at = at if at > 0.0 else 0.0
    return np.int32(at if at < BINS - 1.0 else BINS - 1.0)

"""Events between emission and ordering: 64-bit records, tile by tile.

A record holds x (bits 32-47), y (48-63), the time since the start of its interval in microseconds
(2-31), whether noise caused it (1) and its polarity (0). Pixels are worked through in tiles, and
all intervals of a batch per tile; `bounds` says where the records of each tile and interval lie:
those of tile i and interval k are `records[bounds[i * intervals + k] : bounds[i * intervals + k +
1]]`, in row-major order of their pixels.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

STAMP_SHIFT = np.uint64(2)
X_SHIFT, Y_SHIFT = np.uint64(32), np.uint64(48)
GUESS, LARGEST_GUESS = 2, 2**24
"""Events per pixel and picture, and in all, that there is room for at first."""


@dataclass(frozen=True, slots=True)
class Records:
    """What one worker emitted for its run of tiles."""

    memory: NDArray[np.uint64]
    """Where they lie; held, so that the addresses stay good."""
    places: NDArray[np.int64]
    """Addresses of the first record of every tile and interval, shape (tiles * intervals,)."""
    sizes: NDArray[np.int64]
    """Their numbers of records, likewise."""

    @staticmethod
    def of(memory: NDArray[np.uint64], bounds: NDArray[np.int64]) -> Records:
        """What a kernel returned: memory, and where each tile's and interval's records begin and end."""
        places = memory.ctypes.data + memory.itemsize * bounds[:-1]
        return Records(memory, places, bounds[1:] - bounds[:-1])


class RecordBuffers:
    """Memory for the records of every run of tiles, used again from step to step."""

    def __init__(self) -> None:
        self._buffers: dict[tuple[int, int], NDArray[np.uint64]] = {}

    def lend(self, run: tuple[int, int], pixels: int) -> NDArray[np.uint64]:
        """Room for some records of each of `pixels` of a run; what it held of the last step is lost.

        Too much of it costs nothing: the system gives memory when it is first written.
        """
        guess = min(GUESS * pixels, LARGEST_GUESS)
        if run not in self._buffers or len(self._buffers[run]) < guess:
            self._buffers[run] = np.empty(guess, np.uint64)
        return self._buffers[run]

    def keep(
        self, run: tuple[int, int], records: NDArray[np.uint64], bounds: NDArray[np.int64]
    ) -> Records:
        """What a kernel returned; its memory is kept for the run's next step."""
        self._buffers[run] = records
        return Records.of(records, bounds)


@njit(cache=True, nogil=True, error_model="numpy")
def address_of(pixel, width):  # type: ignore[no-untyped-def]
    """Address bits of a pixel, which is counted row by row."""
    pixel, width = np.float64(pixel), np.float64(width)
    y = np.floor((pixel + 0.5) * (1.0 / width))  # half a pixel is more than what rounding moves
    x = pixel - y * width
    return np.uint64(np.int64(y)) << Y_SHIFT | np.uint64(np.int64(x)) << X_SHIFT


@njit(cache=True, nogil=True)
def with_room(records, count, more):  # type: ignore[no-untyped-def]
    """`records` itself, or a larger copy if `more` do not fit after the first `count`."""
    if count + more <= records.size:
        return records
    larger = np.empty(2 * (count + more), np.uint64)
    larger[:count] = records[:count]
    return larger

"""Records sorted into bands of rows, so that the samples of one band stay in the processor's cache."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from datagen.render.compiled import inlined, kernel
from datagen.render.raster.coverage import Band
from datagen.render.tracer import Surroundings
from datagen.render.vectors import Records


class Seen(NamedTuple):
    """The triangles that may be seen, sorted into bands of rows."""

    records: Records
    """RECORD records."""
    start: NDArray[np.int64]
    """(bands + 1,) where each band's list starts."""
    listed: NDArray[np.int32]
    """Rows of `records`."""
    rows: int
    """Rows of a band."""
    width: int
    """Of the picture."""
    height: int


@kernel
def sort_into_bands(
    records: Records, count: int, rows: int, height: int
) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Lists of the records that touch each band of `rows` rows, in the records' order.

    Args:
        records: RECORD records.
        count: how many of them there are.
        rows: rows of a band.
        height: rows of the picture.

    Returns:
        Where each band's list starts, shape (bands + 1,), and the lists, one after another.
    """
    bands = -(-height // rows)
    start = np.zeros(bands + 1, np.int64)
    for r in range(count):
        for b in range(records[r].rows[0] // rows, (records[r].rows[1] - 1) // rows + 1):
            start[b + 1] += 1
    for b in range(bands):
        start[b + 1] += start[b]
    place = start[:-1].copy()
    listed = np.empty(start[bands], np.int32)
    for r in range(count):
        for b in range(records[r].rows[0] // rows, (records[r].rows[1] - 1) // rows + 1):
            listed[place[b]] = r
            place[b] += 1
    return start, listed


@inlined
def band_of(
    seen: Seen,
    number: int,
    holed: NDArray[np.bool_],
    world: Surroundings,
    lanes: NDArray[np.float32],
    inverse_z: NDArray[np.float32],
    nearest: NDArray[np.int32],
) -> Band:
    """A band, to be covered; the other arguments are as in `Band`. References are not counted."""
    return Band(
        seen.records,
        seen.listed[seen.start[number] : seen.start[number + 1]],
        (number * seen.rows, min((number + 1) * seen.rows, seen.height)),
        seen.width,
        holed,
        world,
        lanes,
        inverse_z,
        nearest,
    )

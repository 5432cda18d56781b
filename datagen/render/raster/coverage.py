"""Which record every visibility sample of a band sees.

Every record of a band is walked row by row; in each row only the run of pixels that its three edges
leave possible is tested, sixteen samples at a time (`lanes`). Records of materials with holes ask
the opacity texture at every sample.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from datagen.render.compiled import inlined, inner
from datagen.render.materials import is_hole
from datagen.render.raster.lanes import LANES, cover_listed, cover_run
from datagen.render.raster.records import MARGIN
from datagen.render.tracer import Surroundings
from datagen.render.vectors import Records

NOTHING = -1


class Band(NamedTuple):
    """Triangles and samples of some rows of a picture."""

    records: Records
    """RECORD records."""
    listed: NDArray[np.int32]
    """Rows of `records`: those that touch the band."""
    rows: tuple[int, int]
    """First and last + 1."""
    width: int
    """Columns of the picture."""
    holed: NDArray[np.bool_]
    """(materials,) may have holes."""
    world: Surroundings
    """Tables for materials with holes."""
    lanes: NDArray[np.float32]
    """(groups, 2, LANES) places of the samples in a pixel."""
    inverse_z: NDArray[np.float32]
    """Flat (pixel, sample), written: 1/z, 0 where nothing is."""
    nearest: NDArray[np.int32]
    """Flat, written: row of `records`, NOTHING where nothing is."""


class Marked(NamedTuple):
    """Some pixels of a band, row by row."""

    before: NDArray[np.int32]
    """(rows, width + 1) how many come before each pixel of the band."""
    columns: NDArray[np.int32]
    """(as many as the band has,) where they are in their rows."""


@inner
def cover(band: Band) -> None:
    """Find the nearest record at every sample of a band, pixel by pixel and row by row."""
    first_row, stride = band.rows[0], len(band.lanes) * LANES
    _clear(band, (band.rows[1] - first_row) * band.width)
    for r in band.listed:
        record = band.records[r]
        for y in range(max(record.rows[0], first_row), min(record.rows[1], band.rows[1])):
            first, last = _run(record, y)
            base = ((y - first_row) * band.width + first) * stride
            for g in range(len(band.lanes)):
                at = base + g * LANES
                if _may_have_holes(band, record):
                    _cover_with_holes(band, r, g, y, first, last, at)
                else:
                    cover_run(
                        record.plane, band.lanes[g], float(y), first, last,
                        band.inverse_z, band.nearest, at, stride, np.int32(r),
                    )  # fmt: skip


@inner
def cover_marked(band: Band, marked: Marked) -> None:
    """Find the nearest record at every sample of the marked pixels of a band, one after another."""
    first_row, stride = band.rows[0], len(band.lanes) * LANES
    _clear(band, marked.before[band.rows[1] - first_row - 1, -1])
    for r in band.listed:
        record = band.records[r]
        for y in range(max(record.rows[0], first_row), min(record.rows[1], band.rows[1])):
            here = marked.before[y - first_row]
            if here[record.columns[1]] == here[record.columns[0]]:
                continue
            first, last = _run(record, y)
            if last <= first:
                continue
            if not _may_have_holes(band, record):
                cover_listed(
                    record.plane, band.lanes, float(y), marked.columns, np.int64(here[first]),
                    np.int64(here[last]), band.inverse_z, band.nearest, np.int32(r),
                )  # fmt: skip
                continue
            for pixel in range(here[first], here[last]):
                x = marked.columns[pixel]
                for g in range(len(band.lanes)):
                    _cover_with_holes(band, r, g, y, x, x + 1, pixel * stride + g * LANES)


@inner
def _clear(band: Band, pixels: int) -> None:
    total = pixels * len(band.lanes) * LANES
    band.inverse_z[:total] = 0.0
    band.nearest[:total] = NOTHING


@inlined
def _may_have_holes(band: Band, record: Any) -> bool:
    return band.holed[band.world.triangles[record.triangle].material]


@inner
def _run(record: Any, y: int) -> tuple[int, int]:
    """The columns of row y where all three edge functions may be >= 0 somewhere in the pixel."""
    low, high = float(record.columns[0]), float(record.columns[1])
    for i in range(3):
        a, b = record.plane[3 * i], record.plane[3 * i + 1]
        at_zero = b * (y + 1.0 if b > 0.0 else y) + record.plane[3 * i + 2]
        if a > 0.0:
            low = max(low, -at_zero / a - 1.0 - MARGIN)
        elif a < 0.0:
            high = min(high, -at_zero / a + 1.0 + MARGIN)
        elif at_zero < 0.0:
            return 0, 0
    return math.ceil(low), math.floor(high)


@inner
def _cover_with_holes(
    band: Band, r: int, group: int, y: int, first: int, last: int, start: int
) -> None:
    """Test LANES samples of each pixel of a run, the first of which is at `start`."""
    record, places, stride = band.records[r], band.lanes[group], len(band.lanes) * LANES
    triangle = band.world.triangles[record.triangle]
    st, material = triangle.st, band.world.materials[triangle.material]
    for x in range(first, last):
        for k in range(LANES):
            at = start + (x - first) * stride + k
            e0, e1, e2, w = values_at(record, x + places[0, k], y + places[1, k])
            if e0 >= 0.0 and e1 >= 0.0 and e2 >= 0.0 and np.float32(w) > band.inverse_z[at]:
                total = e0 + e1 + e2
                s = (e0 * st[0, 0] + e1 * st[1, 0] + e2 * st[2, 0]) / total
                t = (e0 * st[0, 1] + e1 * st[1, 1] + e2 * st[2, 1]) / total
                if not is_hole(material, band.world.textures, band.world.texels, (s, t)):
                    band.inverse_z[at] = w
                    band.nearest[at] = r


@inner
def values_at(record: Any, x: float, y: float) -> tuple[float, float, float, float]:
    """e_0, e_1, e_2 and 1 / z at a point of the image plane."""
    p = record.plane
    return (
        p[0] * x + p[1] * y + p[2],
        p[3] * x + p[4] * y + p[5],
        p[6] * x + p[7] * y + p[8],
        p[9] * x + p[10] * y + p[11],
    )

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

from datagen.render.compiled import inner
from datagen.render.materials import is_hole
from datagen.render.raster.lanes import LANES, cover_listed, cover_run
from datagen.render.raster.records import MARGIN
from datagen.render.tracer import Surroundings
from datagen.render.vectors import Records

NOTHING = -1


class Marked(NamedTuple):
    """Some pixels of a band, row by row."""

    before: NDArray[np.int32]
    """(rows, width + 1) how many come before each pixel of the band."""
    columns: NDArray[np.int32]
    """(as many as the band has,) where they are in their rows."""


@inner
def cover(
    records: Records,
    listed: NDArray[np.int32],
    holed: NDArray[np.bool_],
    world: Surroundings,
    rows: tuple[int, int],
    width: int,
    offset: NDArray[np.float32],
    inverse_z: NDArray[np.float32],
    nearest: NDArray[np.int32],
) -> None:
    """Find the nearest record at every sample of a band.

    Args:
        records: triangles on the image plane.
        listed: those that touch the band.
        holed: (materials,) may have holes.
        world: tables for materials with holes.
        rows: first and last + 1 row of the band.
        width: columns of the picture.
        offset: (groups, 2, LANES) places of the samples in a pixel.
        inverse_z: written, flat (row, column, sample) 1/z, 0 where nothing is.
        nearest: written, flat, row of `records`, NOTHING where nothing is.
    """
    _, _, triangles, materials, textures, texels = world
    stride = len(offset) * LANES
    total = (rows[1] - rows[0]) * width * stride
    inverse_z[:total] = 0.0
    nearest[:total] = NOTHING
    for r in listed:
        record = records[r]
        triangle = triangles[record.triangle]
        for y in range(max(record.rows[0], rows[0]), min(record.rows[1], rows[1])):
            first, last = _run(record, y)
            base = ((y - rows[0]) * width + first) * stride
            for g in range(len(offset)):
                at = base + g * LANES
                if holed[triangle.material]:
                    _cover_with_holes(
                        record, triangle, materials[triangle.material], textures, texels,
                        offset[g], y, first, last, inverse_z, nearest, at, stride, r,
                    )  # fmt: skip
                else:
                    cover_run(
                        record.plane, offset[g], float(y), first, last,
                        inverse_z, nearest, at, stride, np.int32(r),
                    )  # fmt: skip


@inner
def cover_marked(
    records: Records,
    listed: NDArray[np.int32],
    holed: NDArray[np.bool_],
    world: Surroundings,
    rows: tuple[int, int],
    marked: Marked,
    offset: NDArray[np.float32],
    inverse_z: NDArray[np.float32],
    nearest: NDArray[np.int32],
) -> None:
    """Find the nearest record at every sample of some pixels of a band.

    Args:
        records: triangles on the image plane.
        listed: those that touch the band.
        holed: (materials,) may have holes.
        world: tables for materials with holes.
        rows: first and last + 1 row of the band.
        marked: the pixels.
        offset: (groups, 2, LANES) places of the samples in a pixel.
        inverse_z: written, flat (marked pixel, sample).
        nearest: written, flat.
    """
    _, _, triangles, materials, textures, texels = world
    stride = len(offset) * LANES
    total = marked.before[rows[1] - rows[0] - 1, -1] * stride
    inverse_z[:total] = 0.0
    nearest[:total] = NOTHING
    for r in listed:
        record = records[r]
        triangle = triangles[record.triangle]
        for y in range(max(record.rows[0], rows[0]), min(record.rows[1], rows[1])):
            here = marked.before[y - rows[0]]
            if here[record.columns[1]] == here[record.columns[0]]:
                continue
            first, last = _run(record, y)
            if last <= first:
                continue
            if not holed[triangle.material]:
                cover_listed(
                    record.plane, offset, float(y), marked.columns, np.int64(here[first]),
                    np.int64(here[last]), inverse_z, nearest, np.int32(r),
                )  # fmt: skip
                continue
            for pixel in range(here[first], here[last]):
                x = marked.columns[pixel]
                for g in range(len(offset)):
                    _cover_with_holes(
                        record, triangle, materials[triangle.material], textures, texels, offset[g],
                        y, x, x + 1, inverse_z, nearest, pixel * stride + g * LANES, stride, r,
                    )  # fmt: skip


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
    record: Any,
    triangle: Any,
    material: Any,
    textures: Records,
    texels: NDArray[np.uint16],
    offset: NDArray[np.float32],
    y: int,
    first: int,
    last: int,
    inverse_z: NDArray[np.float32],
    nearest: NDArray[np.int32],
    start: int,
    stride: int,
    r: int,
) -> None:
    for x in range(first, last):
        for k in range(LANES):
            at = start + (x - first) * stride + k
            e0, e1, e2, w = values_at(record, x + offset[0, k], y + offset[1, k])
            if e0 >= 0.0 and e1 >= 0.0 and e2 >= 0.0 and np.float32(w) > inverse_z[at]:
                total = e0 + e1 + e2
                st = triangle.st
                s = (e0 * st[0, 0] + e1 * st[1, 0] + e2 * st[2, 0]) / total
                t = (e0 * st[0, 1] + e1 * st[1, 1] + e2 * st[2, 1]) / total
                if not is_hole(material, textures, texels, (s, t)):
                    inverse_z[at] = w
                    nearest[at] = r


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

"""One picture, band by band: samples, fragments, shading points, light.

A pixel is put off when one of its points needs rays: the nodes of its shadows are not known yet, or
it lies on or in the shadow of a moving object. Its fragments are handed back, to be looked at again
when the rays have been traced (`put_off`).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from datagen.render.compiled import inlined, inner
from datagen.render.raster.coverage import cover
from datagen.render.raster.fragments import gather
from datagen.render.raster.lanes import LANES
from datagen.render.raster.lattice import Lattice
from datagen.render.raster.mover_shadows import may_shade
from datagen.render.raster.points import Eye, merge
from datagen.render.raster.shade import Desk, Shader, shade
from datagen.render.raster.shadows import MOVES, Statics, Wanted, see_lamps
from datagen.render.vectors import Records, vector

BATCH = 4096
"""Fragments that are shaded together."""
PIECE = 32
"""Pixels that are gathered in one go."""


class Samples(NamedTuple):
    """Visibility samples of a pixel."""

    oversample: int
    """Sub-pixels of a pixel's side."""
    place: NDArray[np.float64]
    """(samples, 2) in the pixel, sub-pixel by sub-pixel."""
    lanes: NDArray[np.float32]
    """(groups, 2, LANES) the same, filled up with NaN."""


class View(NamedTuple):
    """One picture to be drawn."""

    eye: Eye
    lens: tuple[float, float, float, float]
    """fx, fy, cx, cy."""
    width: int
    height: int
    balls: Records
    """BALL records of the movers."""
    shadowed: NDArray[np.bool_]
    """(height, width) `mover_shadows.shadow_mask`."""


class Work(NamedTuple):
    """Room to draw in."""

    inverse_z: NDArray[np.float32]
    """Of every sample of a band, see `coverage`."""
    nearest: NDArray[np.int32]
    fragments: Records
    """FRAGMENT records."""
    points: Records
    """POINT records, as many."""
    visible: NDArray[np.float32]
    """(as many, lamps)."""
    chosen: NDArray[np.int32]
    """(as many,)."""
    room: Records
    """One POINT record."""
    desk: Desk


@inner
def draw(
    view: View,
    samples: Samples,
    records: Records,
    start: NDArray[np.int64],
    listed: NDArray[np.int32],
    rows: int,
    bands: tuple[int, int],
    holed: NDArray[np.bool_],
    statics: Statics,
    lattice: Lattice,
    wanted: Wanted,
    shader: Shader,
    work: Work,
    put_off: Records,
    out: NDArray[np.float32],
) -> tuple[int, int]:
    """Draw bands until `put_off` is full.

    Args:
        view: camera and movers.
        samples: visibility samples.
        records: RECORD records of the picture.
        start: as from `sort_into_bands`.
        listed: the same.
        rows: rows of a band.
        bands: first and last + 1.
        holed: (materials,) may have holes.
        statics: static triangles.
        lattice: what they see of the lamps.
        wanted: takes what is missing there.
        shader: for the light.
        work: room.
        put_off: takes FRAGMENT records of pixels that need rays.
        out: flat picture of sub-pixels, added to.

    Returns:
        How many fragments were put off, and the first band that was not drawn.
    """
    stride, most = len(samples.lanes) * LANES, PIECE * len(samples.place)
    count, waiting = 0, 0
    for band in range(bands[0], bands[1]):
        y0, y1 = band * rows, min((band + 1) * rows, view.height)
        if waiting + count + (y1 - y0) * view.width * len(samples.place) > len(put_off):
            waiting = _settle_batch(
                count,
                view,
                samples,
                records,
                statics,
                lattice,
                wanted,
                shader,
                work,
                put_off,
                waiting,
                out,
            )
            return waiting, band
        inside = listed[start[band] : start[band + 1]]
        cover(
            records,
            inside,
            holed,
            shader.world,
            (y0, y1),
            view.width,
            samples.lanes,
            work.inverse_z,
            work.nearest,
        )
        for y in range(y0, y1):
            for x in range(0, view.width, PIECE):
                if count + most > len(work.fragments):
                    waiting = _settle_batch(
                        count,
                        view,
                        samples,
                        records,
                        statics,
                        lattice,
                        wanted,
                        shader,
                        work,
                        put_off,
                        waiting,
                        out,
                    )
                    count = 0
                at = ((y - y0) * view.width + x) * stride
                columns = (x, min(x + PIECE, view.width))
                count = gather(
                    work.nearest,
                    at,
                    stride,
                    y,
                    columns,
                    samples.oversample**2,
                    samples.place,
                    work.fragments,
                    count,
                )
    waiting = _settle_batch(
        count, view, samples, records, statics, lattice, wanted, shader, work, put_off, waiting, out
    )
    return waiting, bands[1]


@inner
def _settle_batch(
    count: int,
    view: View,
    samples: Samples,
    records: Records,
    statics: Statics,
    lattice: Lattice,
    wanted: Wanted,
    shader: Shader,
    work: Work,
    put_off: Records,
    waiting: int,
    out: NDArray[np.float32],
) -> int:
    """Shade whole pixels, or put them off."""
    size, _ = settle(
        work.fragments,
        count,
        view,
        samples,
        records,
        statics,
        lattice,
        wanted,
        shader,
        work.room,
        work.points,
        work.visible,
    )
    chosen, f, p = 0, 0, 0
    while f < count:
        g, q, known = f, p, True
        while g < count and same_pixel(work.fragments[g], work.fragments[f]):
            known &= work.fragments[g].known
            g += 1
        while q < size and same_pixel(work.points[q], work.fragments[f]):
            q += 1
        if known and not _needs_rays(work.points, p, q, view, statics, shader.lamps):
            for k in range(p, q):
                work.chosen[chosen] = k
                chosen += 1
        else:
            for k in range(f, g):
                put_off[waiting] = work.fragments[k]
                waiting += 1
        f, p = g, q
    shade(work.points, work.chosen, chosen, work.visible, shader, work.desk, out)
    return waiting


@inlined
def same_pixel(a: Any, b: Any) -> bool:
    """Whether two fragments, or points, are in one pixel."""
    return a.column == b.column and a.row == b.row


@inner
def settle(
    fragments: Records,
    count: int,
    view: View,
    samples: Samples,
    records: Records,
    statics: Statics,
    lattice: Lattice,
    wanted: Wanted,
    shader: Shader,
    room: Records,
    points: Records,
    visible: NDArray[np.float32],
) -> tuple[int, bool]:
    """Shading points of fragments, and how much of each lamp static ones see of it.

    Returns:
        How many points there are, and whether all lattice nodes were known.
    """
    world, step = shader.world, 1.0 / samples.oversample
    size = merge(
        fragments,
        count,
        records,
        world.frames,
        world.points,
        world.triangles,
        statics.surface,
        view.eye,
        step,
        len(samples.place) // samples.oversample**2,
        room,
        points,
    )
    known = see_lamps(
        fragments,
        count,
        records,
        statics,
        view.lens,
        samples.place,
        step,
        lattice,
        wanted,
        visible,
        size,
    )
    for p in range(size):
        for k in range(visible.shape[1]):
            visible[p, k] /= np.float32(points[p].count)
    return size, known


@inlined
def _needs_rays(
    points: Records, first: int, last: int, view: View, statics: Statics, lamps: Records
) -> bool:
    """Whether one of some points is on, or may be in the shadow of, a moving object."""
    needed = False
    for p in range(first, last):
        point = points[p]
        if point.instance >= 0:
            needed |= statics.first[point.instance] == MOVES
            if view.shadowed[point.row, point.column] and not needed:
                for k in range(len(lamps)):
                    needed |= shaded_by_mover(point, lamps[k], view.balls)
    return needed


@inlined
def shaded_by_mover(point: Any, lamp: Any, balls: Records) -> bool:
    """Whether a moving object may stand between a point and a lamp."""
    shaded = False
    for b in range(len(balls)):
        shaded |= may_shade(balls[b], lamp, vector(point.start))
    return shaded

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
from datagen.render.raster.fragments import FRAGMENT, gather
from datagen.render.raster.lanes import LANES
from datagen.render.raster.mover_shadows import may_shade
from datagen.render.raster.picture import Picture, Shot
from datagen.render.raster.points import POINT, merge
from datagen.render.raster.shade import Desk, new_desk, shade
from datagen.render.raster.shadows import MOVES, Nodes, Statics, see_lamps
from datagen.render.vectors import Records, vector

BATCH = 4096
"""Fragments that are shaded together."""
PIECE = 32
"""Pixels that are gathered in one go."""
CACHE_LINE = 64


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


def new_work(samples: int, lamps: int) -> Work:
    """Room for bands of so many samples, filled-up lanes included."""
    return Work(
        inverse_z=_aligned(samples, np.float32),
        nearest=_aligned(samples, np.int32),
        fragments=np.empty(BATCH, FRAGMENT),
        points=np.empty(BATCH, POINT),
        visible=np.zeros((BATCH, lamps), np.float32),
        chosen=np.empty(BATCH, np.int32),
        room=np.empty(1, POINT),
        desk=new_desk(),
    )


def _aligned(count: int, kind: type[np.generic]) -> NDArray[Any]:
    """An array of 4-byte numbers that starts on a cache line."""
    room = np.empty(count * 4 + CACHE_LINE, np.uint8)
    first = -room.ctypes.data % CACHE_LINE
    return room[first : first + 4 * count].view(kind)


@inner
def draw(
    picture: Picture,
    bands: tuple[int, int],
    nodes: Nodes,
    work: Work,
    put_off: Records,
    out: NDArray[np.float32],
) -> tuple[int, int]:
    """Draw bands until `put_off` is full.

    Args:
        picture: what to draw.
        bands: first and last + 1.
        nodes: what static surfaces see of the lamps; what is missing there is written.
        work: room.
        put_off: takes FRAGMENT records of pixels that need rays; room for those of a band.
        out: flat picture of sub-pixels, added to.

    Returns:
        How many fragments were put off, and the first band that was not drawn.
    """
    shot, samples, seen = picture.shot, picture.samples, picture.seen
    stride, most = len(samples.lanes) * LANES, PIECE * len(samples.place)
    count, waiting = 0, 0
    for band in range(bands[0], bands[1]):
        y0, y1 = band * seen.rows, min((band + 1) * seen.rows, shot.height)
        if waiting + count + (y1 - y0) * shot.width * len(samples.place) > len(put_off):
            return _settle_batch(picture, count, nodes, work, put_off, waiting, out), band
        cover(
            seen.records, seen.listed[seen.start[band] : seen.start[band + 1]], picture.holed,
            picture.shader.world, (y0, y1), shot.width, samples.lanes, work.inverse_z, work.nearest,
        )  # fmt: skip
        for y in range(y0, y1):
            for x in range(0, shot.width, PIECE):
                if count + most > len(work.fragments):
                    waiting = _settle_batch(picture, count, nodes, work, put_off, waiting, out)
                    count = 0
                at = ((y - y0) * shot.width + x) * stride
                count = gather(
                    work.nearest, at, stride, y, (x, min(x + PIECE, shot.width)),
                    samples.oversample**2, samples.place, work.fragments, count,
                )  # fmt: skip
    return _settle_batch(picture, count, nodes, work, put_off, waiting, out), bands[1]


@inner
def _settle_batch(
    picture: Picture,
    count: int,
    nodes: Nodes,
    work: Work,
    put_off: Records,
    waiting: int,
    out: NDArray[np.float32],
) -> int:
    """Shade whole pixels, or put them off; returns how many fragments now wait."""
    fragments, points = work.fragments, work.points
    size, _ = settle(picture, fragments, count, nodes, work.room, points, work.visible)
    chosen, f, p = 0, 0, 0
    while f < count:
        g, q, known = f, p, True
        while g < count and same_pixel(fragments[g], fragments[f]):
            known &= fragments[g].known
            g += 1
        while q < size and same_pixel(points[q], fragments[f]):
            q += 1
        lamps = picture.shader.lamps
        if known and not _needs_rays(points, p, q, picture.shot, picture.statics, lamps):
            for k in range(p, q):
                work.chosen[chosen] = k
                chosen += 1
        else:
            for k in range(f, g):
                put_off[waiting] = fragments[k]
                waiting += 1
        f, p = g, q
    shade(points, work.chosen, chosen, work.visible, picture.shader, work.desk, out)
    return waiting


@inlined
def same_pixel(a: Any, b: Any) -> bool:
    """Whether two fragments, or points, are in one pixel."""
    return a.column == b.column and a.row == b.row


@inner
def settle(
    picture: Picture,
    fragments: Records,
    count: int,
    nodes: Nodes,
    room: Records,
    points: Records,
    visible: NDArray[np.float32],
) -> tuple[int, bool]:
    """Shading points of fragments, and how much of each lamp static ones see of it.

    Args:
        picture: what is drawn.
        fragments: FRAGMENT records; linked to their points.
        count: how many of them.
        nodes: what static surfaces see of the lamps; what is missing there is written.
        room: one POINT record.
        points: POINT records, written.
        visible: (points, lamps), written.

    Returns:
        How many points there are, and whether all lattice nodes were known.
    """
    world, samples, statics = picture.shader.world, picture.samples, picture.statics
    step, records = 1.0 / samples.oversample, picture.seen.records
    size = merge(
        fragments, count, records, world.frames, world.points, world.triangles, statics.surface,
        picture.shot.eye, step, samples.side, room, points,
    )  # fmt: skip
    known = see_lamps(
        fragments, count, records, statics, picture.shot.lens, samples.place, step,
        nodes.lattice, nodes.wanted, visible, size,
    )  # fmt: skip
    for p in range(size):
        for k in range(visible.shape[1]):
            visible[p, k] /= np.float32(points[p].count)
    return size, known


@inlined
def _needs_rays(
    points: Records, first: int, last: int, shot: Shot, statics: Statics, lamps: Records
) -> bool:
    """Whether one of some points is on, or may be in the shadow of, a moving object."""
    needed = False
    for p in range(first, last):
        point = points[p]
        if point.instance >= 0:
            needed |= statics.first[point.instance] == MOVES
            if shot.shadowed[point.row, point.column] and not needed:
                for k in range(len(lamps)):
                    needed |= shaded_by_mover(point, lamps[k], shot.balls)
    return needed


@inlined
def shaded_by_mover(point: Any, lamp: Any, balls: Records) -> bool:
    """Whether a moving object may stand between a point and a lamp."""
    shaded = False
    for b in range(len(balls)):
        shaded |= may_shade(balls[b], lamp, vector(point.start))
    return shaded

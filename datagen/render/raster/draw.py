"""One picture, band by band: samples, fragments, shading points, light.

A pixel is put off when one of its points needs rays: the nodes of its shadows are not known yet, or
it lies on or in the shadow of a moving object. Its fragments are handed back, to be looked at again
when the rays have been traced (`put_off`).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from datagen.render.compiled import inlined, inner
from datagen.render.raster.edges import cover_band, gather_piece
from datagen.render.raster.fragments import same_pixel
from datagen.render.raster.lattice_read import Nodes
from datagen.render.raster.mover_shadows import may_shade, pair_bit
from datagen.render.raster.picture import PLAIN, Picture, Shot
from datagen.render.raster.points import Eye, merge
from datagen.render.raster.shade import shade
from datagen.render.raster.shadows import see_lamps
from datagen.render.raster.statics import MOVES, Statics
from datagen.render.raster.work import Work
from datagen.render.vectors import Records, dot, sub, vector

LEAST_COSINE = 0.1
"""Surfaces that are seen more edge-on count as this."""
ENOUGH = 2**15
"""Fragments that wait for rays before these are traced, which bounds memory."""
PIECE = 32
"""Pixels that are gathered in one go."""


@inner
def draw(
    picture: Picture,
    bands: tuple[int, int],
    nodes: Nodes,
    work: Work,
    put_off: Records,
    out: NDArray[np.float32],
) -> tuple[int, int]:
    """Draw bands until ENOUGH fragments wait in `put_off`, or it may not hold those of another.

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
    most = PIECE * len(samples.place)
    count, waiting = 0, 0
    for band in range(bands[0], bands[1]):
        y0, y1 = band * seen.rows, min((band + 1) * seen.rows, shot.height)
        most_more = (y1 - y0) * shot.width * len(samples.place)
        if waiting >= ENOUGH or waiting + count + most_more > len(put_off):
            return _settle_batch(picture, count, nodes, work, put_off, waiting, out), band
        if not cover_band(picture, band, work):
            continue
        for y in range(y0, y1):
            for x in range(0, shot.width, PIECE):
                if count + most > len(work.fragments):
                    waiting = _settle_batch(picture, count, nodes, work, put_off, waiting, out)
                    count = 0
                columns = (x, min(x + PIECE, shot.width))
                last = gather_piece(picture, (y0, y), columns, work, count)
                if picture.part != PLAIN and len(shot.balls) > 0:
                    waiting, last = _put_off_movers(
                        picture, work.fragments, (count, last), put_off, waiting
                    )
                count = last
    return _settle_batch(picture, count, nodes, work, put_off, waiting, out), bands[1]


@inner
def _put_off_movers(
    picture: Picture, fragments: Records, which: tuple[int, int], put_off: Records, waiting: int
) -> tuple[int, int]:
    """Put pixels off that show moving objects; returns how many fragments wait, and are left."""
    records, first = picture.seen.records, picture.statics.first
    f, end = which
    kept = f
    while f < end:
        g, moves = f, False
        while g < end and same_pixel(fragments[g], fragments[f]):
            r = fragments[g].record
            moves |= r >= 0 and first[records[r].instance] == MOVES
            g += 1
        for k in range(f, g):
            if moves:
                put_off[waiting] = fragments[k]
                waiting += 1
            else:
                if kept != k:
                    fragments[kept] = fragments[k]
                kept += 1
        f = g
    return waiting, kept


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
        fragments, count, records, world.frames, world.points, world.triangles, statics,
        picture.shot.eye, step, samples.side, room, points,
    )  # fmt: skip
    known = see_lamps(
        fragments, count, records, statics, picture.shot.lens, samples, nodes, visible, size
    )
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
            pairs = shot.shadowed[point.row, point.column]
            if pairs != 0 and not needed:
                around = reach_of_pixel(point, shot.eye)
                for b in range(len(shot.balls)):
                    for k in range(len(lamps)):
                        if pairs & pair_bit(b, k, len(lamps)) != 0:
                            needed |= may_shade(
                                shot.balls[b], lamps[k], vector(point.start), around
                            )
    return needed


@inlined
def shaded_by_mover(point: Any, lamp: Any, balls: Records, eye: Eye) -> bool:
    """Whether a moving object may stand between a lamp and what a pixel sees of a point's surface."""
    shaded, around = False, reach_of_pixel(point, eye)
    for b in range(len(balls)):
        shaded |= may_shade(balls[b], lamp, vector(point.start), around)
    return shaded


@inlined
def reach_of_pixel(point: Any, eye: Eye) -> float:
    """How far from a point its pixel sees the plane through it, unless that is nearly edge-on."""
    to_point = sub(vector(point.start), eye.center)
    cosine = max(dot(vector(point.normal), vector(point.to_camera)), LEAST_COSINE)
    across = math.sqrt(dot(eye.across, eye.across) * dot(to_point, to_point))
    return across / cosine

"""Pixels that several surfaces share: found with few samples, drawn with more.

A picture of box pixels is drawn in two parts (`picture.PLAIN`, `picture.EDGES`). The first draws the
pixels whose samples all lie on one smooth surface and marks the others, the second draws those: an
outline that passes over a pixel then changes it in steps that make no event.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from datagen.render.compiled import inner
from datagen.render.raster.bands import band_of
from datagen.render.raster.coverage import Marked, cover, cover_marked
from datagen.render.raster.fragments import gather, same_pixel
from datagen.render.raster.lanes import LANES
from datagen.render.raster.picture import EDGES, PLAIN, Picture
from datagen.render.raster.statics import MOVES
from datagen.render.raster.work import Work
from datagen.render.vectors import Records


@inner
def cover_band(picture: Picture, number: int, work: Work) -> bool:
    """Find what every sample of a band sees that is drawn now; whether there is any."""
    world, lanes = picture.shader.world, picture.samples.lanes
    band = band_of(picture.seen, number, picture.holed, world, lanes, work.inverse_z, work.nearest)
    if picture.part != EDGES:
        cover(band)
        return True
    count = _list_marked(picture.edges, band.rows, work.marked)
    if count > 0:
        cover_marked(band, work.marked)
    return count > 0


@inner
def gather_piece(
    picture: Picture, rows: tuple[int, int], columns: tuple[int, int], work: Work, count: int
) -> int:
    """Append the fragments of some pixels of a row that are drawn now.

    Args:
        picture: what to draw.
        rows: the band's first row, and this one.
        columns: first and last + 1.
        work: what the band's samples see; its fragments are written.
        count: how many fragments there are already.

    Returns:
        How many there are now.
    """
    samples = picture.samples
    stride, subs = len(samples.lanes) * LANES, samples.oversample**2
    if picture.part == EDGES:
        before = work.marked.before[rows[1] - rows[0]]
        for x in range(columns[0], columns[1]):
            if before[x + 1] > before[x]:
                count = gather(
                    work.nearest, before[x] * stride, stride, rows[1], (x, x + 1), subs,
                    samples.place, samples.sums, work.fragments, count,
                )  # fmt: skip
        return count
    at = ((rows[1] - rows[0]) * picture.shot.width + columns[0]) * stride
    last = gather(
        work.nearest, at, stride, rows[1], columns, subs, samples.place, samples.sums,
        work.fragments, count,
    )  # fmt: skip
    return _leave_edges(picture, work.fragments, count, last) if picture.part == PLAIN else last


@inner
def _list_marked(edges: NDArray[np.bool_], rows: tuple[int, int], marked: Marked) -> int:
    """Write which pixels of some rows are at edges; returns how many."""
    count = 0
    for y in range(rows[0], rows[1]):
        for x in range(edges.shape[1]):
            marked.before[y - rows[0], x] = count
            marked.columns[count] = x
            count += edges[y, x]
        marked.before[y - rows[0], -1] = count
    return count


@inner
def _leave_edges(picture: Picture, fragments: Records, begin: int, end: int) -> int:
    """Mark pixels that several surfaces share and take out their fragments."""
    records, surface = picture.seen.records, picture.statics.surface
    first = picture.statics.first
    kept, f = begin, begin
    while f < end:
        g, alike = f + 1, True
        while g < end and same_pixel(fragments[g], fragments[f]):
            a, b = fragments[f].record, fragments[g].record
            if a != b:
                alike &= (
                    a >= 0
                    and b >= 0
                    and records[a].instance == records[b].instance
                    and first[records[a].instance] != MOVES
                    and surface[records[a].triangle] == surface[records[b].triangle]
                )
            g += 1
        picture.edges[fragments[f].row, fragments[f].column] = not alike
        if alike:
            for k in range(f, g):
                if kept != k:
                    fragments[kept] = fragments[k]
                kept += 1
        f = g
    return kept

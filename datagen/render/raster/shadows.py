"""Looking up which lamps a fragment sees, in the lattice of its static triangle.

The level is the coarsest whose nodes are no farther apart than DENSITY. Where the nodes around a
pixel all agree, as almost everywhere, they are the answer (`lattice_around`). Else finer ones are asked, by
every sample (`lattice_between`).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from datagen.render.compiled import inlined, inner
from datagen.render.raster.fragments import same_pixel
from datagen.render.raster.lattice import level_of
from datagen.render.raster.lattice_around import compare
from datagen.render.raster.lattice_between import add_same, add_samples
from datagen.render.raster.lattice_read import Nodes, forget_recent
from datagen.render.raster.samples import Samples
from datagen.render.raster.statics import MOVES, Statics
from datagen.render.vectors import Records

DENSITY = (2.0, 0.5)
"""Sub-pixels between nodes, at most: where those around a pixel agree, and where they do not."""
DENSITY_OF_MANY = (1.0, 1.0)
"""The same where a pixel has several sub-pixels, which are averaged again."""
LEAST_COSINE = 0.1
"""Surfaces that are seen more edge-on than this get no coarser nodes."""


@inlined
def spacing_at(
    plane: NDArray[np.float64],
    w: np.floating,
    x: float,
    y: float,
    lens: tuple[float, float, float, float],
    step: float,
) -> np.floating:
    """Side of the square that is as large as what a sub-pixel sees of a triangle's plane.

    With 1 / z = g.d for a ray d = ((x - cx) / fx, (y - cy) / fy, 1), the normal is along g.

    Args:
        plane: of a RECORD.
        w: 1 / z.
        x: image point.
        y: image point.
        lens: fx, fy, cx, cy.
        step: side of the sub-pixel [px].
    """
    fx, fy, cx, cy = lens
    gx, gy = np.float32(plane[9] * fx), np.float32(plane[10] * fy)
    gz = np.float32(plane[9] * cx + plane[10] * cy + plane[11])
    dx, dy = np.float32((x - cx) * (1.0 / fx)), np.float32((y - cy) * (1.0 / fy))
    length = np.sqrt((gx * gx + gy * gy + gz * gz) * (dx * dx + dy * dy + np.float32(1.0)))
    cosine = max(w / length, np.float32(LEAST_COSINE))
    return np.float32(step / math.sqrt(fx * fy)) / (w * np.sqrt(cosine))


@inner
def see_lamps(
    fragments: Records,
    count: int,
    records: Records,
    statics: Statics,
    lens: tuple[float, float, float, float],
    samples: Samples,
    nodes: Nodes,
    visible: NDArray[np.float32],
    points: int,
) -> bool:
    """How much of every lamp each point sees, summed over the samples of its static fragments.

    Args:
        fragments: FRAGMENT records; `known` is written.
        count: how many of them.
        records: RECORD records.
        statics: static triangles.
        lens: fx, fy, cx, cy.
        samples: of a pixel.
        nodes: what is known; takes what is missing.
        visible: (points, lamps) written.
        points: how many of them.

    Returns:
        Whether everything was known.
    """
    lattice = nodes.lattice
    forget_recent(nodes.wanted)
    step = 1.0 / samples.oversample
    density = DENSITY if samples.oversample == 1 else DENSITY_OF_MANY
    for p in range(points):
        for k in range(visible.shape[1]):
            visible[p, k] = np.float32(0.0)
    all_known = True
    for f in range(count):
        fragment = fragments[f]
        fragment.known = True
        if fragment.record < 0 or visible.shape[1] == 0:
            continue
        record = records[fragment.record]
        base = statics.first[record.instance]
        if base == MOVES:
            continue
        static = base + record.triangle
        place = (2 * static + record.behind, np.int64(statics.widest[static]))
        first = _first_of_record(fragments, f)
        if first == f:
            x, y = fragment.place[0], fragment.place[1]
            spacing = spacing_at(record.plane, fragment.inverse_z, x, y, lens, step)
            _look_around(fragment, place, statics.edge[static], spacing, density, nodes)
        else:
            fragment.level[0], fragment.level[1] = fragments[first].level
            fragment.node, fragment.known = fragments[first].node, fragments[first].known
        if fragment.known and fragment.node != 0:
            add_same(fragment.node, fragment.count, lattice, visible, fragment.point)
        elif fragment.known:
            fragment.known = add_samples(fragment, place, samples, nodes, visible)
        all_known &= fragment.known
    return all_known


@inlined
def _look_around(
    fragment: Any,
    place: tuple[int, int],
    edge: NDArray[np.float32],
    spacing: np.floating,
    density: tuple[float, float],
    nodes: Nodes,
) -> None:
    """Compare the nodes around a fragment's pixel; where they differ, go on to finer ones."""
    side = np.float32(density[0]) * spacing
    fragment.level[0], fragment.level[1] = level_of(edge[0], side), level_of(edge[1], side)
    compare(fragment, place, nodes)
    if fragment.known and fragment.node == 0:
        side = np.float32(density[1]) * spacing
        fragment.level[0], fragment.level[1] = level_of(edge[0], side), level_of(edge[1], side)


@inlined
def _first_of_record(fragments: Records, f: int) -> int:
    """The first fragment of the same record in the same pixel; nodes are compared once for all."""
    first = f
    while first > 0 and same_pixel(fragments[first - 1], fragments[f]):
        first -= 1
    while fragments[first].record != fragments[f].record:
        first += 1
    return first

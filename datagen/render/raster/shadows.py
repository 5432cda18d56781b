"""Looking up which lamps a fragment sees, in the lattice of its static triangle.

The level is the coarsest whose nodes are no farther apart than DENSITY. Where the nodes around a
pixel all agree, as almost everywhere, they are the answer. Else finer ones are asked: each sample,
or a quarter of many, is looked up, interpolated linearly between nodes, and the mean is taken, so
that the edge of a shadow is filtered like the edge of an object.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from datagen.render.compiled import inlined, inner
from datagen.render.raster.fragments import bits_of, same_pixel
from datagen.render.raster.lattice import (
    BITS,
    CELL_BITS,
    CELLS,
    FACING_AWAY,
    FIELD,
    FULL,
    KNOWN,
    LAMPS_PER_WORD,
    NODES,
    SIDE,
    Lattice,
    find_page,
    key_of,
    level_of,
)
from datagen.render.raster.samples import Samples
from datagen.render.vectors import Records

DENSITY = (2.0, 0.25)
"""Sub-pixels between nodes, at most: where those around a pixel agree, and where they do not."""
DENSITY_OF_MANY = (1.0, 1.0)
"""The same where a pixel has several sub-pixels, which are averaged again."""
LEAST_COSINE = 0.1
"""Surfaces that are seen more edge-on than this get no coarser nodes."""

RECENT = 64
"""A power of two."""
MOVES = -(1 << 62)


class Statics(NamedTuple):
    """Static triangles, and what all triangles belong to."""

    first: NDArray[np.int64]
    """(I,) add a row of the table of triangles for the static triangle's number; MOVES if none."""
    edge: NDArray[np.float32]
    """(S, 2) lengths of the edges along u and v [m]."""
    widest: NDArray[np.int8]
    """(S,) corner that they start from."""
    surface: NDArray[np.int32]
    """(T,) smooth surface of a mesh."""


class Wanted(NamedTuple):
    """What was missing; what finds no room is asked for again."""

    keys: NDArray[np.uint64]
    """Pages."""
    nodes: NDArray[np.int64]
    """As `node_at`."""
    sizes: NDArray[np.int64]
    """(2,) how many of each."""
    recent: NDArray[np.uint64]
    """(RECENT, 2) keys of pages that were found, and the pages: neighbours look at the same."""


class Nodes(NamedTuple):
    """What is known of static shadows, and what turned out to be missing."""

    lattice: Lattice
    wanted: Wanted


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
    for k in range(RECENT):
        nodes.wanted.recent[k, 0] = np.uint64(0)
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
            _add_same(fragment.node, fragment.count, lattice, visible, fragment.point)
        elif fragment.known:
            fragment.known = _add_samples(fragment, place, samples, nodes, visible)
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
    _compare(fragment, place, nodes)
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


@inlined
def _compare(fragment: Any, place: tuple[int, int], nodes: Nodes) -> None:
    """Write whether the nodes around a fragment's pixel are known, and one if they are alike.

    `place` is the surface and the corner that its lattice starts from.
    """
    lattice, wanted = nodes.lattice, nodes.wanted
    known, same, one = True, True, np.int64(-1 - 3 * place[0])
    for k in range(lattice.page.shape[1]):
        if fragment.level[0] == 0 and fragment.level[1] == 0:
            both, either = _words_of_corners(place[0], k, lattice)
        else:
            both, either, one = _words_around(fragment, place, k, nodes, False)
        known &= both & np.uint32(KNOWN) != 0
        same &= both == either
    if not known and fragment.level[0] == 0 and fragment.level[1] == 0:
        for c in range(3):
            _want_node(-1 - 3 * place[0] - c, wanted)
    elif not known:
        _words_around(fragment, place, 0, nodes, True)
    fragment.known = known
    fragment.node = one if same and known else 0


@inlined
def _words_of_corners(surface: int, k: int, lattice: Lattice) -> tuple[np.uint32, np.uint32]:
    """Word k of a triangle's corners: bits that all have, and bits that any has."""
    a, b = lattice.corner[3 * surface, k], lattice.corner[3 * surface + 1, k]
    c = lattice.corner[3 * surface + 2, k]
    return a & b & c, a | b | c


@inlined
def _words_around(
    fragment: Any, place: tuple[int, int], k: int, nodes: Nodes, ask: bool
) -> tuple[np.uint32, np.uint32, np.int64]:
    """Word k of all nodes around a pixel: bits that all have, bits that any has; one node.

    A page that is not there counts as unknown and is asked for; so are unknown nodes if `ask`.
    """
    lattice, wanted = nodes.lattice, nodes.wanted
    surface, corner = place
    level = (np.int64(fragment.level[0]), np.int64(fragment.level[1]))
    across, along = np.int64(1) << level[0], np.int64(1) << level[1]
    half, zero = np.float32(0.5), np.float32(0.0)
    b1, b2 = _inside(fragment, half, half)
    u, v = _turned(b1, b2, np.float32(1.0), corner)
    right = _turned(fragment.right[0], fragment.right[1], zero, corner)
    down = _turned(fragment.down[0], fragment.down[1], zero, corner)
    i0, i1 = _cells(u, (abs(right[0]) + abs(down[0])) * half, across)
    j0, j1 = _cells(v, (abs(right[1]) + abs(down[1])) * half, along)
    both, either, one = ~np.uint32(0), np.uint32(0), np.int64(0)
    for row in range(j0 >> CELL_BITS, (j1 >> CELL_BITS) + 1):
        for column in range(i0 >> CELL_BITS, (i1 >> CELL_BITS) + 1):
            i, j = max(i0, column * CELLS), max(j0, row * CELLS)
            if i * along + j * across >= across * along:
                continue
            key = key_of(surface, level, column, row)
            page = _page_of(key, nodes)
            if page == 0:
                both = np.uint32(0)
                _want_page(key, wanted)
                continue
            base = page * NODES - row * CELLS * SIDE - column * CELLS
            for y in range(j, min(j1, row * CELLS + CELLS - 1) + 2):
                left = across * along - max(y - 1, 0) * across
                for x in range(i, min(i1, column * CELLS + CELLS - 1) + 2):
                    if max(x - 1, 0) * along < left:
                        one = base + y * SIDE + x
                        word = lattice.page[one, k]
                        both &= word
                        either |= word
                        if ask:
                            _want_if_unknown(one, lattice, wanted)
    return both, either, one


@inlined
def _turned(
    b1: np.floating, b2: np.floating, total: np.floating, corner: int
) -> tuple[np.floating, np.floating]:
    """Barycentric coordinates of the corners after `corner`; all three add up to `total`."""
    b0 = total - b1 - b2
    return (b1, b2) if corner == 0 else ((b2, b0) if corner == 1 else (b0, b1))


@inlined
def _cells(middle: np.floating, reach: np.floating, parts: int) -> tuple[np.int64, np.int64]:
    """First and last cell that an interval of u or v touches."""
    size, zero = np.float32(parts), np.float32(0.0)
    last = size - np.float32(1.0)
    low = np.int64(min(max((middle - reach) * size, zero), last))
    return low, np.int64(min(max((middle + reach) * size, zero), last))


@inlined
def _inside(fragment: Any, x: float, y: float) -> tuple[np.floating, np.floating]:
    """b_1 and b_2 at a place in the fragment's pixel."""
    dx = np.float32(x + fragment.column - fragment.place[0])
    dy = np.float32(y + fragment.row - fragment.place[1])
    return (
        fragment.inside[0] + dx * fragment.right[0] + dy * fragment.down[0],
        fragment.inside[1] + dx * fragment.right[1] + dy * fragment.down[1],
    )


@inlined
def _page_of(key: np.uint64, nodes: Nodes) -> np.int64:
    """The page of a key, 0 when there is none."""
    place = (key >> np.uint64(32)) + (key >> np.uint64(12)) + key
    found = nodes.wanted.recent[np.int64(place & np.uint64(RECENT - 1))]
    if found[0] != key:
        found[1] = np.uint64(find_page(nodes.lattice.slot_key, nodes.lattice.slot_page, key))
        found[0] = key
    return np.int64(found[1])


@inlined
def _add_samples(
    fragment: Any,
    place: tuple[int, int],
    samples: Samples,
    nodes: Nodes,
    visible: NDArray[np.float32],
) -> bool:
    """Add what every sample of a fragment sees, interpolated between nodes.

    Returns:
        Whether all nodes were known; if not, the sum is good for nothing.
    """
    known = True
    bits, k = fragment.samples & samples.looks, fragment.sub * samples.side
    if bits == np.uint64(0):
        bits = fragment.samples
    share = np.float32(fragment.count) / np.float32(bits_of(bits))
    while bits != np.uint64(0):
        if bits & np.uint64(1) != np.uint64(0):
            b1, b2 = _inside(fragment, samples.place[k, 0], samples.place[k, 1])
            known &= _add_sample(fragment, place, b1, b2, share, nodes, visible)
        bits >>= np.uint64(1)
        k += 1
    return known


@inlined
def _add_sample(
    fragment: Any,
    place: tuple[int, int],
    b1: np.floating,
    b2: np.floating,
    share: np.floating,
    nodes: Nodes,
    visible: NDArray[np.float32],
) -> bool:
    """Add `share` of what one place sees; whether the nodes around it were known."""
    if fragment.level[0] == 0 and fragment.level[1] == 0:
        node, weight = _between_corners(place[0], b1, b2)
    else:
        key, cell, weight = _cell_around(fragment, place, b1, b2)
        page = _page_of(key, nodes)
        if page == 0:
            _want_page(key, nodes.wanted)
            return False
        at = page * NODES + cell
        node = (at, at + 1, at + SIDE, at + SIDE + 1)
    known = True
    for c in range(4):
        known &= _want_if_unknown(node[c], nodes.lattice, nodes.wanted)
    _add_mean(node, weight, share, nodes.lattice, visible, fragment.point)
    return known


Four = tuple[Any, Any, Any, Any]


@inlined
def _between_corners(surface: int, b1: np.floating, b2: np.floating) -> tuple[Four, Four]:
    """The corners of a triangle and their weights."""
    zero, one = np.float32(0.0), np.float32(1.0)
    u, v = min(max(b1, zero), one), min(max(b2, zero), one)
    first = -1 - 3 * surface
    return (first, first - 1, first - 2, first), (max(one - u - v, zero), u, v, zero)


@inlined
def _cell_around(
    fragment: Any, place: tuple[int, int], b1: np.floating, b2: np.floating
) -> tuple[np.uint64, np.int64, Four]:
    """The page of the cell that a place lies in, the cell's first node there, and the weights."""
    surface, corner = place
    level = (np.int64(fragment.level[0]), np.int64(fragment.level[1]))
    zero, one = np.float32(0.0), np.float32(1.0)
    across, along = np.int64(1) << level[0], np.int64(1) << level[1]
    u, v = _turned(b1, b2, one, corner)
    v = min(max(v, zero), one)
    u = min(max(u, zero), one - v) * np.float32(across)
    v = v * np.float32(along)
    i, j = min(np.int64(u), across - 1), min(np.int64(v), along - 1)
    if i > 0 and i * along + j * across >= across * along:
        i -= 1
    u, v = min(u - np.float32(i), one), min(v - np.float32(j), one)
    weight = ((one - u) * (one - v), u * (one - v), (one - u) * v, u * v)
    key = key_of(surface, level, i >> CELL_BITS, j >> CELL_BITS)
    return key, (j & (CELLS - 1)) * SIDE + (i & (CELLS - 1)), weight


@inlined
def _want_page(key: int, wanted: Wanted) -> None:
    if wanted.sizes[0] < len(wanted.keys):
        wanted.keys[wanted.sizes[0]] = key
        wanted.sizes[0] += 1


@inlined
def _want_node(node: int, wanted: Wanted) -> None:
    if wanted.sizes[1] < len(wanted.nodes):
        wanted.nodes[wanted.sizes[1]] = node
        wanted.sizes[1] += 1


@inlined
def _want_if_unknown(node: int, lattice: Lattice, wanted: Wanted) -> bool:
    """Whether a node was known."""
    common = np.uint32(KNOWN)
    for k in range(lattice.page.shape[1]):
        common &= _word(node, k, lattice)
    if common == np.uint32(0):
        _want_node(node, wanted)
    return common != np.uint32(0)


@inlined
def _word(node: int, k: int, lattice: Lattice) -> int:
    if node < 0:
        return lattice.corner[-1 - node, k]
    return lattice.page[node, k]


@inlined
def _add_same(
    node: int, count: int, lattice: Lattice, visible: NDArray[np.float32], point: int
) -> None:
    for lamp in range(visible.shape[1]):
        seen = _field(_word(node, lamp // LAMPS_PER_WORD, lattice), lamp)
        part = FULL if seen == FACING_AWAY else seen
        visible[point, lamp] += np.float32(count * part) * np.float32(1.0 / FULL)


@inlined
def _add_mean(
    node: tuple[int, int, int, int],
    weight: tuple[np.floating, np.floating, np.floating, np.floating],
    times: np.floating,
    lattice: Lattice,
    visible: NDArray[np.float32],
    point: int,
) -> None:
    """Add `times` the weighted mean of the nodes that face each lamp."""
    for lamp in range(visible.shape[1]):
        k = lamp // LAMPS_PER_WORD
        first = _field(_word(node[0], k, lattice), lamp)
        total = sure = np.float32(0.0)
        same = True
        for c in range(4):
            seen = _field(_word(node[c], k, lattice), lamp)
            same &= seen == first
            facing = np.float32(0.0) if seen == FACING_AWAY else weight[c]
            total += facing * np.float32(seen)
            sure += facing
        if same or sure <= np.float32(1e-6):
            total = np.float32(first if same and first != FACING_AWAY else FULL)
            sure = np.float32(1.0)
        visible[point, lamp] += times * total / (sure * np.float32(FULL))


@inlined
def _field(word: np.uint32, lamp: int) -> np.int64:
    return np.int64((word >> np.uint32(BITS * (lamp % LAMPS_PER_WORD))) & np.uint32(FIELD))

"""What samples see of lamps, between the nodes of a lattice.

Each sample of a fragment, or a quarter of many, is looked up, interpolated linearly between nodes,
and the mean is taken, so that the edge of a shadow is filtered like the edge of an object.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from datagen.render.compiled import inlined
from datagen.render.raster.fragments import bits_of, inside_at
from datagen.render.raster.lattice import (
    CELL_BITS,
    CELLS,
    FACING_AWAY,
    FULL,
    LAMPS_PER_WORD,
    NODES,
    SIDE,
    Lattice,
    key_of,
    turned,
)
from datagen.render.raster.lattice_read import (
    Nodes,
    field,
    page_of,
    want_if_unknown,
    want_page,
    word_of,
)
from datagen.render.raster.samples import Samples

Four = tuple[Any, Any, Any, Any]


@inlined
def add_same(
    node: int, count: int, lattice: Lattice, visible: NDArray[np.float32], point: int
) -> None:
    """Add `count` times what a node sees to what a point sees."""
    for lamp in range(visible.shape[1]):
        seen = field(word_of(node, lamp // LAMPS_PER_WORD, lattice), lamp)
        part = FULL if seen == FACING_AWAY else seen
        visible[point, lamp] += np.float32(count * part) * np.float32(1.0 / FULL)


@inlined
def add_samples(
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
            b1, b2 = inside_at(fragment, samples.place[k, 0], samples.place[k, 1])
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
        page = page_of(key, nodes)
        if page == 0:
            want_page(key, nodes.wanted)
            return False
        at = page * NODES + cell
        node = (at, at + 1, at + SIDE, at + SIDE + 1)
    known = True
    for c in range(4):
        known &= want_if_unknown(node[c], nodes.lattice, nodes.wanted)
    _add_mean(node, weight, share, nodes.lattice, visible, fragment.point)
    return known


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
    u, v = turned(b1, b2, one, corner)
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
        first = field(word_of(node[0], k, lattice), lamp)
        total = sure = np.float32(0.0)
        same = True
        for c in range(4):
            seen = field(word_of(node[c], k, lattice), lamp)
            same &= seen == first
            facing = np.float32(0.0) if seen == FACING_AWAY else weight[c]
            total += facing * np.float32(seen)
            sure += facing
        if same or sure <= np.float32(1e-6):
            total = np.float32(first if same and first != FACING_AWAY else FULL)
            sure = np.float32(1.0)
        visible[point, lamp] += times * total / (sure * np.float32(FULL))

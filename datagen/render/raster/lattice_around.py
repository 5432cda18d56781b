"""The lattice nodes around a pixel: whether all of them are known, and alike."""

from __future__ import annotations

from typing import Any

import numpy as np

from datagen.render.compiled import inlined
from datagen.render.raster.fragments import inside_at
from datagen.render.raster.lattice import (
    CELL_BITS,
    CELLS,
    KNOWN,
    NODES,
    SIDE,
    Lattice,
    key_of,
    turned,
)
from datagen.render.raster.lattice_read import Nodes, page_of, want_if_unknown, want_node, want_page


@inlined
def compare(fragment: Any, place: tuple[int, int], nodes: Nodes) -> None:
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
            want_node(-1 - 3 * place[0] - c, wanted)
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
    b1, b2 = inside_at(fragment, half, half)
    u, v = turned(b1, b2, np.float32(1.0), corner)
    right = turned(fragment.right[0], fragment.right[1], zero, corner)
    down = turned(fragment.down[0], fragment.down[1], zero, corner)
    i0, i1 = _cells(u, (abs(right[0]) + abs(down[0])) * half, across)
    j0, j1 = _cells(v, (abs(right[1]) + abs(down[1])) * half, along)
    both, either, one = ~np.uint32(0), np.uint32(0), np.int64(0)
    for row in range(j0 >> CELL_BITS, (j1 >> CELL_BITS) + 1):
        for column in range(i0 >> CELL_BITS, (i1 >> CELL_BITS) + 1):
            i, j = max(i0, column * CELLS), max(j0, row * CELLS)
            if i * along + j * across >= across * along:
                continue
            key = key_of(surface, level, column, row)
            page = page_of(key, nodes)
            if page == 0:
                both = np.uint32(0)
                want_page(key, wanted)
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
                            want_if_unknown(one, lattice, wanted)
    return both, either, one


@inlined
def _cells(middle: np.floating, reach: np.floating, parts: int) -> tuple[np.int64, np.int64]:
    """First and last cell that an interval of u or v touches."""
    size, zero = np.float32(parts), np.float32(0.0)
    last = size - np.float32(1.0)
    low = np.int64(min(max((middle - reach) * size, zero), last))
    return low, np.int64(min(max((middle + reach) * size, zero), last))

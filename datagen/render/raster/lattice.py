"""Which lamps a static surface sees, remembered at nodes that are fixed on the surface.

Every static triangle carries lattices on each side. Level (k, l) splits the edges at its widest
corner into 2^k and 2^l parts: with barycentric u, v along them its nodes lie at u = i / 2^k,
v = j / 2^l, those beyond the third edge at u, v over u + v, which is on it. What a node sees depends
on the node alone, so that a shadow stays where it is while the camera moves, and neither order nor
threads nor a full memory change a bit.

A node is a run of 32-bit words: the top bit says that it is known, seven bits for each of four
lamps hold how many of 64 points of the lamp it sees, or FACING_AWAY. Nodes of level (0, 0) are in a
table by triangle; those of other levels are in pages of 8 x 8 cells, made when they are first
needed and found by hashing.

Threads may read while one of them (under a lock) adds pages: a page is zero, hence unknown, until
its nodes are written, each in one go and always with the same value.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from datagen.render.compiled import inlined, kernel

LAMPS_PER_WORD = 4
BITS = 7
FIELD = 127
FULL = 64
FACING_AWAY = 127
KNOWN = 1 << 31

CELL_BITS = 3
CELLS = 1 << CELL_BITS
SIDE = CELLS + 1
"""Nodes of a page's side; those on its border belong to several pages."""
NODES = SIDE * SIDE
FINEST = 15


class Lattice(NamedTuple):
    """The nodes known so far. A surface is one side of a static triangle."""

    corner: NDArray[np.uint32]
    """(3 surfaces, words) level (0, 0), by surface and corner."""
    page: NDArray[np.uint32]
    """(NODES pages, words) by page, row and column; page 0 stays unknown."""
    page_key: NDArray[np.uint64]
    """(pages,) what a page is of."""
    slot_key: NDArray[np.uint64]
    """(slots,) hashed keys, 0 where free; a power of two."""
    slot_page: NDArray[np.int32]
    """(slots,) page of the key."""


def empty_lattice(surfaces: int, pages: int, words: int) -> Lattice:
    """A lattice with nothing known; its memory is taken as it fills."""
    slots = 1 << (2 * pages - 1).bit_length()
    return Lattice(
        np.zeros((surfaces * 3, words), np.uint32),
        np.zeros((pages * NODES, words), np.uint32),
        np.zeros(pages, np.uint64),
        np.zeros(slots, np.uint64),
        np.zeros(slots, np.int32),
    )


@inlined
def level_of(edge: np.floating, spacing: np.floating) -> np.int64:
    """The coarsest level that splits an edge into parts no longer than `spacing`."""
    parts = np.float32(edge / spacing) * np.float32(1.0 - 2.0**-22)
    above = np.float32(max(parts, np.float32(1.0))).view(np.int32) >> np.int32(23)
    return min(np.int64(above) - 126, np.int64(FINEST)) if parts > np.float32(1.0) else np.int64(0)


@inlined
def key_of(surface: int, level: tuple[int, int], column: int, row: int) -> np.uint64:
    """Key of a page: 32 bits surface, 4 and 4 level, 12 column, 12 row; 0 is none's."""
    levels = np.uint64(level[0]) << np.uint64(28) | np.uint64(level[1]) << np.uint64(24)
    place = np.uint64(column) << np.uint64(12) | np.uint64(row)
    return np.uint64(surface) << np.uint64(32) | levels | place


@inlined
def meaning_of(key: np.uint64) -> tuple[np.int64, np.int64, np.int64, np.int64, np.int64]:
    """Surface, levels, column and row of a page."""
    return (
        np.int64(key >> np.uint64(32)),
        np.int64((key >> np.uint64(28)) & np.uint64(15)),
        np.int64((key >> np.uint64(24)) & np.uint64(15)),
        np.int64((key >> np.uint64(12)) & np.uint64(4095)),
        np.int64(key & np.uint64(4095)),
    )


@inlined
def turned(
    b1: np.floating, b2: np.floating, total: np.floating, corner: int
) -> tuple[np.floating, np.floating]:
    """Barycentric coordinates of the corners after `corner`; all three add up to `total`."""
    b0 = total - b1 - b2
    return (b1, b2) if corner == 0 else ((b2, b0) if corner == 1 else (b0, b1))


@inlined
def _first_slot(key: np.uint64, slots: int) -> np.int64:
    mixed = key * np.uint64(0x9E3779B97F4A7C15)
    return np.int64((mixed ^ (mixed >> np.uint64(31))) & np.uint64(slots - 1))


@inlined
def find_page(
    slot_key: NDArray[np.uint64], slot_page: NDArray[np.int32], key: np.uint64
) -> np.int64:
    """The page of a key, 0 when there is none."""
    s = _first_slot(key, len(slot_key))
    while slot_key[s] != np.uint64(0) and slot_key[s] != key:
        s = (s + 1) & (len(slot_key) - 1)
    return np.int64(slot_page[s])


@kernel
def add_pages(
    page_key: NDArray[np.uint64],
    slot_key: NDArray[np.uint64],
    slot_page: NDArray[np.int32],
    keys: NDArray[np.uint64],
    pages: int,
) -> int:
    """Make pages for keys that have none; the arrays are a lattice's.

    Returns:
        How many pages there are now, page 0 included; -1 when there is no room for all.
    """
    for key in keys:
        if find_page(slot_key, slot_page, key) != 0:
            continue
        if pages >= len(page_key):
            return -1
        s = _first_slot(key, len(slot_key))
        while slot_key[s] != np.uint64(0):
            s = (s + 1) & (len(slot_key) - 1)
        page_key[pages] = key
        slot_page[s] = pages
        slot_key[s] = key
        pages += 1
    return pages

"""Reading the nodes of a lattice, and asking for those that are missing."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from datagen.render.compiled import inlined
from datagen.render.raster.lattice import BITS, FIELD, KNOWN, LAMPS_PER_WORD, Lattice, find_page

WANTED = 2**18
RECENT = 64
"""A power of two."""


class Wanted(NamedTuple):
    """What was missing; what finds no room is asked for again."""

    keys: NDArray[np.uint64]
    """Pages."""
    nodes: NDArray[np.int64]
    """A row of `Lattice.page`, or -1 - row of `Lattice.corner`."""
    sizes: NDArray[np.int64]
    """(2,) how many of each."""
    recent: NDArray[np.uint64]
    """(RECENT, 2) keys of pages that were found, and the pages: neighbours look at the same."""


class Nodes(NamedTuple):
    """What is known of static shadows, and what turned out to be missing."""

    lattice: Lattice
    wanted: Wanted


def new_wanted() -> Wanted:
    """Nothing wanted yet."""
    return Wanted(
        keys=np.empty(WANTED, np.uint64),
        nodes=np.empty(WANTED, np.int64),
        sizes=np.zeros(2, np.int64),
        recent=np.zeros((RECENT, 2), np.uint64),
    )


@inlined
def forget_recent(wanted: Wanted) -> None:
    """Start anew with pages that were found."""
    for k in range(RECENT):
        wanted.recent[k, 0] = np.uint64(0)


@inlined
def page_of(key: np.uint64, nodes: Nodes) -> np.int64:
    """The page of a key, 0 when there is none."""
    place = (key >> np.uint64(32)) + (key >> np.uint64(12)) + key
    found = nodes.wanted.recent[np.int64(place & np.uint64(RECENT - 1))]
    if found[0] != key:
        found[1] = np.uint64(find_page(nodes.lattice.slot_key, nodes.lattice.slot_page, key))
        found[0] = key
    return np.int64(found[1])


@inlined
def want_page(key: int, wanted: Wanted) -> None:
    """Ask for a page."""
    if wanted.sizes[0] < len(wanted.keys):
        wanted.keys[wanted.sizes[0]] = key
        wanted.sizes[0] += 1


@inlined
def want_node(node: int, wanted: Wanted) -> None:
    """Ask for a node."""
    if wanted.sizes[1] < len(wanted.nodes):
        wanted.nodes[wanted.sizes[1]] = node
        wanted.sizes[1] += 1


@inlined
def want_if_unknown(node: int, lattice: Lattice, wanted: Wanted) -> bool:
    """Whether a node is known; asks for it if not."""
    common = np.uint32(KNOWN)
    for k in range(lattice.page.shape[1]):
        common &= word_of(node, k, lattice)
    if common == np.uint32(0):
        want_node(node, wanted)
    return common != np.uint32(0)


@inlined
def word_of(node: int, k: int, lattice: Lattice) -> int:
    """Word k of a node."""
    if node < 0:
        return lattice.corner[-1 - node, k]
    return lattice.page[node, k]


@inlined
def field(word: np.uint32, lamp: int) -> np.int64:
    """How many of FULL points of a lamp a node sees, or FACING_AWAY, from the lamp's word."""
    return np.int64((word >> np.uint32(BITS * (lamp % LAMPS_PER_WORD))) & np.uint32(FIELD))

"""The lattice of one scene, filled as pictures ask for it, shared by threads."""

from __future__ import annotations

import threading

import numpy as np
from numpy.typing import NDArray

from datagen.render.raster.lattice import LAMPS_PER_WORD, Lattice, add_pages, empty_lattice
from datagen.render.raster.lattice_fill import seen_by, write_nodes
from datagen.render.raster.lattice_places import place_nodes
from datagen.render.raster.lattice_read import Nodes
from datagen.render.raster.statics import Statics, static_triangles
from datagen.render.tracer import Surroundings, Tracer
from datagen.render.vectors import Records
from datagen.scenes.model import Scene

PAGES = 2**19
"""Pages before everything is forgotten (what is needed is found out again, to the same bits)."""
NODES_AT_ONCE = 2**14
PAGES_PER_KEY = 8
"""After all was forgotten there is room for so many times what one picture asked for at once."""


class StaticShadows:
    """What static surfaces see of the lamps."""

    def __init__(
        self, scene: Scene, lamps: Records, rest: Surroundings, statics: Statics, tracer: Tracer
    ) -> None:
        """Know nothing yet.

        Args:
            scene: whose shadows.
            lamps: its LAMP records.
            rest: its tables, at rest.
            statics: its static triangles.
            tracer: its rays.
        """
        self._lamps = lamps
        self._tracer = tracer
        self._rest = rest
        self._instance, self._triangle = static_triangles(scene)
        self._widest = statics.widest
        self._lock = threading.Lock()
        self._words = max(-(-len(lamps) // LAMPS_PER_WORD), 1)
        self._forget(PAGES)

    def _forget(self, pages: int) -> None:
        """Start anew, with room for `pages`."""
        self.lattice = empty_lattice(2 * len(self._instance), pages, self._words)
        self._pages = 1

    def fill(self, nodes: Nodes) -> None:
        """Make what is wanted known, or some of it: what is still missing is asked for again."""
        wanted, lattice = nodes.wanted, nodes.lattice
        keys = np.unique(wanted.keys[: wanted.sizes[0]])
        missing = np.unique(wanted.nodes[: wanted.sizes[1]])
        wanted.sizes[:] = 0
        if self._add_pages(keys, lattice):
            self._look(missing, lattice)

    def _add_pages(self, keys: NDArray[np.uint64], lattice: Lattice) -> bool:
        """Whether there was room; another thread may have forgotten `lattice` meanwhile."""
        with self._lock:
            if lattice is not self.lattice:
                return False
            pages = add_pages(
                lattice.page_key, lattice.slot_key, lattice.slot_page, keys, self._pages
            )
            if pages < 0:
                self._forget(max(PAGES, PAGES_PER_KEY * len(keys)))
                return False
            self._pages = pages
            return True

    def _look(self, nodes: NDArray[np.int64], lattice: Lattice) -> None:
        """Find out what nodes see."""
        for first in range(0, len(nodes), NODES_AT_ONCE):
            which = nodes[first : first + NODES_AT_ONCE]
            places = place_nodes(
                which, lattice.page_key, self._instance, self._triangle, self._widest,
                self._rest.frames, self._rest.points, self._rest.triangles,
            )  # fmt: skip
            seen = seen_by(places, self._lamps, self._tracer, self._rest)
            write_nodes(which, seen, lattice.corner, lattice.page)

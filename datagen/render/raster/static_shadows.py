"""The lattice of one scene, filled as pictures ask for it, shared by threads."""

from __future__ import annotations

import threading

import numpy as np
from numpy.typing import NDArray

from datagen.render.geometry import first_triangles
from datagen.render.raster.lattice import LAMPS_PER_WORD, Lattice, add_pages, empty_lattice
from datagen.render.raster.lattice_fill import place_nodes, seen_by, write_nodes
from datagen.render.raster.shadows import MOVES, RECENT, Nodes, Statics, Wanted
from datagen.render.tracer import Surroundings, Tracer
from datagen.render.vectors import Records
from datagen.scenes.model import Scene

PAGES = 2**19
"""Pages before everything is forgotten (what is needed is found out again, to the same bits)."""
WANTED = 2**18
NODES_AT_ONCE = 2**14
PAGES_PER_KEY = 8
"""After all was forgotten there is room for so many times what one picture asked for at once."""


def new_wanted() -> Wanted:
    """Nothing wanted yet."""
    return Wanted(
        keys=np.empty(WANTED, np.uint64),
        nodes=np.empty(WANTED, np.int64),
        sizes=np.zeros(2, np.int64),
        recent=np.zeros((RECENT, 2), np.uint64),
    )


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
        self._instance, self._triangle = _static_triangles(scene)
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


def _static_triangles(scene: Scene) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Instance and row in the table of triangles of every static triangle."""
    starts = first_triangles(scene)
    instance, triangle = [np.empty(0, np.int32)], [np.empty(0, np.int32)]
    for i, x in enumerate(scene.instances):
        if not x.moving:
            rows = np.arange(starts[x.mesh], starts[x.mesh + 1], dtype=np.int32)
            instance.append(np.full(len(rows), i, np.int32))
            triangle.append(rows)
    return np.concatenate(instance), np.concatenate(triangle)


def static_tables(scene: Scene, rest: Surroundings, surface: NDArray[np.int32]) -> Statics:
    """Numbers and sizes of the static triangles."""
    starts = first_triangles(scene)
    first = np.full(len(scene.instances), MOVES, np.int64)
    edge, widest = [np.empty((0, 2), np.float32)], [np.empty(0, np.int8)]
    count = 0
    for i, x in enumerate(scene.instances):
        if not x.moving:
            first[i] = count - starts[x.mesh]
            corner = rest.points[rest.triangles["corner"][starts[x.mesh] : starts[x.mesh + 1]]]
            lengths, at = _widest_corner(corner @ x.world_from_object[:3, :3].T)
            edge.append(lengths)
            widest.append(at)
            count += len(corner)
    return Statics(first, np.concatenate(edge), np.concatenate(widest), surface)


def _widest_corner(corner: NDArray[np.float64]) -> tuple[NDArray[np.float32], NDArray[np.int8]]:
    """The corner opposite the longest edge, and the lengths of the edges from it, in order."""
    side = np.linalg.norm(np.roll(corner, -1, axis=1) - corner, axis=2)
    widest = (np.argmax(side, axis=1) + 2) % 3
    row = np.arange(len(corner))
    lengths = np.stack([side[row, widest], side[row, (widest + 2) % 3]], axis=1)
    return lengths.astype(np.float32), widest.astype(np.int8)

"""The lattice of one scene, filled as pictures ask for it, shared by threads."""

from __future__ import annotations

import threading

import numpy as np
from numpy.typing import NDArray

from datagen.render.geometry import first_triangles
from datagen.render.raster.lattice import LAMPS_PER_WORD, add_pages, empty_lattice
from datagen.render.raster.lattice_fill import lamp_sequence, place_nodes, seen_by, write_nodes
from datagen.render.raster.shadows import MOVES, Statics, Wanted
from datagen.render.tracer import Surroundings, Tracer
from datagen.render.vectors import Records
from datagen.scenes.model import Scene

PAGES = 2**19
"""Pages before everything is forgotten (what is needed is found out again, to the same bits)."""
WANTED = 2**18


class StaticShadows:
    """What static surfaces see of the lamps."""

    def __init__(
        self, scene: Scene, lamps: Records, tracer: Tracer, rest: Surroundings, statics: Statics
    ) -> None:
        self._lamps = lamps
        self._tracer = tracer
        self._rest = rest
        self._instance, self._triangle = _static_triangles(scene)
        self._widest = statics.widest
        self._points = lamp_sequence()
        self._lock = threading.Lock()
        self.words = max(-(-len(lamps) // LAMPS_PER_WORD), 1)
        self._forget()

    def _forget(self) -> None:
        self.lattice = empty_lattice(2 * len(self._instance), PAGES, self.words)
        self._pages = 1

    def fill(self, wanted: Wanted) -> None:
        """Make what is wanted known."""
        keys = np.unique(wanted.keys[: wanted.count[0]])
        nodes = np.unique(wanted.nodes[: wanted.count[1]])
        wanted.count[:] = 0
        with self._lock:
            lattice = self.lattice
            pages = add_pages(
                lattice.page_key, lattice.slot_key, lattice.slot_page, keys, self._pages
            )
            if pages < 0:
                self._forget()
                return
            self._pages = pages
        for first in range(0, len(nodes), 2**14):
            which = nodes[first : first + 2**14]
            places = place_nodes(
                which, lattice.page_key, self._instance, self._triangle, self._widest,
                self._rest.frames, self._rest.points, self._rest.triangles,
            )  # fmt: skip
            seen = seen_by(places, self._lamps, self._points, self._tracer, self._rest)
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

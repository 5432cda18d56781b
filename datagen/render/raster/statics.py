"""Static triangles: their numbers, the edges that their lattices run along, their smooth surfaces."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from datagen.render.geometry import first_triangles
from datagen.render.tracer import Surroundings
from datagen.scenes.model import Scene

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


def static_triangles(scene: Scene) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
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

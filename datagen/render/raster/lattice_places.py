"""Where the nodes of a lattice are: places on static triangles, in the world.

A node is lifted as every shadow ray's start (`geometry.lifted`).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from datagen.render.compiled import inlined, kernel
from datagen.render.geometry import edges, lifted
from datagen.render.raster.lattice import CELLS, NODES, SIDE, meaning_of
from datagen.render.vectors import (
    Records,
    Vector,
    add,
    cross,
    dot,
    normalized,
    row,
    scaled,
    turned_back,
)

NODE = np.dtype([("start", np.float64, 3), ("normal", np.float64, 3)])


@kernel
def place_nodes(
    which: NDArray[np.int64],
    page_key: NDArray[np.uint64],
    instance_of: NDArray[np.int32],
    triangle_of: NDArray[np.int32],
    widest: NDArray[np.int8],
    frames: Records,
    points: NDArray[np.float64],
    triangles: Records,
) -> Records:
    """Where nodes are, NODE records.

    Args:
        which: nodes, as in `lattice_read.Wanted`.
        page_key: keys of all pages.
        instance_of: (S,) instance of each static triangle.
        triangle_of: (S,) its row in the table of triangles.
        widest: (S,) see `statics.Statics`.
        frames: FRAME records.
        points: points of all meshes.
        triangles: TRIANGLE records.
    """
    out = np.empty(len(which), NODE)
    for n in range(len(which)):
        surface, weight = _meaning(which[n], page_key, widest)
        triangle = triangles[triangle_of[surface // 2]]
        frame = frames[instance_of[surface // 2]]
        side = -1.0 if surface % 2 else 1.0
        _, e1, e2 = edges(points, triangle.corner)
        flat = cross(e1, e2)
        start = lifted(points, triangle, weight, side, flat, frame)
        normal = (0.0, 0.0, 0.0)
        for k in range(3):
            normal = add(normal, scaled(row(triangle.normal, k), weight[k]))
        if dot(normal, normal) == 0.0:
            normal = flat
        normal = normalized(turned_back(frame.object_from_world, scaled(normal, side)))
        for axis in range(3):
            out[n].start[axis] = start[axis]
            out[n].normal[axis] = normal[axis]
    return out


@inlined
def _meaning(
    node: int, page_key: NDArray[np.uint64], widest: NDArray[np.int8]
) -> tuple[int, Vector]:
    """Surface of a node and its barycentric place."""
    if node < 0:
        corner = (-1 - node) % 3
        return (-1 - node) // 3, _at(corner, (1.0, 0.0, 0.0))
    surface, across, along, column, row = meaning_of(page_key[node // NODES])
    local = node % NODES
    u = (column * CELLS + local % SIDE) / float(np.int64(1) << across)
    v = (row * CELLS + local // SIDE) / float(np.int64(1) << along)
    beyond = max(u + v, 1.0)
    u, v = u / beyond, v / beyond
    return surface, _at(widest[surface // 2], (1.0 - u - v, u, v))


@inlined
def _at(corner: int, b: Vector) -> Vector:
    """Barycentric coordinates counted from `corner`, counted from the first."""
    if corner == 0:
        return b
    return (b[2], b[0], b[1]) if corner == 1 else (b[1], b[2], b[0])

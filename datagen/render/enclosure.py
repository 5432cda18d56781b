"""Is a camera inside an object?

Rule: it is when, in all of 14 directions, the nearest surface is the back face of one and the same
instance. Only a closed object can answer so; from within an open shell, or a hall with things in
it, some direction meets something else. A box that is meant to be seen from inside has its front
faces inside. Cut-out triangles count as solid.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from datagen.render.geometry import edges, frames_at, points_table, rest_frames, triangle_table
from datagen.render.materials import material_table
from datagen.render.textures import texture_tables
from datagen.render.tracer import RAY, Surroundings, Tracer
from datagen.render.vectors import Records, cross, dot, turned, vector
from datagen.scenes.model import Scene
from schemas.arrays import Views


def enclosing_instance(scene: Scene, views: Views) -> NDArray[np.int64]:
    """For every view the index into `Scene.instances` of what the camera is inside of, or -1.

    Args:
        scene: the scene.
        views: camera and moving objects at N instants.

    Returns:
        Shape (N,).
    """
    points, triangles = points_table(scene), triangle_table(scene)
    tracer = Tracer(scene, points, triangles, solid=True)
    rest = rest_frames(scene)
    tables = (points, triangles, material_table(scene), *texture_tables(()))
    rays = np.empty(14, RAY)
    rays["direction"], rays["end"] = _directions(), np.inf
    inside = np.full(len(views), -1, np.int64)
    for i in range(len(views)):
        rays["origin"] = views.world_from_camera[i, :3, 3]
        frames = frames_at(rest, scene.moving, views.world_from_object[i])
        hits = tracer.nearest(rays, Surroundings(frames, *tables))
        inside[i] = _common_back_face(rays, hits, frames, points, triangles)
    return inside


def _directions() -> NDArray[np.float64]:
    """To the faces and corners of a cube that stands askew, so that no ray runs along a wall."""
    grid = np.array([(x, y, z) for x in (-1, 0, 1) for y in (-1, 0, 1) for z in (-1, 0, 1)])
    cube = grid[np.isin(np.abs(grid).sum(axis=1), (1, 3))].astype(np.float64)
    tilt, turn = 0.31, 0.47
    about_x = np.array(
        [[1, 0, 0], [0, np.cos(tilt), -np.sin(tilt)], [0, np.sin(tilt), np.cos(tilt)]]
    )
    about_z = np.array(
        [[np.cos(turn), -np.sin(turn), 0], [np.sin(turn), np.cos(turn), 0], [0, 0, 1]]
    )
    return cube @ (about_z @ about_x).T


@njit(cache=True, nogil=True)
def _common_back_face(
    rays: Records,
    hits: Records,
    frames: Records,
    points: NDArray[np.float64],
    triangles: Records,
) -> int:
    """The instance that every ray hits from behind, or -1."""
    instance = hits[0].instance
    for i in range(len(hits)):
        if hits[i].instance < 0 or hits[i].instance != instance:
            return -1
        _, e1, e2 = edges(points, triangles[hits[i].triangle].corner)
        local = turned(frames[instance].object_from_world, vector(rays[i].direction))
        if dot(local, cross(e1, e2)) <= 0.0:
            return -1
    return instance

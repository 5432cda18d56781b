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

from datagen.render.geometry import MeshTables, frames_at, mesh_tables, rest_frames
from datagen.render.materials import material_tables
from datagen.render.textures import texture_tables
from datagen.render.tracer import Hits, Rays, Surroundings, Tracer
from datagen.render.vectors import cross, dot, row, sub, turned
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
    meshes, rest = mesh_tables(scene), rest_frames(scene)
    tracer = Tracer(scene, meshes, solid=True)
    materials, no_textures = material_tables(scene), texture_tables(())
    directions = _directions()
    inside = np.full(len(views), -1, np.int64)
    for i in range(len(views)):
        frames = frames_at(rest, scene.moving, views.world_from_object[i])
        world = Surroundings(frames, meshes, materials, no_textures)
        origin = np.tile(views.world_from_camera[i, :3, 3], (len(directions), 1))
        rays = Rays(origin, directions, np.full(len(directions), np.inf))
        inside[i] = _common_back_face(rays, tracer.nearest(rays, world), world)
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


def _common_back_face(rays: Rays, hits: Hits, world: Surroundings) -> int:
    first = int(hits.instance[0])
    same = first >= 0 and bool(np.all(hits.instance == first))
    if not same:
        return -1
    to_object = world.frames.object_from_world[first]
    return first if _all_from_behind(rays.direction, hits.triangle, to_object, world.meshes) else -1


@njit(cache=True, nogil=True)
def _all_from_behind(
    direction: NDArray[np.float64],
    triangle: NDArray[np.int32],
    to_object: NDArray[np.float64],
    meshes: MeshTables,
) -> bool:
    for i in range(len(triangle)):
        corners = meshes.triangles[triangle[i]]
        a = row(meshes.points, corners[0])
        e1 = sub(row(meshes.points, corners[1]), a)
        e2 = sub(row(meshes.points, corners[2]), a)
        if dot(turned(to_object, row(direction, i)), cross(e1, e2)) <= 0.0:
            return False
    return True

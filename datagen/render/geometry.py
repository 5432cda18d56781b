"""All meshes of a scene in flat tables, and the frames of its instances.

In: `Scene`. Out: tables that compiled kernels read, in the meshes' own frames and float64, so that
a hit is computed exactly whatever the ray query's precision was.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from datagen.render.vectors import Vector, cross, dot, moved, row, sub, turned
from datagen.scenes.model import Mesh, Scene


class MeshTables(NamedTuple):
    """Every mesh, one after another; triangles are numbered through."""

    points: NDArray[np.float64]
    """(V, 3)."""
    triangles: NDArray[np.int32]
    """(T, 3) rows of `points`."""
    normals: NDArray[np.float32]
    """(T, 3, 3)."""
    st: NDArray[np.float32]
    """(T, 3, 2)."""
    colors: NDArray[np.float32]
    """(T, 3, 3), or (0, 3, 3) when no mesh has colours."""
    material: NDArray[np.int32]
    """(T,)."""


class Frames(NamedTuple):
    """Where every instance is at one instant."""

    world_from_object: NDArray[np.float64]
    """(I, 4, 4)."""
    object_from_world: NDArray[np.float64]
    """(I, 4, 4)."""


def mesh_tables(scene: Scene) -> MeshTables:
    """Join the meshes of a scene."""
    first_point = np.cumsum([0, *(len(mesh.points) for mesh in scene.meshes)])
    pairs = list(zip(scene.meshes, first_point[:-1], strict=True))
    return MeshTables(
        points=_joined([m.points for m, _ in pairs], np.float64, (3,)),
        triangles=_joined([m.triangles + k for m, k in pairs], np.int32, (3,)),
        normals=_joined([m.normals for m, _ in pairs], np.float32, (3, 3)),
        st=_joined([m.st for m, _ in pairs], np.float32, (3, 2)),
        colors=_joined(_colors(scene.meshes), np.float32, (3, 3)),
        material=_joined([m.material for m, _ in pairs], np.int32, ()),
    )


def _joined(parts: list[NDArray], dtype: type, tail: tuple[int, ...]) -> NDArray:  # type: ignore[type-arg]
    return np.concatenate([np.empty((0, *tail), dtype), *parts]).astype(dtype, copy=False)


def _colors(meshes: tuple[Mesh, ...]) -> list[NDArray[np.float32]]:
    if all(mesh.colors is None for mesh in meshes):
        return []
    white = [np.ones((len(mesh.triangles), 3, 3), np.float32) for mesh in meshes]
    return [w if m.colors is None else m.colors for m, w in zip(meshes, white, strict=True)]


def first_triangles(scene: Scene) -> NDArray[np.int64]:
    """Row of each mesh's first triangle in the tables, shape (meshes + 1,)."""
    return np.cumsum([0, *(len(mesh.triangles) for mesh in scene.meshes)])


def rest_frames(scene: Scene) -> Frames:
    """The frames at segment time 0."""
    return _frames(np.array([i.world_from_object for i in scene.instances]).reshape(-1, 4, 4))


def frames_at(rest: Frames, moving: tuple[int, ...], poses: NDArray[np.float64]) -> Frames:
    """The frames with the moving instances at `poses`, shape (M, 4, 4)."""
    if not moving:
        return rest
    rows = list(moving)
    now = Frames(rest.world_from_object.copy(), rest.object_from_world.copy())
    now.world_from_object[rows] = poses
    now.object_from_world[rows] = np.linalg.inv(poses)
    return now


def _frames(world_from_object: NDArray[np.float64]) -> Frames:
    return Frames(world_from_object, np.linalg.inv(world_from_object).astype(np.float64))


@njit(cache=True, nogil=True)
def intersect(
    meshes: MeshTables, triangle: int, origin: Vector, direction: Vector
) -> tuple[float, float, float]:
    """Where a ray meets the plane of a triangle, all in the mesh's frame.

    With edges e1, e2 and normal N = e1 x e2, p = o + t d obeys N.(p - v0) = 0 and
    p - v0 = u e1 + v e2 (Cramer's rule).

    Returns:
        t, u, v; t is NaN when the ray lies in the plane.
    """
    a = row(meshes.points, meshes.triangles[triangle, 0])
    e1 = sub(row(meshes.points, meshes.triangles[triangle, 1]), a)
    e2 = sub(row(meshes.points, meshes.triangles[triangle, 2]), a)
    s = sub(origin, a)
    det = -dot(direction, cross(e1, e2))
    if det == 0.0:
        return np.nan, 0.0, 0.0
    t = dot(s, cross(e1, e2)) / det
    c = cross(s, direction)
    return t, dot(e2, c) / det, -dot(e1, c) / det


@njit(cache=True, nogil=True)
def local_hit(
    meshes: MeshTables,
    to_object: NDArray[np.float64],
    triangle: int,
    origin: Vector,
    towards: Vector,
) -> tuple[float, float, float]:
    """`intersect` for a ray given in the world frame; t is the same in both frames."""
    return intersect(meshes, triangle, moved(to_object, origin), turned(to_object, towards))

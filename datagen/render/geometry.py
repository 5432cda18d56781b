"""All meshes of a scene as one table of triangles, and the frames of its instances.

In: `Scene`. Out: tables that compiled kernels read, in the meshes' own frames and float64, so that
a hit is computed exactly whatever the ray query's precision was.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from datagen.geometry.camera import invert_affine
from datagen.render.vectors import Records, Vector, cross, dot, moved, row, sub, turned
from datagen.scenes.model import Mesh, Scene

TRIANGLE = np.dtype(
    [
        ("corner", np.int64, 3),  # rows of the table of points
        ("normal", np.float32, (3, 3)),  # by corner
        ("st", np.float32, (3, 2)),
        ("color", np.float32, (3, 3)),  # white where the mesh has none
        ("material", np.int32),
    ],
    align=True,
)
FRAME = np.dtype(
    [
        ("world_from_object", np.float64, (4, 4)),
        ("object_from_world", np.float64, (4, 4)),
        ("middle", np.float64, 3),  # of the whole scene, world: what float32 is rounded around
    ]
)


def points_table(scene: Scene) -> NDArray[np.float64]:
    """Points of all meshes, one mesh after another, shape (V, 3)."""
    return np.concatenate([np.empty((0, 3)), *(mesh.points for mesh in scene.meshes)])


def triangle_table(scene: Scene) -> Records:
    """Triangles of all meshes, one mesh after another, TRIANGLE records (T,)."""
    first_point = np.cumsum([0, *(len(mesh.points) for mesh in scene.meshes)])
    parts = [_triangles(mesh, k) for mesh, k in zip(scene.meshes, first_point[:-1], strict=True)]
    return np.concatenate([np.empty(0, TRIANGLE), *parts])


def _triangles(mesh: Mesh, first_point: int) -> Records:
    out = np.zeros(len(mesh.triangles), TRIANGLE)
    out["corner"] = mesh.triangles.astype(np.int64) + first_point
    out["normal"] = mesh.normals
    out["st"] = mesh.st
    out["color"] = 1.0 if mesh.colors is None else mesh.colors
    out["material"] = mesh.material
    return out


def first_triangles(scene: Scene) -> NDArray[np.int64]:
    """Row of each mesh's first triangle in the table, shape (meshes + 1,)."""
    return np.cumsum([0, *(len(mesh.triangles) for mesh in scene.meshes)])


def rest_frames(scene: Scene) -> Records:
    """Frames of all instances at segment time 0, FRAME records (I,)."""
    frames = np.empty(len(scene.instances), FRAME)
    for i, instance in enumerate(scene.instances):
        frames["world_from_object"][i] = instance.world_from_object
    frames["object_from_world"] = invert_affine(frames["world_from_object"])
    frames["middle"] = _middle(scene)
    return frames


def _middle(scene: Scene) -> NDArray[np.float64]:
    """Centre of the box around all instances, (3,)."""
    low, high = np.full(3, np.inf), np.full(3, -np.inf)
    for instance in scene.instances:
        points, matrix = scene.meshes[instance.mesh].points, instance.world_from_object[:3]
        box = np.stack([points.min(axis=0), points.max(axis=0)])
        # of the two ends of every axis, the one that a matrix entry takes lowest, and highest
        ends = matrix[:, :3] * box[:, None]
        low = np.minimum(low, ends.min(axis=0).sum(axis=1) + matrix[:, 3])
        high = np.maximum(high, ends.max(axis=0).sum(axis=1) + matrix[:, 3])
    return (low + high) / 2 if scene.instances else np.zeros(3)


def frames_at(rest: Records, moving: tuple[int, ...], poses: NDArray[np.float64]) -> Records:
    """The frames with the moving instances at `poses`, shape (M, 4, 4)."""
    if not moving:
        return rest
    now = rest.copy()
    now["world_from_object"][list(moving)] = poses
    now["object_from_world"][list(moving)] = invert_affine(poses)
    return now


@njit(cache=True, nogil=True)
def edges(points: NDArray[np.float64], corner: NDArray[np.int64]) -> tuple[Vector, Vector, Vector]:
    """First corner of a triangle, and the edges from it to the second and third."""
    a = row(points, corner[0])
    return a, sub(row(points, corner[1]), a), sub(row(points, corner[2]), a)


@njit(cache=True, nogil=True)
def intersect(
    points: NDArray[np.float64],
    corner: NDArray[np.int64],
    object_from_world: NDArray[np.float64],
    origin: Vector,
    direction: Vector,
) -> tuple[float, float, float]:
    """Where a ray of the world frame meets the plane of a triangle of an instance.

    With edges e1, e2 and normal N = e1 x e2 in the mesh's frame, p = o + t d obeys N.(p - v0) = 0
    and p - v0 = u e1 + v e2 (Cramer's rule). t is the same in both frames.

    Returns:
        t, u, v; t is NaN when the ray lies in the plane.
    """
    a, e1, e2 = edges(points, corner)
    s = sub(moved(object_from_world, origin), a)
    d = turned(object_from_world, direction)
    n = cross(e1, e2)
    facing = dot(d, n)
    if facing == 0.0:
        return np.nan, 0.0, 0.0
    c = cross(s, d)
    return -dot(s, n) / facing, -dot(e2, c) / facing, dot(e1, c) / facing

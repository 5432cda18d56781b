"""All meshes of a scene as one table of triangles, and the frames of its instances.

In: `Scene`. Out: tables that compiled kernels read, in the meshes' own frames and float64, so that
a hit is computed exactly whatever the ray query's precision was.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from datagen.geometry.camera import invert_affine
from datagen.render.vectors import (
    Records,
    Vector,
    add,
    cross,
    dot,
    moved,
    normalized,
    row,
    scaled,
    sub,
    turned,
    turned_back,
    vector,
)
from datagen.scenes.model import Mesh, Scene

LIFT = 4e-6
"""Shadow rays start this far above a triangle, relative to its size and place."""

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
    frames["middle"] = scene_box(scene).mean(axis=0)
    return frames


def scene_box(scene: Scene) -> NDArray[np.float64]:
    """Lowest and highest corner of the box around all instances at rest, (2, 3); 0 if none."""
    low, high = np.full(3, np.inf), np.full(3, -np.inf)
    for instance in scene.instances:
        points, matrix = scene.meshes[instance.mesh].points, instance.world_from_object[:3]
        box = np.stack([points.min(axis=0), points.max(axis=0)])
        # of the two ends of every axis, the one that a matrix entry takes lowest, and highest
        ends = matrix[:, :3] * box[:, None]
        low = np.minimum(low, ends.min(axis=0).sum(axis=1) + matrix[:, 3])
        high = np.maximum(high, ends.max(axis=0).sum(axis=1) + matrix[:, 3])
    return np.stack([low, high]) if scene.instances else np.zeros((2, 3))


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


@njit(cache=True, nogil=True)
def lifted(
    points: NDArray[np.float64],
    triangle: Any,
    weight: Vector,
    side: float,
    flat: Vector,
    frame: Any,
) -> Vector:
    """A point of a triangle in the world, where shadow rays start that must not meet it.

    It is lifted onto the smooth surface that the corner normals describe,

        p' = p - sum_i b_i min(0, (p - v_i).n_i) n_i        (b_i barycentric; Hanika 2021),

    and a little above the triangle, so that a coarse mesh does not shade itself in steps.

    Args:
        points: points of all meshes.
        triangle: TRIANGLE record.
        weight: barycentric coordinates.
        side: -1 to start behind the triangle, else 1.
        flat: normal of the triangle, any length, object frame.
        frame: FRAME record.
    """
    a = row(points, triangle.corner[0])
    b, c = row(points, triangle.corner[1]), row(points, triangle.corner[2])
    p = add(add(scaled(a, weight[0]), scaled(b, weight[1])), scaled(c, weight[2]))
    lifted = p
    reach = 0.0
    for k in range(3):
        away = sub(p, row(points, triangle.corner[k]))
        normal = scaled(row(triangle.normal, k), side)
        lifted = sub(lifted, scaled(normal, weight[k] * min(dot(away, normal), 0.0)))
        edge = turned(frame.world_from_object, away)
        reach = max(reach, abs(edge[0]), abs(edge[1]), abs(edge[2]))
    q = moved(frame.world_from_object, lifted)
    up = normalized(scaled(turned_back(frame.object_from_world, flat), side))
    far = sub(q, vector(frame.middle))
    return add(q, scaled(up, LIFT * max(reach, abs(far[0]), abs(far[1]), abs(far[2]))))

"""A UsdGeom.Mesh's faces as checked triangles.

Polygons are triangulated, `leftHanded` faces turned over, holes and degenerate triangles dropped.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pxr import Usd, UsdGeom

from datagen.errors import SceneError
from datagen.scenes.usd.primvars import Corners, sizes_of
from datagen.scenes.usd.triangulate import triangulate
from datagen.scenes.usd.values import array_of

Int = NDArray[np.int64]
Float = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Surface:
    """T triangles on V points."""

    points: Float
    """(V, 3)."""
    corners: Corners
    facet_normals: Float
    """(T, 3), unit length."""


def read_surface(mesh: UsdGeom.Mesh, time: Usd.TimeCode, path: str) -> Surface | None:
    """The triangles of a mesh; None when there is none.

    Raises:
        SceneError: counts do not agree, an index is out of range, or a point is not finite.
    """
    points = array_of(mesh.GetPointsAttr(), time, np.float64, 3)
    counts = array_of(mesh.GetFaceVertexCountsAttr(), time, np.int64)
    indices = array_of(mesh.GetFaceVertexIndicesAttr(), time, np.int64)
    _check(points, counts, indices, path)
    corner, face = triangulate(points, counts, indices)
    holes = array_of(mesh.GetHoleIndicesAttr(), time, np.int64)
    kept = ~np.isin(face, holes)
    corner, face = corner[kept], face[kept]
    if mesh.GetOrientationAttr().Get(time) == UsdGeom.Tokens.leftHanded:
        corner = corner[:, ::-1]
    sizes = sizes_of(len(counts), len(points), len(indices))
    corners = Corners(corner, indices[corner], face, sizes)
    whole = has_area(points[corners.vertex])
    if not whole.any():
        return None
    corners = corners.select(whole)
    cross = cross_products(points[corners.vertex])
    return Surface(points, corners, cross / np.linalg.norm(cross, axis=1, keepdims=True))


def cross_products(triangles: Float) -> Float:
    """Normals of triangles (T, 3, 3), twice the area long, (T, 3)."""
    return np.cross(triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0])


def has_area(triangles: Float) -> NDArray[np.bool_]:
    """Triangles (T, 3, 3) whose area is not lost in rounding, (T,)."""
    edges = triangles - np.roll(triangles, -1, axis=1)
    longest = np.einsum("tij,tij->ti", edges, edges).max(axis=1, initial=0.0)
    whole: NDArray[np.bool_] = np.linalg.norm(cross_products(triangles), axis=1) > 1e-9 * longest
    return whole


def _check(points: Float, counts: Int, indices: Int, path: str) -> None:
    if (counts < 0).any() or counts.sum() != len(indices):
        raise SceneError(
            f"mesh {path}: faceVertexCounts sum to {counts.sum()} but there are {len(indices)} "
            "faceVertexIndices; expected equal; export the mesh again"
        )
    if len(indices) and not 0 <= indices.min() <= indices.max() < len(points):
        raise SceneError(
            f"mesh {path}: faceVertexIndices run from {indices.min()} to {indices.max()}; "
            f"expected 0 .. {len(points) - 1}, as it has {len(points)} points; export it again"
        )
    finite = np.isfinite(points).all(axis=1)
    if not finite.all():
        bad = int(np.flatnonzero(~finite)[0])
        raise SceneError(
            f"mesh {path}: point {bad} is {points[bad].tolist()}; expected finite numbers; "
            "export the mesh again"
        )

"""Normals of a mesh at triangle corners.

Authored ones win (`primvars:normals` before `normals`). Without any, a mesh whose
`subdivisionScheme` is none is faceted, and a subdivision surface is smooth: at each point the mean
of the neighbouring facets' normals, weighted by the angle that each fills there, which does not
depend on how polygons were cut (G. Thürmer, C. Wüthrich, "Computing vertex normals from polygonal
facets", J. Graphics Tools 3(1), 1998).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from pxr import Usd, UsdGeom

from datagen.errors import SceneError
from datagen.scenes.usd.primvars import Corners, flat_values
from datagen.scenes.usd.topology import Surface
from datagen.scenes.usd.values import array_of

Float = NDArray[np.float64]


def is_subdivided(mesh: UsdGeom.Mesh, time: Usd.TimeCode) -> bool:
    """Whether USD means a smooth limit surface."""
    return bool(mesh.GetSubdivisionSchemeAttr().Get(time) != UsdGeom.Tokens.none)


def corner_normals(mesh: UsdGeom.Mesh, surface: Surface, time: Usd.TimeCode, path: str) -> Float:
    """Unit normals at corners, (T, 3, 3); the facet's own where an authored one has no length.

    Raises:
        SceneError: authored normals do not fit the mesh.
    """
    facets = np.broadcast_to(surface.facet_normals[:, None], (len(surface.facet_normals), 3, 3))
    normals = _authored(mesh, surface.corners, time, path)
    if normals is None:
        normals = smooth_normals(surface) if is_subdivided(mesh, time) else facets
    length = np.linalg.norm(normals, axis=2, keepdims=True)
    return np.where(length > 1e-12, normals / np.maximum(length, 1e-12), facets)


def smooth_normals(surface: Surface) -> Float:
    """Angle-weighted normals of the points, at corners (T, 3, 3), not of unit length."""
    vertex = surface.corners.vertex
    at = surface.points[vertex]
    to_next, to_last = _unit(np.roll(at, -1, axis=1) - at), _unit(np.roll(at, 1, axis=1) - at)
    angle = np.arccos(np.clip(np.einsum("tij,tij->ti", to_next, to_last), -1.0, 1.0))
    weighted = angle[..., None] * surface.facet_normals[:, None]
    summed = np.zeros_like(surface.points)
    np.add.at(summed, vertex.ravel(), weighted.reshape(-1, 3))
    return summed[vertex]


def _authored(mesh: UsdGeom.Mesh, corners: Corners, time: Usd.TimeCode, path: str) -> Float | None:
    primvar = UsdGeom.PrimvarsAPI(mesh).GetPrimvar("normals")
    if primvar and primvar.HasValue():
        owner = f"mesh {path}, primvar normals"
        values = flat_values(primvar, time, owner)
        if values is not None:
            return corners.expand(values, primvar.GetInterpolation(), owner)
    values = array_of(mesh.GetNormalsAttr(), time, np.float64, 3)
    if not len(values):
        return None
    if not np.isfinite(values).all():
        raise SceneError(
            f"mesh {path}: normals hold NaN or infinity; expected finite values; export it again"
        )
    return corners.expand(values, mesh.GetNormalsInterpolation(), f"mesh {path}, normals")


def _unit(vectors: Float) -> Float:
    """Unit vectors; edges of triangles that have an area are never of length 0."""
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)

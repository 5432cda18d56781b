"""A UsdGeom.Mesh, or an analytic shape, as triangles in the prim's own frame and unit.

Polygons are triangulated, `leftHanded` faces turned, degenerate triangles and holes dropped.
Normals are the authored ones; else one per face where `subdivisionScheme` is none, and else smooth:
the mean of the neighbouring faces' normals weighted by the angle they fill at the point
(subdivision itself is not refined). Every triangle takes its material from the GeomSubset that
holds its face, or from the prim.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pxr import Usd, UsdGeom, UsdShade

from datagen.errors import SceneError
from datagen.scenes.model import Mesh
from datagen.scenes.usd import analytic
from datagen.scenes.usd.material import Look, MaterialTable
from datagen.scenes.usd.notes import Notes
from datagen.scenes.usd.primvars import (
    ST_NAMES,
    Corners,
    at_corners,
    flat_values,
    sizes_of,
)
from datagen.scenes.usd.triangulate import triangulate

Int = NDArray[np.int64]
Float = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class MeshReader:
    """Reads geometry prims at one time."""

    time: Usd.TimeCode
    materials: MaterialTable
    notes: Notes

    def read(self, prim: Usd.Prim, path: str) -> Mesh | None:
        """The prim as a mesh; None when it has no triangle.

        Raises:
            SceneError: counts do not agree, an index is out of range, a point is not finite.
        """
        if prim.IsA(UsdGeom.Mesh):
            return self._mesh(UsdGeom.Mesh(prim), path)
        return self._analytic(prim, path)

    def _mesh(self, mesh: UsdGeom.Mesh, path: str) -> Mesh | None:
        if mesh.GetPointsAttr().ValueMightBeTimeVarying():
            self.notes.add("time-sampled points are taken at the start", path)
        topology = _topology(mesh, self.time, path)
        if topology is None:
            return None
        points, corners = topology
        triangle_normals = _cross(points[corners.vertex])
        whole = _not_degenerate(points[corners.vertex], triangle_normals)
        if not whole.any():
            return None
        corners, triangle_normals = corners.select(whole), triangle_normals[whole]
        normals = self._normals(mesh, path, points, corners, _unit(triangle_normals))
        colors = at_corners(mesh.GetPrim(), ["displayColor"], corners, self.time)
        looks, of_triangle = self._looks(mesh, path, corners, colors is not None)
        st = self._st(mesh, path, corners, looks, of_triangle)
        return Mesh(
            points=points,
            triangles=corners.vertex.astype(np.int32),
            normals=normals.astype(np.float32),
            st=st.astype(np.float32),
            colors=None if colors is None else colors[..., :3].astype(np.float32),
            material=np.array([look.material for look in looks], np.int32)[of_triangle],
            double_sided=bool(mesh.GetDoubleSidedAttr().Get()),
        )

    def _normals(
        self, mesh: UsdGeom.Mesh, path: str, points: Float, corners: Corners, faceted: Float
    ) -> Float:
        """Unit normals at corners (T, 3, 3); `faceted` (T, 3) fills in where one has no length."""
        smooth = mesh.GetSubdivisionSchemeAttr().Get(self.time) != UsdGeom.Tokens.none
        if smooth:
            self.notes.add("subdivision surfaces are not refined", path)
        flat = np.broadcast_to(faceted[:, None], (len(faceted), 3, 3))
        authored = self._authored_normals(mesh, path, corners)
        if authored is None:
            authored = _smooth_normals(points, corners, faceted) if smooth else flat
        length = np.linalg.norm(authored, axis=2, keepdims=True)
        return np.where(length > 1e-12, authored / np.maximum(length, 1e-12), flat)

    def _authored_normals(self, mesh: UsdGeom.Mesh, path: str, corners: Corners) -> Float | None:
        primvar = UsdGeom.PrimvarsAPI(mesh).GetPrimvar("normals")
        if primvar and primvar.HasValue():
            owner = f"prim {path}, primvar normals"
            values = flat_values(primvar, self.time, owner)
            if values is not None and len(values):
                return corners.expand(values, primvar.GetInterpolation(), owner)
        raw = mesh.GetNormalsAttr().Get(self.time)
        if not raw:
            return None
        values = np.asarray(raw, dtype=np.float64)
        if not np.isfinite(values).all():
            raise SceneError(f"prim {path}: normals hold NaN or infinity; correct the mesh")
        return corners.expand(values, mesh.GetNormalsInterpolation(), f"prim {path}, normals")

    def _looks(
        self, mesh: UsdGeom.Mesh, path: str, corners: Corners, colored: bool
    ) -> tuple[list[Look], Int]:
        """Materials of the mesh and which of them each triangle has, (T,)."""
        looks = [self.materials.look(mesh.GetPrim(), colored)]
        of_face = np.zeros(corners.sizes["uniform"], dtype=np.int64)
        for subset in UsdShade.MaterialBindingAPI(mesh).GetMaterialBindSubsets():
            faces = np.array(subset.GetIndicesAttr().Get(self.time) or [], dtype=np.int64)
            if len(faces) and not 0 <= faces.min() <= faces.max() < len(of_face):
                raise SceneError(
                    f"subset {subset.GetPath()} of {path}: face indices run from {faces.min()} to "
                    f"{faces.max()}; expected 0 .. {len(of_face) - 1}; correct its indices"
                )
            of_face[faces] = len(looks)
            looks.append(self.materials.look(subset.GetPrim(), colored))
        return looks, of_face[corners.face]

    def _st(
        self, mesh: UsdGeom.Mesh, path: str, corners: Corners, looks: list[Look], of_triangle: Int
    ) -> Float:
        """Texture coordinates as each triangle's material asks for them, (T, 3, 2)."""
        st = np.zeros((len(of_triangle), 3, 2))
        for i, look in enumerate(looks):
            here = of_triangle == i
            if not here.any():
                continue
            names = (look.st_name, *ST_NAMES) if look.st_name else ST_NAMES
            found = at_corners(mesh.GetPrim(), names, corners.select(here), self.time)
            if found is not None and found.shape[2] >= 2:
                st[here] = found[..., :2]
            elif look.st_name:
                self.notes.add("textured meshes without texture coordinates", path)
        return st

    def _analytic(self, prim: Usd.Prim, path: str) -> Mesh | None:
        shape = _shape(prim, self.time)
        if not np.isfinite(shape.points).all():
            raise SceneError(f"prim {path}: its size is not finite; correct its attributes")
        whole = _not_degenerate(shape.points, _cross(shape.points))
        if not whole.any():
            return None
        count = int(whole.sum())
        color = _constant_color(prim, self.time, path)
        look = self.materials.look(prim, color is not None)
        return Mesh(
            points=shape.points[whole].reshape(-1, 3),
            triangles=np.arange(3 * count, dtype=np.int32).reshape(-1, 3),
            normals=shape.normals[whole].astype(np.float32),
            st=shape.st[whole].astype(np.float32),
            colors=None if color is None else np.tile(color, (count, 3, 1)),
            material=np.full(count, look.material, dtype=np.int32),
            double_sided=bool(UsdGeom.Gprim(prim).GetDoubleSidedAttr().Get()),
        )


def is_geometry(prim: Usd.Prim) -> bool:
    """Whether `MeshReader` can read the prim."""
    return any(prim.IsA(schema) for schema in (UsdGeom.Mesh, *_ANALYTIC))


_ANALYTIC = (
    UsdGeom.Cube, UsdGeom.Sphere, UsdGeom.Cylinder, UsdGeom.Cylinder_1, UsdGeom.Cone,
    UsdGeom.Capsule, UsdGeom.Capsule_1, UsdGeom.Plane,
)  # fmt: skip


def _shape(prim: Usd.Prim, time: Usd.TimeCode) -> analytic.Shape:
    """The analytic shape that a prim names."""

    def value(name: str) -> float:
        return float(prim.GetAttribute(name).Get(time))

    def axis() -> str:
        return str(prim.GetAttribute("axis").Get(time))

    match prim.GetTypeName():
        case "Cube":
            return analytic.cube(value("size"))
        case "Sphere":
            return analytic.sphere(value("radius"))
        case "Plane":
            return analytic.plane(value("width"), value("length"), axis())
        case "Cone":
            return analytic.cylinder(value("radius"), 0.0, value("height"), axis())
        case "Cylinder":
            r = value("radius")
            return analytic.cylinder(r, r, value("height"), axis())
        case "Cylinder_1":
            return analytic.cylinder(
                value("radiusBottom"), value("radiusTop"), value("height"), axis()
            )
        case "Capsule":
            r = value("radius")
            return analytic.capsule(r, r, value("height"), axis())
        case _:
            return analytic.capsule(
                value("radiusBottom"), value("radiusTop"), value("height"), axis()
            )


def _topology(mesh: UsdGeom.Mesh, time: Usd.TimeCode, path: str) -> tuple[Float, Corners] | None:
    """Checked points (V, 3) and triangle corners; None when there is no face."""
    points = np.array(mesh.GetPointsAttr().Get(time) or [], dtype=np.float64).reshape(-1, 3)
    counts = np.array(mesh.GetFaceVertexCountsAttr().Get(time) or [], dtype=np.int64)
    indices = np.array(mesh.GetFaceVertexIndicesAttr().Get(time) or [], dtype=np.int64)
    if not len(counts) and not len(indices):
        return None
    _check_topology(points, counts, indices, path)
    corner, face = triangulate(points, counts, indices)
    holes = np.array(mesh.GetHoleIndicesAttr().Get(time) or [], dtype=np.int64)
    if len(holes):
        kept = ~np.isin(face, holes)
        corner, face = corner[kept], face[kept]
    if mesh.GetOrientationAttr().Get(time) == UsdGeom.Tokens.leftHanded:
        corner = corner[:, ::-1]
    sizes = sizes_of(len(counts), len(points), len(indices))
    return points, Corners(corner, indices[corner], face, sizes)


def _check_topology(points: Float, counts: Int, indices: Int, path: str) -> None:
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
    if not np.isfinite(points).all():
        bad = int(np.flatnonzero(~np.isfinite(points).all(axis=1))[0])
        raise SceneError(
            f"mesh {path}: point {bad} is {points[bad].tolist()}; expected finite numbers; "
            "export the mesh again"
        )


def _cross(triangles: Float) -> Float:
    """Normals of triangles (T, 3, 3) with length twice the area, (T, 3)."""
    return np.cross(triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0])


def _unit(vectors: Float) -> Float:
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def _not_degenerate(triangles: Float, cross: Float) -> NDArray[np.bool_]:
    """Triangles whose area is not lost in rounding, (T,)."""
    edges = triangles - np.roll(triangles, -1, axis=1)
    longest = np.einsum("tij,tij->ti", edges, edges).max(axis=1)
    whole: NDArray[np.bool_] = np.linalg.norm(cross, axis=1) > 1e-9 * longest
    return whole


def _smooth_normals(points: Float, corners: Corners, faceted: Float) -> Float:
    """Angle-weighted vertex normals at corners (T, 3, 3), not of unit length."""
    at = points[corners.vertex]
    to_next = _unit(np.roll(at, -1, axis=1) - at)
    to_last = _unit(np.roll(at, 1, axis=1) - at)
    angle = np.arccos(np.clip(np.einsum("tij,tij->ti", to_next, to_last), -1.0, 1.0))
    weighted = (angle[..., None] * faceted[:, None]).reshape(-1, 3)
    summed = np.zeros_like(points)
    np.add.at(summed, corners.vertex.ravel(), weighted)
    return summed[corners.vertex]


def _constant_color(prim: Usd.Prim, time: Usd.TimeCode, path: str) -> NDArray[np.float32] | None:
    """The first displayColor of a prim, (3,)."""
    primvar = UsdGeom.PrimvarsAPI(prim).FindPrimvarWithInheritance("displayColor")
    if not primvar or not primvar.HasValue():
        return None
    values = flat_values(primvar, time, f"prim {path}, primvar displayColor")
    return values[0, :3].astype(np.float32) if values is not None and len(values) else None

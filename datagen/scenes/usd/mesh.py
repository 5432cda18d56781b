"""A geometry prim (UsdGeom.Mesh or an analytic shape) as a `Mesh` in its own frame and unit.

Every triangle takes its material from the GeomSubset (family materialBind) that holds its face,
else from the prim; the material says which primvar holds its texture coordinates and whether
displayColor is looked at. What no material asks for is not read.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pxr import Usd, UsdGeom, UsdShade

from datagen.errors import SceneError
from datagen.scenes.model import Mesh
from datagen.scenes.usd.material import Look, MaterialTable
from datagen.scenes.usd.normals import corner_normals, is_subdivided
from datagen.scenes.usd.notes import Notes
from datagen.scenes.usd.primvars import ST_NAMES, Corners, at_corners, first_value
from datagen.scenes.usd.shape import is_shape, read_shape
from datagen.scenes.usd.topology import has_area, read_surface
from datagen.scenes.usd.values import array_of

GREY = 0.18
"""Stands in for a displayColor that a material asks for and the prim does not have."""

Int = NDArray[np.int64]
Float = NDArray[np.float64]


def is_geometry(prim: Usd.Prim) -> bool:
    """Whether `MeshReader` can read the prim."""
    return bool(prim.IsA(UsdGeom.Mesh)) or is_shape(prim)


def has_color(prim: Usd.Prim) -> bool:
    """Whether the prim has, or inherits, a displayColor."""
    primvar = UsdGeom.PrimvarsAPI(prim).FindPrimvarWithInheritance("displayColor")
    return bool(primvar) and bool(primvar.HasValue())


@dataclass(frozen=True, slots=True)
class MeshReader:
    """Reads geometry prims at one time."""

    time: Usd.TimeCode
    materials: MaterialTable
    notes: Notes

    def read(self, prim: Usd.Prim, path: str) -> Mesh | None:
        """The prim as a mesh; None when it has no triangle.

        Raises:
            SceneError: counts do not agree, an index is out of range, a number is not finite.
        """
        if prim.IsA(UsdGeom.Mesh):
            return self._polygons(UsdGeom.Mesh(prim), path)
        return self._shape(prim, path)

    def _polygons(self, mesh: UsdGeom.Mesh, path: str) -> Mesh | None:
        self._note_missing(mesh, path)
        surface = read_surface(mesh, self.time, path)
        if surface is None:
            return None
        corners = surface.corners
        looks, of_triangle = self._looks(mesh, path, corners)
        return Mesh(
            points=surface.points,
            triangles=corners.vertex.astype(np.int32),
            normals=corner_normals(mesh, surface, self.time, path).astype(np.float32),
            st=self._st(mesh, path, corners, looks, of_triangle),
            colors=self._colors(mesh, corners, looks),
            material=np.array([look.material for look in looks], np.int32)[of_triangle],
        )

    def _note_missing(self, mesh: UsdGeom.Mesh, path: str) -> None:
        if mesh.GetPointsAttr().ValueMightBeTimeVarying():
            self.notes.add("time-sampled points are taken at the start", path)
        if mesh.GetPrim().GetAttribute("primvars:skel:jointIndices").HasAuthoredValue():
            self.notes.add("skinning is not applied", path)
        if is_subdivided(mesh, self.time):
            self.notes.add("subdivision surfaces are not refined", path)

    def _looks(self, mesh: UsdGeom.Mesh, path: str, corners: Corners) -> tuple[list[Look], Int]:
        """Materials of the mesh, and which of them each triangle has, (T,)."""
        colored = has_color(mesh.GetPrim())
        looks: list[Look] = []
        of_face = np.full(corners.sizes["uniform"], -1)
        for subset in UsdShade.MaterialBindingAPI(mesh).GetMaterialBindSubsets():
            of_face[self._faces(subset, path, len(of_face))] = len(looks)
            looks.append(self.materials.look(subset.GetPrim(), colored))
        if (of_face < 0).any():
            of_face[of_face < 0] = len(looks)
            looks.append(self.materials.look(mesh.GetPrim(), colored))
        return looks, of_face[corners.face]

    def _faces(self, subset: UsdGeom.Subset, path: str, count: int) -> Int:
        """Faces of a subset, checked."""
        faces = array_of(subset.GetIndicesAttr(), self.time, np.int64)
        if len(faces) and not 0 <= faces.min() <= faces.max() < count:
            raise SceneError(
                f"subset {subset.GetPath()} of {path}: face indices run from {faces.min()} to "
                f"{faces.max()}; expected 0 .. {count - 1}; correct its indices"
            )
        return faces

    def _colors(
        self, mesh: UsdGeom.Mesh, corners: Corners, looks: list[Look]
    ) -> NDArray[np.float32] | None:
        """displayColor at corners (T, 3, 3) where a material asks for it."""
        if not self.materials.uses_display_color(looks):
            return None
        colors = at_corners(mesh.GetPrim(), ["displayColor"], corners, self.time)
        if colors is None or colors.shape[2] < 3:
            colors = np.full((*corners.vertex.shape, 3), GREY)
        return colors[..., :3].astype(np.float32)

    def _st(
        self, mesh: UsdGeom.Mesh, path: str, corners: Corners, looks: list[Look], of_triangle: Int
    ) -> NDArray[np.float32]:
        """Texture coordinates that each triangle's material asks for, (T, 3, 2)."""
        st = np.zeros((len(of_triangle), 3, 2), np.float32)
        for i, look in enumerate(looks):
            here = of_triangle == i
            if not look.st_name or not here.any():
                continue
            names = (look.st_name, *ST_NAMES)
            found = at_corners(mesh.GetPrim(), names, corners.select(here), self.time)
            if found is not None and found.shape[2] >= 2:
                st[here] = found[..., :2]
            else:
                self.notes.add("textured meshes without texture coordinates", path)
        return st

    def _shape(self, prim: Usd.Prim, path: str) -> Mesh | None:
        shape = read_shape(prim, self.time, path)
        whole = has_area(shape.points)
        if not whole.any():
            return None
        count = int(whole.sum())
        look = self.materials.look(prim, has_color(prim))
        return Mesh(
            points=shape.points[whole].reshape(-1, 3),
            triangles=np.arange(3 * count, dtype=np.int32).reshape(-1, 3),
            normals=shape.normals[whole].astype(np.float32),
            st=shape.st[whole].astype(np.float32),
            colors=self._one_color(prim, look, count),
            material=np.full(count, look.material, dtype=np.int32),
        )

    def _one_color(self, prim: Usd.Prim, look: Look, count: int) -> NDArray[np.float32] | None:
        """The first displayColor everywhere, (T, 3, 3): shapes have no points to vary it over."""
        if not self.materials.uses_display_color([look]):
            return None
        color = first_value(prim, "displayColor", self.time)
        if color is None or len(color) < 3:
            color = np.full(3, GREY)
        return np.tile(color[:3].astype(np.float32), (count, 3, 1))

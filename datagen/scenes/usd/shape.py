"""Analytic prims (Cube, Sphere, ...) as the shapes of `datagen.scenes.usd.analytic`."""

from __future__ import annotations

import numpy as np
from pxr import Usd, UsdGeom

from datagen.errors import SceneError
from datagen.scenes.usd import analytic

_SCHEMAS = (
    UsdGeom.Cube, UsdGeom.Sphere, UsdGeom.Cylinder, UsdGeom.Cylinder_1, UsdGeom.Cone,
    UsdGeom.Capsule, UsdGeom.Capsule_1, UsdGeom.Plane,
)  # fmt: skip


def is_shape(prim: Usd.Prim) -> bool:
    """Whether the prim is one of them."""
    return any(prim.IsA(schema) for schema in _SCHEMAS)


def read_shape(prim: Usd.Prim, time: Usd.TimeCode, path: str) -> analytic.Shape:
    """The triangles of an analytic prim.

    Raises:
        SceneError: a size is not a finite number, zero or above.
    """

    def size(name: str) -> float:
        value = float(prim.GetAttribute(name).Get(time))
        if not (np.isfinite(value) and value >= 0.0):
            raise SceneError(
                f"prim {path}: {name} is {value}; expected a finite number, zero or above; "
                "correct the attribute"
            )
        return value

    def swept() -> tuple[float, float, float, str]:
        """Radii at the bottom and top, height, axis."""
        both = prim.HasAttribute("radiusBottom")
        bottom, top = ("radiusBottom", "radiusTop") if both else ("radius", "radius")
        return size(bottom), size(top), size("height"), str(prim.GetAttribute("axis").Get(time))

    match str(prim.GetTypeName()):
        case "Cube":
            return analytic.cube(size("size"))
        case "Sphere":
            return analytic.sphere(size("radius"))
        case "Plane":
            axis = str(prim.GetAttribute("axis").Get(time))
            return analytic.plane(size("width"), size("length"), axis)
        case "Cone":
            radius, _, height, axis = swept()
            return analytic.cylinder(radius, 0.0, height, axis)
        case "Cylinder" | "Cylinder_1":
            return analytic.cylinder(*swept())
        case _:
            return analytic.capsule(*swept())

"""Analytic prims (Cube, Sphere, ...) as the shapes of `datagen.scenes.usd.analytic`."""

from __future__ import annotations

from dataclasses import dataclass

from pxr import Usd, UsdGeom

from datagen.errors import SceneError
from datagen.scenes.usd import analytic
from datagen.scenes.usd.values import value_of

_SCHEMAS = (
    UsdGeom.Cube, UsdGeom.Sphere, UsdGeom.Cylinder, UsdGeom.Cylinder_1, UsdGeom.Cone,
    UsdGeom.Capsule, UsdGeom.Capsule_1, UsdGeom.Plane,
)  # fmt: skip


def is_shape(prim: Usd.Prim) -> bool:
    """Whether the prim is one of them."""
    return any(prim.IsA(schema) for schema in _SCHEMAS)


def shape_key(prim: Usd.Prim, time: Usd.TimeCode) -> tuple[str, ...]:
    """Equal for prims of the same kind, size and axis."""
    names = ("size", "width", "length", "height", "radius", "radiusBottom", "radiusTop", "axis")
    values = ((name, prim.GetAttribute(name)) for name in names)
    sizes = (f"{name} {attribute.Get(time)}" for name, attribute in values if attribute)
    return (str(prim.GetTypeName()), *sizes)


def read_shape(prim: Usd.Prim, time: Usd.TimeCode, path: str) -> analytic.Shape:
    """The triangles of an analytic prim.

    Raises:
        SceneError: a size is not a finite number, zero or above, or an axis is unknown.
    """
    read = _Attributes(prim, time, path)
    match str(prim.GetTypeName()):
        case "Cube":
            return analytic.cube(read.size("size"))
        case "Sphere":
            return analytic.sphere(read.size("radius"))
        case "Plane":
            return analytic.plane(read.size("width"), read.size("length"), read.axis())
        case "Cone":
            return analytic.cylinder(read.size("radius"), 0.0, read.size("height"), read.axis())
        case "Cylinder" | "Cylinder_1":
            return analytic.cylinder(*read.radii(), read.size("height"), read.axis())
        case _:
            return analytic.capsule(*read.radii(), read.size("height"), read.axis())


@dataclass(frozen=True, slots=True)
class _Attributes:
    """Checked attributes of one prim."""

    prim: Usd.Prim
    time: Usd.TimeCode
    path: str

    def size(self, name: str) -> float:
        value = value_of(self.prim.GetAttribute(name), self.time, 0.0)
        if value < 0.0:
            raise SceneError(
                f"prim {self.path}: {name} is {value}; expected zero or above; correct the attribute"
            )
        return value

    def axis(self) -> str:
        value = value_of(self.prim.GetAttribute("axis"), self.time, "Z")
        if value not in ("X", "Y", "Z"):
            raise SceneError(
                f"prim {self.path}: axis is {value!r}; expected X, Y or Z; correct the attribute"
            )
        return value

    def radii(self) -> tuple[float, float]:
        """At the bottom and at the top."""
        if self.prim.HasAttribute("radiusBottom"):
            return self.size("radiusBottom"), self.size("radiusTop")
        return self.size("radius"), self.size("radius")

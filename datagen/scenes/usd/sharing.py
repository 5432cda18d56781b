"""Which geometry prims are one and the same mesh.

Copies of a prim in the instances of one prototype share its triangles, unless something from
outside the instance differs: the bound materials, or an inherited displayColor. Analytic shapes
share theirs with every shape of equal size and look.
"""

from __future__ import annotations

from pxr import Usd, UsdGeom, UsdShade

from datagen.scenes.usd.material import bound_material, home_path, material_key
from datagen.scenes.usd.primvars import first_value
from datagen.scenes.usd.shape import is_shape, shape_key


def sharing_key(prim: Usd.Prim, time: Usd.TimeCode) -> tuple[str, ...]:
    """Equal only for prims whose meshes are equal."""
    if is_shape(prim):
        color = first_value(prim, "displayColor", time)
        look = material_key(bound_material(prim))
        return (*shape_key(prim, time), look, "" if color is None else str(color.tolist()))
    if not prim.IsInstanceProxy():
        return (str(prim.GetPath()),)
    subsets = UsdShade.MaterialBindingAPI(prim).GetMaterialBindSubsets()
    inherited = UsdGeom.PrimvarsAPI(prim).FindPrimvarWithInheritance("displayColor")
    return (
        str(prim.GetPrimInPrototype().GetPath()),
        home_path(inherited.GetAttr().GetPrim()) if inherited else "",
        *(material_key(bound_material(one)) for one in [prim, *(s.GetPrim() for s in subsets)]),
    )

"""Which geometry prims are one and the same mesh.

Copies of a prim in the instances of one prototype share its triangles, unless something from
outside the instance differs: the bound materials, or an inherited displayColor.
"""

from __future__ import annotations

from pxr import Usd, UsdGeom, UsdShade

from datagen.scenes.usd.material import bound_material, material_key


def sharing_key(prim: Usd.Prim) -> tuple[str, ...]:
    """Equal for prims whose meshes are equal because they are the same prim of a prototype."""
    if not prim.IsInstanceProxy():
        return (str(prim.GetPath()),)
    subsets = UsdShade.MaterialBindingAPI(prim).GetMaterialBindSubsets()
    bound = [prim, *(subset.GetPrim() for subset in subsets)]
    color = UsdGeom.PrimvarsAPI(prim).FindPrimvarWithInheritance("displayColor")
    return (
        str(prim.GetPrimInPrototype().GetPath()),
        _home(color.GetAttr().GetPrim()) if color else "",
        *(material_key(bound_material(one)) for one in bound),
    )


def _home(prim: Usd.Prim) -> str:
    return str((prim.GetPrimInPrototype() if prim.IsInstanceProxy() else prim).GetPath())

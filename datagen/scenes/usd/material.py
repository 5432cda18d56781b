"""Materials bound to prims: UsdPreviewSurface read into `Material`.

The bound material is USD's own answer (inherited, by collection, on subsets; purpose "allPurpose").
Each input is a constant, or a UsdUVTexture, or the primvar displayColor; connections are followed
through node graphs and interface inputs by USD. Unbound prims, and materials without a
UsdPreviewSurface (MaterialX, MDL ...), show displayColor, or grey where there is none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pxr import Usd, UsdShade

from datagen.scenes.model import Material
from datagen.scenes.usd.notes import Notes
from datagen.scenes.usd.pictures import TextureTable
from datagen.scenes.usd.shading import Network, Source

Rgb = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Look:
    """What a surface is drawn with."""

    material: int
    """Index into `Scene.materials`."""
    st_name: str
    """Primvar of texture coordinates that the material reads; empty when it reads none."""


class MaterialTable:
    """Materials of a scene, each read once."""

    def __init__(self, textures: TextureTable, time: Usd.TimeCode, notes: Notes) -> None:
        self.materials: list[Material] = []
        self._textures = textures
        self._time = time
        self._notes = notes
        self._looks: dict[str, Look | None] = {}
        self._plain: dict[bool, Look] = {}

    def look(self, prim: Usd.Prim, colored: bool) -> Look:
        """What a geometry prim or subset is drawn with; `colored`: it has a displayColor."""
        material = bound_material(prim)
        key = material_key(material)
        if key not in self._looks:
            self._looks[key] = self._read(material) if material else None
        if not material and UsdShade.MaterialBindingAPI(prim).GetDirectBinding().GetMaterialPath():
            self._notes.add("bindings to materials that do not exist", str(prim.GetPath()))
        return self._looks[key] or self._unbound(colored)

    def uses_display_color(self, looks: Sequence[Look]) -> bool:
        """Whether any of these is coloured by the mesh."""
        return any(self.materials[look.material].use_display_color for look in looks)

    def _unbound(self, colored: bool) -> Look:
        if colored not in self._plain:
            plain = (
                Material(name="displayColor", base_color=(1.0, 1.0, 1.0), use_display_color=True)
                if colored
                else Material(name="grey")
            )
            self._plain[colored] = self._add(plain, "")
        return self._plain[colored]

    def _add(self, material: Material, st_name: str) -> Look:
        self.materials.append(material)
        return Look(len(self.materials) - 1, st_name)

    def _read(self, material: UsdShade.Material) -> Look | None:
        """A bound material; None when it has no UsdPreviewSurface."""
        path = str(material.GetPath())
        surface = material.ComputeSurfaceSource()[0]
        if not surface:
            self._notes.add(f"{_other_surface(material)} materials are drawn plain", path)
            return None
        identity = surface.GetShaderId()
        if identity != "UsdPreviewSurface":
            self._notes.add(f"{identity or 'source asset'} materials are drawn plain", path)
            return None
        network = Network(path, self._textures, self._time, self._notes)
        self._note_missing(surface, network, path)
        return self._add(read_preview_surface(surface, network, path), network.st_name)

    def _note_missing(self, surface: UsdShade.Shader, network: Network, path: str) -> None:
        """Inputs that are authored and change the look, but are not rendered."""
        for name, (kind, default) in _NOT_RENDERED.items():
            if network.differs(surface, name, default):
                self._notes.add(f"{kind} not rendered", path)
        fractional = network.differs(surface, "opacity", (1.0,))
        if fractional and not network.differs(surface, "opacityThreshold", (0.0,)):
            self._notes.add("fractional opacity is cut out at 0.5", path)


def read_preview_surface(surface: UsdShade.Shader, network: Network, name: str) -> Material:
    """One UsdPreviewSurface shader as a `Material`; defaults are the schema's."""
    base = network.source(surface, "diffuseColor", (0.18, 0.18, 0.18))
    emission = network.source(surface, "emissiveColor", (0.0, 0.0, 0.0))
    roughness = network.source(surface, "roughness", (0.5,))
    specular = network.differs(surface, "useSpecularWorkflow", (0.0,))
    metallic = Source(value=(0.0,)) if specular else network.source(surface, "metallic", (0.0,))
    opacity = network.source(surface, "opacity", (1.0,))
    threshold = network.source(surface, "opacityThreshold", (0.0,))
    return Material(
        name=name,
        base_color=(1.0, 1.0, 1.0) if base.display_color else _rgb(base),
        base_color_texture=base.texture,
        use_display_color=base.display_color,
        emission=_rgb(emission),
        emission_texture=emission.texture,
        roughness=roughness.value[0],
        roughness_texture=roughness.texture,
        metallic=metallic.value[0],
        metallic_texture=metallic.texture,
        opacity=opacity.value[0],
        opacity_texture=opacity.texture,
        opacity_threshold=threshold.value[0],
    )


_NOT_RENDERED: dict[str, tuple[str, tuple[float, ...]]] = {
    "normal": ("normal maps are", (0.0, 0.0, 1.0)),
    "displacement": ("displacement is", (0.0,)),
    "clearcoat": ("clearcoat is", (0.0,)),
    "occlusion": ("occlusion maps are", (1.0,)),
    "ior": ("an index of refraction other than 1.5 is", (1.5,)),
    "useSpecularWorkflow": ("the specular workflow is", (0.0,)),
}


def bound_material(prim: Usd.Prim) -> UsdShade.Material:
    """The material USD binds to a prim or subset; false when there is none."""
    return UsdShade.MaterialBindingAPI(prim).ComputeBoundMaterial()[0]


def material_key(material: UsdShade.Material) -> str:
    """Equal for the copies of a material in the instances of one prototype."""
    return home_path(material.GetPrim()) if material else ""


def home_path(prim: Usd.Prim) -> str:
    """The path of a prim, in the prototype when it is part of an instance."""
    return str((prim.GetPrimInPrototype() if prim.IsInstanceProxy() else prim).GetPath())


def _rgb(source: Source) -> Rgb:
    r, g, b = source.value
    return r, g, b


def _other_surface(material: UsdShade.Material) -> str:
    """Which renderer's surface a material has instead of the universal one."""
    contexts = {
        output.GetBaseName().removesuffix(":surface")
        for output in material.GetSurfaceOutputs()
        if output.HasConnectedSource()
    }
    names = {"mdl": "MDL", "mtlx": "MaterialX"}
    return ", ".join(sorted(names.get(c, c) for c in contexts)) or "empty"

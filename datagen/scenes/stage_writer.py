"""A plan as a USD stage: one layer, PNG textures beside it, relative references, no dates.

Layout of the stage (opens as it is in any USD tool, Isaac Sim included):

    /World                 Z up, metres, default prim
        Looks/<texture>    UsdPreviewSurface + UsdUVTexture + UsdPrimvarReader_float2
        Set, Objects, Movers/<name>   references to prototypes, instanceable where shared
        Lights/<name>
    /Prototypes            class; one Xform with one Mesh per part

Moving objects carry `xformOp:translate` and `xformOp:orient` time samples, dense enough that the
linear interpolation of USD stays within micrometres of the path.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pxr import Gf, Sdf, Usd, UsdGeom, UsdShade

from datagen.scenes.layouts.plan import Part, Placement, Plan, PlanTexture
from datagen.scenes.stage_lights import add_light, add_sky
from datagen.scenes.stage_prims import add_picture, fill_mesh
from datagen.scenes.textures.library import LIBRARY

RATE = 120.0
"""timeCodesPerSecond."""
MARGIN = 0.5
"""Samples reach this far beyond both ends of the segment [s]."""
TEXTURES = "textures"
SKY = "sky"


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """When moving objects are sampled."""

    duration: float
    rate: float
    """Samples per second, a multiple of `RATE`."""

    @property
    def times(self) -> NDArray[np.float64]:
        """Sample times [s]."""
        first = -int(np.ceil(MARGIN * self.rate))
        last = int(np.ceil((self.duration + MARGIN) * self.rate))
        return np.arange(first, last + 1) / self.rate


def write_stage(plan: Plan, timing: Timing, path: Path) -> None:
    """Write the layer; the textures that it names are written by `write_png`."""
    stage = Usd.Stage.CreateInMemory()
    _header(stage, timing)
    for texture in plan.textures.values():
        _material(stage, texture)
    placed = Counter(placement.part.name for placement in plan.placements)
    stage.CreateClassPrim("/Prototypes")
    for part in plan.parts:
        if part.name in placed:
            _prototype(stage, part)
    for group in ("Set", "Objects", "Movers"):
        UsdGeom.Scope.Define(stage, f"/World/{group}")
    for placement in plan.placements:
        _placement(stage, placement, shared=placed[placement.part.name] > 1, timing=timing)
    for index, light in enumerate(plan.lights):
        add_light(stage, light, index)
    add_sky(stage, plan.sky.radiance, texture_file(SKY))
    stage.GetRootLayer().Export(str(path))


def write_png(pixels: NDArray[np.uint8], path: Path) -> None:
    """An 8-bit RGB picture."""
    run_length = 3  # zlib's Z_RLE: noise holds no long matches, and searching for them costs most
    Image.fromarray(pixels).save(path, format="PNG", compress_level=6, compress_type=run_length)


def texture_file(name: str) -> str:
    """Where a texture lies, relative to the stage."""
    return f"./{TEXTURES}/{name}.png"


def _header(stage: Usd.Stage, timing: Timing) -> None:
    UsdGeom.SetStageUpAxis(stage, UsdGeom.Tokens.z)
    UsdGeom.SetStageMetersPerUnit(stage, 1.0)
    stage.SetTimeCodesPerSecond(RATE)
    stage.SetFramesPerSecond(RATE)
    stage.SetStartTimeCode(0.0)
    stage.SetEndTimeCode(timing.duration * RATE)
    world = UsdGeom.Xform.Define(stage, "/World")
    stage.SetDefaultPrim(world.GetPrim())
    UsdGeom.Scope.Define(stage, "/World/Looks")
    UsdGeom.Scope.Define(stage, "/World/Lights")


def _material(stage: Usd.Stage, texture: PlanTexture) -> None:
    finish = LIBRARY[texture.pattern]
    root = f"/World/Looks/{texture.name}"
    material = UsdShade.Material.Define(stage, root)
    wrap = "repeat" if finish.repeats else "clamp"
    file = texture_file(texture.name)
    picture = add_picture(material, "albedo", file, space="sRGB", wrap=wrap)
    rgb = picture.GetOutput("rgb")
    surface = UsdShade.Shader.Define(stage, f"{root}/surface")
    surface.CreateIdAttr("UsdPreviewSurface")
    surface.CreateInput("diffuseColor", Sdf.ValueTypeNames.Color3f).ConnectToSource(rgb)
    surface.CreateInput("roughness", Sdf.ValueTypeNames.Float).Set(finish.roughness)
    surface.CreateInput("metallic", Sdf.ValueTypeNames.Float).Set(finish.metallic)
    output = surface.CreateOutput("surface", Sdf.ValueTypeNames.Token)
    material.CreateSurfaceOutput().ConnectToSource(output)


def _prototype(stage: Usd.Stage, part: Part) -> None:
    root = UsdGeom.Xform.Define(stage, f"/Prototypes/{part.name}")
    mesh = UsdGeom.Mesh.Define(stage, root.GetPath().AppendChild("mesh"))
    fill_mesh(mesh, part.shape, tile=1.0 if part.shape.fitted else part.texture.tile)
    look = UsdShade.Material.Get(stage, f"/World/Looks/{part.texture.name}")
    UsdShade.MaterialBindingAPI.Apply(mesh.GetPrim()).Bind(look)


def _placement(stage: Usd.Stage, placement: Placement, *, shared: bool, timing: Timing) -> None:
    xform = UsdGeom.Xform.Define(stage, f"/World/{placement.group}/{placement.name}")
    xform.GetPrim().GetReferences().AddInternalReference(f"/Prototypes/{placement.part.name}")
    xform.GetPrim().SetInstanceable(shared)
    translate = xform.AddTranslateOp(UsdGeom.XformOp.PrecisionDouble)
    orient = xform.AddOrientOp(UsdGeom.XformOp.PrecisionFloat)
    if placement.path is not None:
        positions, quaternions = placement.path.pose(timing.times)
        for t, position, quaternion in zip(timing.times, positions, quaternions, strict=True):
            code = Usd.TimeCode(round(float(t) * RATE, 9))
            translate.Set(Gf.Vec3d(*position.tolist()), code)
            orient.Set(_quatf(quaternion.tolist()), code)
    else:
        translate.Set(Gf.Vec3d(*placement.position))
        orient.Set(_quatf(list(placement.quaternion_xyzw)))
    if placement.scale != 1.0:
        scale = xform.AddScaleOp(UsdGeom.XformOp.PrecisionFloat)
        scale.Set(Gf.Vec3f(placement.scale))


def _quatf(xyzw: list[float]) -> Gf.Quatf:
    return Gf.Quatf(xyzw[3], xyzw[0], xyzw[1], xyzw[2])

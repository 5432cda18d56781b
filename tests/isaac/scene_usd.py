"""A `Scene` built by hand as a USD stage, so that a renderer of stages can be asked about it.

The inverse of `datagen.scenes.stage.load_scene` for what the tests' scenes hold: matrices, meshes
with normals and texture coordinates, UsdPreviewSurface with pictures, sun, lamps and sky.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from pxr import Gf, Sdf, Usd, UsdGeom, UsdLux, UsdShade, Vt

from datagen.scenes.model import DistantLight, DomeLight, Scene, SphereLight


def write_scene(scene: Scene, folder: Path) -> Path:
    """Write a stage and its pictures; instances keep their prim paths."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "scene.usda"
    stage = Usd.Stage.CreateNew(str(path))
    UsdGeom.SetStageUpAxis(stage, UsdGeom.Tokens.z)
    UsdGeom.SetStageMetersPerUnit(stage, 1.0)
    for i, texture in enumerate(scene.textures):
        Image.fromarray(texture.pixels).save(folder / f"picture_{i}.png")
    for i in sorted({int(scene.meshes[one.mesh].material[0]) for one in scene.instances}):
        _material(stage, scene, i)
    for instance in scene.instances:
        _mesh(stage, scene, instance)
    for i, light in enumerate(scene.lights):
        _light(stage, light, i)
    stage.GetRootLayer().Save()
    return path


def _mesh(stage: Any, scene: Scene, instance: Any) -> None:
    mesh, prim = scene.meshes[instance.mesh], UsdGeom.Mesh.Define(stage, instance.prim_path)
    corners = mesh.triangles.reshape(-1)
    prim.CreatePointsAttr(Vt.Vec3fArray.FromNumpy(mesh.points.astype(np.float32)))
    prim.CreateFaceVertexCountsAttr(
        Vt.IntArray.FromNumpy(np.full(len(mesh.triangles), 3, np.int32))
    )
    prim.CreateFaceVertexIndicesAttr(Vt.IntArray.FromNumpy(corners.astype(np.int32)))
    prim.CreateSubdivisionSchemeAttr("none")
    prim.CreateNormalsAttr(
        Vt.Vec3fArray.FromNumpy(np.ascontiguousarray(mesh.normals.reshape(-1, 3)))
    )
    prim.SetNormalsInterpolation("faceVarying")
    st = UsdGeom.PrimvarsAPI(prim).CreatePrimvar(
        "st", Sdf.ValueTypeNames.TexCoord2fArray, "faceVarying"
    )
    st.Set(Vt.Vec2fArray.FromNumpy(np.ascontiguousarray(mesh.st.reshape(-1, 2))))
    prim.AddTransformOp().Set(Gf.Matrix4d(instance.world_from_object.T.tolist()))
    look = UsdShade.Material.Get(stage, f"/Looks/look_{int(mesh.material[0])}")
    UsdShade.MaterialBindingAPI.Apply(prim.GetPrim()).Bind(look)


def _material(stage: Any, scene: Scene, i: int) -> None:
    root, material = f"/Looks/look_{i}", scene.materials[i]
    look = UsdShade.Material.Define(stage, root)
    shader = UsdShade.Shader.Define(stage, f"{root}/surface")
    shader.CreateIdAttr("UsdPreviewSurface")
    for name, value in (
        ("diffuseColor", material.base_color),
        ("emissiveColor", material.emission),
    ):
        shader.CreateInput(name, Sdf.ValueTypeNames.Color3f).Set(Gf.Vec3f(*value))
    for name in ("roughness", "metallic", "opacity"):
        shader.CreateInput(name, Sdf.ValueTypeNames.Float).Set(getattr(material, name))
    shader.CreateInput("opacityThreshold", Sdf.ValueTypeNames.Float).Set(material.opacity_threshold)
    for name, reference in (
        ("diffuseColor", material.base_color_texture),
        ("opacity", material.opacity_texture),
    ):
        if reference is not None:
            _connect(stage, scene, root, shader.GetInput(name), reference)
    look.CreateSurfaceOutput().ConnectToSource(
        shader.CreateOutput("surface", Sdf.ValueTypeNames.Token)
    )


def _connect(stage: Any, scene: Scene, root: str, target: Any, reference: Any) -> None:
    texture = scene.textures[reference.texture]
    picture = UsdShade.Shader.Define(stage, f"{root}/picture_{target.GetBaseName()}")
    picture.CreateIdAttr("UsdUVTexture")
    file = Sdf.AssetPath(f"./picture_{reference.texture}.png")
    picture.CreateInput("file", Sdf.ValueTypeNames.Asset).Set(file)
    space = "sRGB" if texture.srgb else "raw"
    picture.CreateInput("sourceColorSpace", Sdf.ValueTypeNames.Token).Set(space)
    for axis, wrap in (("wrapS", texture.wrap_s), ("wrapT", texture.wrap_t)):
        picture.CreateInput(axis, Sdf.ValueTypeNames.Token).Set(wrap)
    reader = UsdShade.Shader.Define(stage, f"{root}/st")
    reader.CreateIdAttr("UsdPrimvarReader_float2")
    reader.CreateInput("varname", Sdf.ValueTypeNames.String).Set("st")
    st = reader.CreateOutput("result", Sdf.ValueTypeNames.Float2)
    picture.CreateInput("st", Sdf.ValueTypeNames.Float2).ConnectToSource(st)
    kind = Sdf.ValueTypeNames.Float3 if reference.channel == "rgb" else Sdf.ValueTypeNames.Float
    target.ConnectToSource(picture.CreateOutput(reference.channel, kind))


def _light(stage: Any, light: Any, i: int) -> None:
    match light:
        case DistantLight():
            prim = UsdLux.DistantLight.Define(stage, f"/Lights/sun_{i}")
            prim.CreateAngleAttr(float(np.rad2deg(light.angle)))
            _shine(prim, light.irradiance)
            prim.CreateNormalizeAttr(True)
            turn = Gf.Rotation(Gf.Vec3d(0, 0, -1), Gf.Vec3d(*light.direction)).GetQuat()
            prim.AddOrientOp(UsdGeom.XformOp.PrecisionDouble).Set(Gf.Quatd(turn))
        case SphereLight():
            lamp = UsdLux.SphereLight.Define(stage, f"/Lights/lamp_{i}")
            lamp.CreateRadiusAttr(light.radius)
            lamp.CreateTreatAsPointAttr(light.radius == 0.0)
            _shine(lamp, tuple(4.0 * v for v in light.intensity))
            lamp.CreateNormalizeAttr(True)
            lamp.AddTranslateOp().Set(Gf.Vec3d(*light.position))
        case DomeLight():
            dome = UsdLux.DomeLight.Define(stage, f"/Lights/sky_{i}")
            _shine(dome, light.radiance)
            if light.texture is not None:
                dome.CreateTextureFileAttr(Sdf.AssetPath(f"./picture_{light.texture}.png"))
                dome.CreateTextureFormatAttr("latlong")
            turned = np.eye(4)
            turned[:3, :3] = light.world_from_dome
            dome.AddTransformOp().Set(Gf.Matrix4d(turned.T.tolist()))


def _shine(light: Any, rgb: tuple[float, ...]) -> None:
    level = max(rgb)
    light.CreateIntensityAttr(level)
    light.CreateColorAttr(Gf.Vec3f(*(v / level for v in rgb)))

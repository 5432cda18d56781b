"""The stage that a renderer is examined with: a wall, a tilted plane, a ball and a moving box.

All surfaces glow in a checker of their own colour, so that pictures have edges and brightness even
where a renderer's lights are not understood; a sun and a sky light them as well. No file but one
picture is needed, so nothing is downloaded.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pxr import Gf, Sdf, Usd, UsdGeom, UsdLux, UsdShade

from datagen.scenes.shapes.mesh import Shape
from datagen.scenes.shapes.revolve import sphere
from datagen.scenes.shapes.solids import box
from datagen.scenes.stage_lights import aim
from datagen.scenes.stage_prims import add_picture, fill_mesh

CODES_PER_SECOND = 100.0
COLOURS = {
    "wall": (0.9, 0.5, 0.3),
    "plane": (0.3, 0.8, 0.4),
    "ball": (0.4, 0.5, 0.9),
    "box": (0.9, 0.9, 0.3),
}
CHECKER = 16
"""Squares along one side of the picture."""


def write_doctor_stage(folder: Path, box_poses: NDArray[np.float64], *, level: float = 1.0) -> Path:
    """Write the stage and its picture.

    Args:
        folder: where to; created if absent.
        box_poses: `world_from_box` at time codes 0, 1, ..., shape (N, 4, 4).
        level: factor on everything that shines.

    Returns:
        The stage file.
    """
    folder.mkdir(parents=True, exist_ok=True)
    _write_checker(folder / "checker.png")
    path = folder / "doctor.usda"
    stage = Usd.Stage.CreateNew(str(path))
    UsdGeom.SetStageUpAxis(stage, UsdGeom.Tokens.z)
    UsdGeom.SetStageMetersPerUnit(stage, 1.0)
    stage.SetTimeCodesPerSecond(CODES_PER_SECOND)
    for name, shape, pose in _things():
        prim = _thing(stage, name, shape, level)
        prim.AddTransformOp().Set(Gf.Matrix4d(pose.T.tolist()))
    moving = _thing(stage, "box", box((0.6, 0.5, 0.4)), level).AddTransformOp()
    for code, pose in enumerate(box_poses):
        moving.Set(Gf.Matrix4d(pose.T.tolist()), Usd.TimeCode(code))
    _lights(stage, level)
    stage.GetRootLayer().Save()
    return path


def _things() -> list[tuple[str, Shape, NDArray[np.float64]]]:
    tilted, ball, wall = np.eye(4), np.eye(4), np.eye(4)
    c, s = np.cos(0.5), np.sin(0.5)
    tilted[:3, :3] = [[1, 0, 0], [0, c, -s], [0, s, c]]
    tilted[:3, 3] = (-0.9, 0.6, 0.5)
    ball[:3, 3] = (0.8, 0.4, 0.5)
    wall[:3, 3] = (0.0, 2.0, 1.0)
    return [
        ("wall", box((8.0, 0.2, 6.0)), wall),
        ("plane", box((1.2, 1.6, 0.02)), tilted),
        ("ball", sphere(0.5, 96), ball),
    ]


def _thing(stage: Usd.Stage, name: str, shape: Shape, level: float) -> UsdGeom.Mesh:
    mesh = UsdGeom.Mesh.Define(stage, f"/World/{name}")
    fill_mesh(mesh, shape, tile=1.0)
    UsdShade.MaterialBindingAPI.Apply(mesh.GetPrim()).Bind(_look(stage, name, level))
    return mesh


def _look(stage: Usd.Stage, name: str, level: float) -> UsdShade.Material:
    root = f"/World/Looks/{name}"
    look = UsdShade.Material.Define(stage, root)
    picture = add_picture(look, "checker", "./checker.png", space="raw", wrap="repeat")
    red, green, blue = (0.5 * level * value for value in COLOURS[name])
    picture.CreateInput("scale", Sdf.ValueTypeNames.Float4).Set(Gf.Vec4f(red, green, blue, 1.0))
    surface = UsdShade.Shader.Define(stage, f"{root}/surface")
    surface.CreateIdAttr("UsdPreviewSurface")
    surface.CreateInput("diffuseColor", Sdf.ValueTypeNames.Color3f).Set(Gf.Vec3f(*COLOURS[name]))
    surface.CreateInput("roughness", Sdf.ValueTypeNames.Float).Set(1.0)
    glow = surface.CreateInput("emissiveColor", Sdf.ValueTypeNames.Color3f)
    glow.ConnectToSource(picture.GetOutput("rgb"))
    output = surface.CreateOutput("surface", Sdf.ValueTypeNames.Token)
    look.CreateSurfaceOutput().ConnectToSource(output)
    return look


def _lights(stage: Usd.Stage, level: float) -> None:
    sun = UsdLux.DistantLight.Define(stage, "/World/sun")
    sun.CreateIntensityAttr(1.5 * level)
    sun.CreateNormalizeAttr(True)
    sun.CreateAngleAttr(1.0)
    aim(sun, (0.4, 0.7, -0.6))
    UsdLux.DomeLight.Define(stage, "/World/sky").CreateIntensityAttr(0.3 * level)


def _write_checker(path: Path) -> None:
    """Dark and bright squares, with a soft gradient so that no two look the same."""
    side = 256
    row, column = np.indices((side, side)) * CHECKER // side
    pixels = np.where((row + column) % 2, 230, 60) + (column - row)
    Image.fromarray(pixels.astype(np.uint8)).convert("RGB").save(path)

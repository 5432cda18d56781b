"""The stage that a USD renderer opens for one segment: the scene's own stage under our camera.

In: a stage file, the `Scene` that was loaded from it, and the camera. Out: a layer that sublayers
the stage and adds, without touching the file,

* `/Datagen/Camera`, a pinhole with square pixels, a centred principal point and no exposure: RTX
  multiplies its linear picture by the camera's exposure, and half floats of a darkened picture are
  coarse;
* on every lamp that camera rays do not hit it: no label knows it;
* on every moving prim a transform that replaces its own (reset stack, world matrix), so that a
  renderer's time line needs to know nothing of the stage's clock;
* the change to Z up and metres, on the topmost prims that have transforms;
* the default lights where the scene has them.

Animation of anything else is held at the stage's start. Instancing is undone, so that every
instance label is a prim of its own.

USD's camera maps x / z to the picture by focalLength / horizontalAperture, both in the same unit:
focalLength = fx * horizontalAperture / width.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pxr import Gf, Sdf, Usd, UsdGeom, UsdLux

from datagen.errors import SceneError
from datagen.scenes.model import DistantLight, DomeLight, Scene
from datagen.scenes.stage_lights import add_dome, add_sun
from datagen.scenes.usd.light import default_lights
from datagen.scenes.usd.motion import placement
from datagen.scenes.usd.opening import quiet
from schemas.camera import Intrinsics
from schemas.scene import UsdScene

CAMERA = "/Datagen/Camera"
POSE = "xformOp:transform:datagen"
PLACEMENT = "xformOp:transform:datagenPlacement"
RESET = "!resetXformStack!"
APERTURE = 20.955
"""Horizontal aperture; only its ratio to the focal length counts."""
CODES_PER_SECOND = 64.0
"""A power of two: steps of 1/64 s add up without rounding, so every step is exactly on its code."""
LENS_SCHEMA, LENS = "OmniLensDistortionOpenCvPinholeAPI", "omni:lensdistortion"
EXPOSURE_SCHEMAS = ("OmniRtxCameraExposureAPI_1", "OmniRtxCameraAutoExposureAPI_1")
NO_EXPOSURE = {
    "exposure": 0.0, "exposure:fStop": 1.0, "exposure:iso": 0.0,
    "exposure:responsivity": 1.0, "exposure:time": 1.0,
}  # fmt: skip
"""What NVIDIA's own pipelines of linear light write on a camera; ISO 0 is RTX's sign for none."""
AUTO_EXPOSURE = "omni:rtx:autoExposure:enabled"
HIDDEN = "visibleInPrimaryRay"
LAST_CODE = 1e7
CLIPPING = (0.01, 1e4)
"""[m]."""


def write_shot(
    path: Path, stage_file: Path, scene: Scene, camera: Intrinsics, *, spec: UsdScene | None = None
) -> None:
    """Write the layer.

    Args:
        path: the file to create.
        stage_file: the scene's stage; it is named by absolute path and not written to.
        scene: what was loaded from it with `spec`.
        camera: square pixels and a principal point in the middle of the picture.
        spec: placement of the stage; none when absent.

    Raises:
        SceneError: a moving thing is an instance of a point instancer.
    """
    with quiet():
        stage = _over(path, stage_file, spec)
        _define_camera(stage, camera)
        _undo_instancing(stage)
        for i in scene.moving:
            _free(stage, scene.instances[i].prim_path)
        if default_lights()[0] in [x for x in scene.lights if isinstance(x, DistantLight)]:
            _define_default_lights(stage)
        _hide_lamps(stage)
        stage.GetRootLayer().Save()


def _over(path: Path, stage_file: Path, spec: UsdScene | None) -> Usd.Stage:
    """A Z-up, metric stage over the scene's own, whose samples all lie after our last code."""
    layer = Sdf.Layer.CreateNew(str(path))
    layer.subLayerPaths.append(os.path.abspath(stage_file))
    below = Usd.Stage.Open(str(stage_file))
    world, _ = placement(below, spec)
    layer.subLayerOffsets[0] = Sdf.LayerOffset(offset=2 * LAST_CODE)
    stage = Usd.Stage.Open(layer)
    UsdGeom.SetStageUpAxis(stage, UsdGeom.Tokens.z)
    UsdGeom.SetStageMetersPerUnit(stage, 1.0)
    stage.SetTimeCodesPerSecond(CODES_PER_SECOND)
    stage.SetStartTimeCode(0.0)
    stage.SetEndTimeCode(LAST_CODE)
    if not np.array_equal(world, np.eye(4)):
        for prim in below.GetPseudoRoot().GetChildren():
            _place(stage.GetPrimAtPath(prim.GetPath()), world)
    return stage


def _place(prim: Usd.Prim, world_from_stage: NDArray[np.float64]) -> None:
    """Put a transform before those of the topmost prims that can have one."""
    xformable = UsdGeom.Xformable(prim)
    if not xformable:
        for child in prim.GetChildren():
            _place(child, world_from_stage)
        return
    order = [str(name) for name in xformable.GetXformOpOrderAttr().Get() or ()]
    attribute = prim.CreateAttribute(PLACEMENT, Sdf.ValueTypeNames.Matrix4d, custom=False)
    attribute.Set(Gf.Matrix4d(world_from_stage.T.tolist()))
    at = order.index(RESET) + 1 if RESET in order else 0
    xformable.GetXformOpOrderAttr().Set([*order[:at], PLACEMENT, *order[at:]])


def _define_camera(stage: Usd.Stage, camera: Intrinsics) -> None:
    prim = UsdGeom.Camera.Define(stage, CAMERA)
    prim.CreateProjectionAttr(UsdGeom.Tokens.perspective)
    prim.CreateHorizontalApertureAttr(APERTURE)
    prim.CreateVerticalApertureAttr(APERTURE * camera.height / camera.width)
    prim.CreateFocalLengthAttr(camera.fx * APERTURE / camera.width)
    prim.CreateFStopAttr(0.0)
    prim.CreateClippingRangeAttr(Gf.Vec2f(*CLIPPING))
    _expose_nothing(prim.GetPrim())
    _free(stage, CAMERA)


def _expose_nothing(camera: Usd.Prim) -> None:
    """Radiance as it is. The schemas are Omniverse's, so they are applied by name."""
    for schema in EXPOSURE_SCHEMAS:
        camera.AddAppliedSchema(schema)
    for name, value in NO_EXPOSURE.items():
        camera.CreateAttribute(name, Sdf.ValueTypeNames.Float, custom=False).Set(value)
    camera.CreateAttribute(AUTO_EXPOSURE, Sdf.ValueTypeNames.Bool, custom=False).Set(False)


def _hide_lamps(stage: Usd.Stage) -> None:
    """All lights but domes, which are the background."""
    for prim in stage.Traverse():
        if prim.HasAPI(UsdLux.LightAPI) and not prim.IsA(UsdLux.DomeLight):
            prim.CreateAttribute(HIDDEN, Sdf.ValueTypeNames.Bool, custom=False).Set(False)


def shift_camera(path: Path, columns: float, camera: Intrinsics) -> None:
    """Give a shot's camera the aperture offset of a principal point `columns` right of the middle.

    USD's frustum is moved by the offset, so the picture moves the other way.
    """
    stage = Usd.Stage.Open(str(path))
    offset = -columns * APERTURE / camera.width
    UsdGeom.Camera(stage.GetPrimAtPath(CAMERA)).CreateHorizontalApertureOffsetAttr(offset)
    stage.GetRootLayer().Save()


def give_opencv_lens(path: Path, lens: Intrinsics) -> None:
    """Give a shot's camera RTX's OpenCV pinhole lens: any focal lengths and principal point.

    The schema is Omniverse's and not registered with USD elsewhere, so it is applied by name. Its
    image size must be written: focal lengths refer to it, and its default is another camera's.
    """
    stage = Usd.Stage.Open(str(path))
    prim = stage.GetPrimAtPath(CAMERA)
    prim.AddAppliedSchema(LENS_SCHEMA)
    prim.CreateAttribute(f"{LENS}:model", Sdf.ValueTypeNames.Token).Set("opencvPinhole")
    size = prim.CreateAttribute(f"{LENS}:opencvPinhole:imageSize", Sdf.ValueTypeNames.Int2)
    size.Set(Gf.Vec2i(lens.width, lens.height))
    for name in ("fx", "fy", "cx", "cy"):
        value = prim.CreateAttribute(f"{LENS}:opencvPinhole:{name}", Sdf.ValueTypeNames.Float)
        value.Set(getattr(lens, name))
    stage.GetRootLayer().Save()


def _undo_instancing(stage: Usd.Stage) -> None:
    """Until none is left: undoing one may show others inside it."""
    while instances := [prim for prim in stage.Traverse() if prim.IsInstance()]:
        for prim in instances:
            prim.SetInstanceable(False)


def _free(stage: Usd.Stage, path: str) -> None:
    """Let a prim's world transform be ours alone."""
    prim = stage.GetPrimAtPath(path) if "[" not in path else None
    if not prim:
        raise SceneError(
            f"{path} moves inside a point instancer, whose instances cannot be posed one by one in "
            "this renderer; expected a prim of its own; replace the instancer by references"
        )
    attribute = prim.CreateAttribute(POSE, Sdf.ValueTypeNames.Matrix4d, custom=False)
    attribute.Set(Gf.Matrix4d(1.0))
    UsdGeom.Xformable(prim).GetXformOpOrderAttr().Set([RESET, POSE])


def _define_default_lights(stage: Usd.Stage) -> None:
    sun, dome = default_lights()
    assert isinstance(sun, DistantLight)
    assert isinstance(dome, DomeLight)
    add_sun(stage, sun, "/Datagen/Sun")
    add_dome(stage, dome.radiance, "/Datagen/Sky")

"""The stage that Isaac Sim opens, read back with USD's own library: cameras, poses, placement."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from contract.scenes import box, busy_scene, place, quad, scene
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from isaac.scene_usd import write_scene
from numpy.typing import NDArray
from pxr import Gf, Usd, UsdGeom
from scipy.spatial.transform import Rotation

from datagen.errors import SceneError, SpecError
from datagen.geometry.camera import projection_matrix
from datagen.render.isaac.datagen_kit.frame_guards import require_pose, require_projection
from datagen.render.isaac.datagen_kit.matrices import (
    USD_FROM_OPENCV,
    camera_prim_pose,
    expected_view,
    usd_rows,
)
from datagen.render.isaac.framing import framing_of
from datagen.render.isaac.lead import views_before
from datagen.scenes.doctor_stage import write_doctor_stage
from datagen.scenes.model import Scene
from datagen.scenes.shot import (
    AUTO_EXPOSURE,
    CAMERA,
    EXPOSURE_SCHEMAS,
    HIDDEN,
    NO_EXPOSURE,
    POSE,
    write_shot,
)
from datagen.scenes.stage import load_scene
from schemas.arrays import Views
from schemas.camera import Intrinsics
from schemas.scene import UsdScene

SEEN = scene((quad(), place()))


def shot(seen: Scene, camera: Intrinsics, folder: Path, **others: Any) -> Usd.Stage:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"shot_{len(list(folder.iterdir()))}.usda"
    stage_file = others.pop("stage_file", None) or write_scene(seen, folder / f"of_{path.stem}")
    write_shot(path, stage_file, seen, camera, **others)
    return Usd.Stage.Open(str(path))


@st.composite
def cameras(draw: st.DrawFn) -> Intrinsics:
    width, height = draw(st.integers(8, 1280)), draw(st.integers(8, 720))
    focal = draw(st.floats(0.4, 4.0)) * width
    halves = st.integers(-8, 8)
    cx, cy = (width + draw(halves)) / 2, (height + draw(halves)) / 2
    return Intrinsics(width, height, focal, focal, cx, cy)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(camera=cameras(), seed=st.integers(0, 2**31))
def test_usd_frustum_gives_our_pixels(camera: Intrinsics, seed: int, tmp_path: Path) -> None:
    """Project points by USD's own frustum to within 1e-4 px of our camera model, after the crop."""
    rng = np.random.default_rng(seed)
    framing = framing_of(camera)
    stage = shot(SEEN, framing.camera, tmp_path)
    pose = np.eye(4)
    pose[:3, :3] = Rotation.random(random_state=seed % 2**31).as_matrix()
    pose[:3, 3] = rng.uniform(-50, 50, 3)
    prim = stage.GetPrimAtPath(CAMERA)
    prim.GetAttribute(POSE).Set(Gf.Matrix4d(usd_rows(camera_prim_pose(pose)).tolist()))
    frustum = UsdGeom.Camera(prim).GetCamera(Usd.TimeCode.Default()).frustum
    u, v = rng.uniform(0, camera.width, 20), rng.uniform(0, camera.height, 20)
    z = rng.uniform(0.5, 50.0, 20)
    x, y = (u - camera.cx) / camera.fx * z, (v - camera.cy) / camera.fy * z
    points = np.column_stack([x, y, z]) @ pose[:3, :3].T + pose[:3, 3]
    clip = frustum.ComputeViewMatrix() * frustum.ComputeProjectionMatrix()
    ndc = np.array([clip.Transform(Gf.Vec3d(*p)) for p in points.tolist()])
    column = (ndc[:, 0] + 1) / 2 * framing.camera.width - framing.left
    row = (1 - ndc[:, 1]) / 2 * framing.camera.height - framing.top
    np.testing.assert_allclose(column, u, rtol=0, atol=1e-4)
    np.testing.assert_allclose(row, v, rtol=0, atol=1e-4)
    np.testing.assert_allclose(expected_view(pose), frustum.ComputeViewMatrix(), atol=1e-9)


@pytest.mark.parametrize("change", [{"fy": 99.0}, {"cx": 20.3}], ids=str)
def test_cameras_that_cannot_be_cropped_are_refused(change: dict[str, float]) -> None:
    """Name the field for pixels that are not square and a principal point off the half pixels."""
    camera = {"width": 40, "height": 32, "fx": 40.0, "fy": 40.0, "cx": 20.0, "cy": 16.0} | change
    with pytest.raises(SpecError, match=next(iter(change))):
        framing_of(Intrinsics(**camera))  # type: ignore[arg-type]


def test_posed_prim_is_where_it_is_put(tmp_path: Path) -> None:
    """Replace the transforms of a moving prim and all above it."""
    poses = np.array([place(0.1 * k, 0.2, 0.3) for k in range(3)])
    stage_file = write_doctor_stage(tmp_path / "doctor", poses)
    seen = load_scene(stage_file)
    stage = shot(seen, Intrinsics(8, 8, 8.0, 8.0, 4.0, 4.0), tmp_path, stage_file=stage_file)
    prim = stage.GetPrimAtPath("/World/box")
    wanted = place(5.0, 6.0, 7.0, linear=np.diag([1.0, 2.0, 3.0]))
    prim.GetAttribute(POSE).Set(Gf.Matrix4d(wanted.T.tolist()))
    for code in (0.0, 1.0, 400.0):
        world = UsdGeom.Xformable(prim).ComputeLocalToWorldTransform(Usd.TimeCode(code))
        np.testing.assert_array_equal(np.array(world).T, wanted)


@pytest.mark.parametrize("spec", [None, UsdScene(path="", translation=(1.0, 2.0, 3.0), scale=2.0)])
def test_stage_of_other_units_comes_to_metres(spec: UsdScene | None, tmp_path: Path) -> None:
    """Show a Y-up stage in centimetres where our own loader puts it."""
    stage_file = write_scene(scene((box(), place(100.0, 200.0, 300.0))), tmp_path / "cm")
    below = Usd.Stage.Open(str(stage_file))
    UsdGeom.SetStageUpAxis(below, UsdGeom.Tokens.y)
    UsdGeom.SetStageMetersPerUnit(below, 0.01)
    below.GetRootLayer().Save()
    seen = load_scene(stage_file, spec=spec)
    camera = Intrinsics(8, 8, 8.0, 8.0, 4.0, 4.0)
    stage = shot(seen, camera, tmp_path / "s", stage_file=stage_file, spec=spec)
    assert UsdGeom.GetStageMetersPerUnit(stage) == 1.0
    assert UsdGeom.GetStageUpAxis(stage) == "Z"
    prim = UsdGeom.Xformable(stage.GetPrimAtPath(seen.instances[0].prim_path))
    world = np.array(prim.ComputeLocalToWorldTransform(Usd.TimeCode.Default())).T
    np.testing.assert_allclose(world, seen.instances[0].world_from_object, atol=1e-12)


def test_camera_sees_radiance_as_it_is_and_no_lamp(tmp_path: Path) -> None:
    """Switch the camera's exposure off, and take lamps, but no dome, out of the picture."""
    poses = np.array([place(0.0, 0.2, 0.3)])
    stage_file = write_doctor_stage(tmp_path / "doctor", poses)
    seen = load_scene(stage_file)
    stage = shot(seen, Intrinsics(8, 8, 8.0, 8.0, 4.0, 4.0), tmp_path, stage_file=stage_file)
    camera = stage.GetPrimAtPath(CAMERA)
    assert UsdGeom.Camera(camera).GetFStopAttr().Get() == 0.0
    assert {name: camera.GetAttribute(name).Get() for name in NO_EXPOSURE} == NO_EXPOSURE
    assert camera.GetAttribute(AUTO_EXPOSURE).Get() is False
    assert all(name in str(camera.GetMetadata("apiSchemas")) for name in EXPOSURE_SCHEMAS)
    assert stage.GetPrimAtPath("/World/sun").GetAttribute(HIDDEN).Get() is False
    assert not stage.GetPrimAtPath("/World/sky").GetAttribute(HIDDEN).HasAuthoredValue()


def test_thing_in_a_moving_instancer_is_refused(tmp_path: Path) -> None:
    """Say which prim cannot be posed."""
    seen = busy_scene()
    camera = Intrinsics(8, 8, 8.0, 8.0, 4.0, 4.0)
    stage_file = write_scene(seen, tmp_path / "of")
    inside = [
        dataclasses.replace(i, prim_path="/a[3]/b") if i.moving else i for i in seen.instances
    ]
    moved = dataclasses.replace(seen, instances=tuple(inside))
    with pytest.raises(SceneError, match=r"/a\[3\]/b"):
        shot(moved, camera, tmp_path / "s", stage_file=stage_file)


def test_user_stage_is_not_written_to(tmp_path: Path) -> None:
    """Leave the stage's bytes as they are."""
    stage_file = write_scene(SEEN, tmp_path / "of")
    before = stage_file.read_bytes()
    shot(SEEN, Intrinsics(8, 8, 8.0, 8.0, 4.0, 4.0), tmp_path / "s", stage_file=stage_file)
    assert stage_file.read_bytes() == before


def test_lead_continues_the_motion_backwards() -> None:
    """Arrive at the first view with the step that follows it."""
    step = place(0.1, 0.0, 0.0, linear=Rotation.from_euler("z", 0.1).as_matrix())
    line: list[NDArray[np.float64]] = [place(1.0, 2.0, 3.0)]
    for _ in range(4):
        line.append(line[-1] @ step)
    objects = np.zeros((2, 0, 4, 4))
    t = np.array([40, 50], np.int64)
    lead = views_before(
        Views(t=t, world_from_camera=np.array(line[2:4]), world_from_object=objects), 2
    )
    np.testing.assert_allclose(lead.world_from_camera, line[:2], atol=1e-12)
    np.testing.assert_array_equal(lead.t, [20, 30])


@pytest.mark.parametrize("product", ["rp1", "rp2"])
def test_reference_cameras_pass_our_guards(shared_dir: Path, product: str) -> None:
    """Accept Isaac Sim's own matrices, and land on the pixels that it printed."""
    golden = json.loads((shared_dir / "isaac-golden/pose_writer" / f"pinhole_{product}.json").read_text())  # fmt: skip
    told = golden["camera_data"]
    view = np.array(told["camera_view_matrix"])
    pose = np.linalg.inv(view.T) @ USD_FROM_OPENCV
    require_pose(view, pose, 1e-6)
    width, height = told["resolution"]
    focal = width * told["focal_length"] / told["aperture"][0]
    require_projection(np.array(told["camera_projection_matrix"]), (width, height), (focal, focal))
    camera = Intrinsics(width, height, focal, focal, width / 2, height / 2)
    for cube in golden["objects"]:
        points = np.array(cube["cuboid_keypoints_world_frame"]) - pose[:3, 3]
        printed = np.array(cube["cuboid_keypoints_projected"])
        image = points @ pose[:3, :3] @ projection_matrix(camera)[:3, :3].T
        assert np.abs(image[:, :2] / image[:, 2:] - printed).max() <= 0.5

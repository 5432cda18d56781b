"""Authored preset stages: bytes, validity as USD, layout rules over time."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from pxr import Usd, UsdGeom, UsdShade, UsdUtils
from scipy.spatial.transform import Rotation

from datagen.scenes.layouts.plan import Placement, Plan
from datagen.scenes.presets import author_preset, plan_preset
from datagen.scenes.shapes.mesh import Shape
from datagen.scenes.stage import load_scene
from datagen.scenes.stage_writer import Timing, write_stage
from schemas.scene import Preset, PresetScene

PRESETS: tuple[Preset, ...] = ("tabletop", "room", "warehouse", "corridor", "planes")
DURATION = 1.0


def digest(folder: Path) -> str:
    """SHA-256 over names and contents of all files of a folder."""
    total = hashlib.sha256()
    for file in sorted(folder.rglob("*")):
        if file.is_file():
            total.update(str(file.relative_to(folder)).encode() + file.read_bytes())
    return total.hexdigest()


def surface_points(shape: Shape, spacing: float) -> NDArray[np.float64]:
    """Points on the triangles, about `spacing` apart."""
    corners = shape.points[shape.triangles]
    longest = max(np.linalg.norm(np.roll(corners, 1, axis=1) - corners, axis=2).max(), spacing)
    steps = min(int(np.ceil(longest / spacing)), 80)
    i, j = (m.reshape(-1) for m in np.indices((steps + 1, steps + 1)))
    keep = i + j <= steps
    weights = np.stack([i[keep], j[keep], steps - i[keep] - j[keep]], axis=1) / steps
    return (weights @ corners).reshape(-1, 3)


def world_points(placement: Placement, t: NDArray[np.float64]) -> NDArray[np.float64]:
    """Surface points of a placement in the world, at all times, (N, 3)."""
    moving = placement.path is not None
    big = placement.part.shape.radius > 1.0
    local = placement.scale * surface_points(placement.part.shape, 0.12 if big else 0.05)
    if not moving:
        return Rotation.from_quat(placement.quaternion_xyzw).apply(local) + placement.position
    positions, quaternions = placement.path.pose(t)
    rotations = Rotation.from_quat(quaternions).as_matrix()
    return (local[::4] @ rotations.transpose(0, 2, 1) + positions[:, None]).reshape(-1, 3)


def plan_for(preset: Preset, **fields: object) -> Plan:
    """The plan of segment 0."""
    return plan_preset(PresetScene(preset=preset, **fields), segment_id=0)


@pytest.fixture(scope="module")
def authored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A complete stage with textures."""
    spec = PresetScene(preset="planes", objects=4, moving_objects=2)
    folder = tmp_path_factory.mktemp("authored")
    return author_preset(spec, segment_id=3, duration=DURATION, folder=folder)


def test_same_inputs_give_the_same_bytes_in_another_folder(authored: Path, tmp_path: Path) -> None:
    """Write one stage twice: every file is identical."""
    spec = PresetScene(preset="planes", objects=4, moving_objects=2)
    folder = tmp_path / "another" / "place"
    author_preset(spec, segment_id=3, duration=DURATION, folder=folder)
    assert digest(folder) == digest(authored.parent)


def test_a_blank_stage_is_the_same_stage(authored: Path, tmp_path: Path) -> None:
    """Leave out the paint and nothing else."""
    spec = PresetScene(preset="planes", objects=4, moving_objects=2)
    blank = author_preset(spec, segment_id=3, duration=DURATION, folder=tmp_path, blank=True)
    assert blank.read_bytes() == authored.read_bytes()
    pictures = {picture.pixels.shape[:2] for picture in load_scene(blank).textures}
    assert pictures == {(1, 1)}


def test_every_asset_resolves_beside_the_stage(authored: Path) -> None:
    """Ask USD for all dependencies: none is missing and all lie in the stage's folder."""
    _, assets, missing = UsdUtils.ComputeAllDependencies(str(authored))
    assert not missing
    assert len(assets) >= 3
    assert all(Path(asset).is_relative_to(authored.parent) for asset in assets)


def test_loaded_lights_equal_the_planned_ones(authored: Path) -> None:
    """Read the stage back: directions, irradiance, intensity survive USD's light units."""
    plan = plan_preset(PresetScene(preset="planes", objects=4, moving_objects=2), segment_id=3)
    scene = load_scene(authored)
    assert not scene.notes
    sun, lamp = scene.lights[:2]
    np.testing.assert_allclose(sun.irradiance, plan.lights[0].irradiance, rtol=1e-6)
    np.testing.assert_allclose(sun.direction, plan.lights[0].direction, atol=1e-6)
    np.testing.assert_allclose(lamp.intensity, plan.lights[1].intensity, rtol=1e-6)


def test_loaded_motion_stays_on_the_closed_form_path(authored: Path) -> None:
    """Compare interpolated time samples with the path between samples: within 30 micrometres."""
    plan = plan_preset(PresetScene(preset="planes", objects=4, moving_objects=2), segment_id=3)
    paths = [placement.path for placement in plan.placements if placement.path is not None]
    scene = load_scene(authored)
    for t in (0.0, 0.123456, DURATION):
        loaded = scene.motion(t)
        for pose, path in zip(loaded, paths, strict=True):
            position, quaternion = path.pose(np.array([t]))
            np.testing.assert_allclose(pose[:3, 3], position[0], atol=3e-5)
            rotation = Rotation.from_quat(quaternion[0]).as_matrix()
            np.testing.assert_allclose(pose[:3, :3], rotation, atol=1e-4)


@pytest.mark.parametrize("preset", PRESETS)
def test_stage_is_valid_usd(preset: Preset, tmp_path: Path) -> None:
    """Check units, axes, meshes, bindings, counts and animation of each preset's layer."""
    path = tmp_path / "stage.usdc"
    write_stage(plan_for(preset), Timing(duration=DURATION, rate=120.0), path)
    stage = Usd.Stage.Open(str(path))
    assert UsdGeom.GetStageUpAxis(stage) == UsdGeom.Tokens.z
    assert UsdGeom.GetStageMetersPerUnit(stage) == 1.0
    assert stage.GetDefaultPrim().GetPath() == "/World"
    for group, count in (("Objects", 16), ("Movers", 3)):
        assert len(stage.GetPrimAtPath(f"/World/{group}").GetChildren()) == count
    for prim in stage.Traverse(Usd.TraverseInstanceProxies()):
        if prim.IsA(UsdGeom.Mesh):
            mesh = UsdGeom.Mesh(prim)
            corners = len(mesh.GetFaceVertexIndicesAttr().Get())
            assert len(mesh.GetNormalsAttr().Get()) == corners
            assert len(UsdGeom.PrimvarsAPI(mesh).GetPrimvar("st").Get()) == corners
            assert UsdShade.MaterialBindingAPI(prim).ComputeBoundMaterial()[0]
    for prim in stage.GetPrimAtPath("/World/Movers").GetChildren():
        codes = prim.GetAttribute("xformOp:orient").GetTimeSamples()
        assert codes[0] <= 0.0
        assert codes[-1] >= DURATION * stage.GetTimeCodesPerSecond()


@pytest.mark.parametrize("preset", PRESETS)
def test_cameras_have_a_free_ring(preset: Preset) -> None:
    """Sample all surfaces over 6 s: nothing tall between 0.7 and 2.6 m of the axis."""
    for placement in plan_for(preset, moving_objects=9).placements:
        points = world_points(placement, np.linspace(0.0, 6.0, 60))
        distance = np.hypot(points[:, 0], points[:, 1])
        in_ring = (distance > 0.7) & (distance < 2.6)
        assert not np.any(in_ring & (points[:, 2] > 0.2) & (points[:, 2] < 2.0)), placement.name


def test_corridor_has_a_free_tube() -> None:
    """Sample all surfaces over 6 s: the camera's tube along x stays empty."""
    for placement in plan_for("corridor", moving_objects=9, objects=40).placements:
        x, y, z = np.abs(world_points(placement, np.linspace(0.0, 6.0, 60)).T)
        assert not np.any((x < 4.0) & (y < 0.5) & (z > 0.8) & (z < 1.6)), placement.name


@pytest.mark.parametrize("preset", PRESETS)
def test_objects_stand_on_or_above_the_ground(preset: Preset) -> None:
    """Find the lowest point of objects and movers: never below the floor or table at z = 0."""
    for placement in plan_for(preset, moving_objects=9).placements:
        if placement.group != "Set":
            points = world_points(placement, np.linspace(0.0, 6.0, 60))
            assert points[:, 2].min() > -1e-6, placement.name


@pytest.mark.parametrize("count", [3, 9, 40])
@pytest.mark.parametrize("preset", ["tabletop", "room", "planes"])
def test_moving_objects_never_meet(preset: Preset, count: int) -> None:
    """Follow the bounding balls of all moving objects for 10 s: no two of them overlap."""
    movers = [p for p in plan_for(preset, moving_objects=count).placements if p.path is not None]
    radius = np.array([placement.part.shape.radius for placement in movers])
    t = np.linspace(0.0, 10.0, 101)
    track = np.stack([p.path.pose(t)[0] for p in movers if p.path is not None])
    for a in range(count):
        apart = np.linalg.norm(track[a + 1 :] - track[a], axis=2)
        assert np.all(apart > (radius[a + 1 :] + radius[a])[:, None] - 1e-9)


@pytest.mark.parametrize("preset", PRESETS)
def test_size_is_modest(preset: Preset) -> None:
    """Count triangles and textures of the default spec."""
    plan = plan_for(preset)
    triangles = sum(len(placement.part.shape.triangles) for placement in plan.placements)
    assert triangles < 100_000
    assert len(plan.textures) <= 25


def test_segment_and_variation_choose_the_layout() -> None:
    """Compare layouts: a segment's own differs from another's; a fixed variation does not."""

    def places(segment_id: int, variation: int | str) -> list[tuple[float, float, float]]:
        spec = PresetScene(variation=variation)
        return [p.position for p in plan_preset(spec, segment_id=segment_id).placements]

    assert places(0, "segment") != places(1, "segment")
    assert places(0, 7) == places(1, 7)
    assert places(7, "segment") == places(0, 7)


def test_contrast_and_speed_leave_the_layout_alone() -> None:
    """Change texture contrast and motion speed: objects at rest stay where they are."""
    plain = plan_for("room")
    other = plan_for("room", texture_contrast=0.2, motion_speed=3.0, moving_objects=8)
    rest = [p.position for p in plain.placements if p.group != "Movers"]
    assert rest == [p.position for p in other.placements if p.group != "Movers"]


@settings(max_examples=8)
@given(
    preset=st.sampled_from(PRESETS),
    objects=st.sampled_from([0, 1, 2, 5, 60, 500]),
    moving=st.sampled_from([0, 1, 2, 4, 30, 100]),
    seed=st.integers(0, 2**63 - 1),
)
def test_any_number_of_objects_is_placed(
    preset: Preset, objects: int, moving: int, seed: int
) -> None:
    """Draw counts and seeds: the plan holds exactly what was asked for."""
    plan = plan_for(preset, objects=objects, moving_objects=moving, seed=seed)
    groups = [placement.group for placement in plan.placements]
    assert groups.count("Objects") == objects
    assert groups.count("Movers") == moving

"""What varies from segment to segment: by the seed alone, and never inside a segment."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from isaac.isaac_kit import LIMITS, installation
from numpy.typing import NDArray

from datagen.render.isaac.datagen_kit.variation import variations
from datagen.render.isaac.host import IsaacSimRenderer
from datagen.scenes.presets import author_preset
from datagen.scenes.stage import load_scene
from schemas.arrays import Labels, Views
from schemas.camera import CameraSpec
from schemas.render import IsaacRendererSpec, StageVariation
from schemas.scene import PresetScene

VARIED = IsaacRendererSpec(randomise=StageVariation(shift=0.3))


@pytest.fixture(scope="module")
def stage_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    spec = PresetScene(preset="planes", objects=2, moving_objects=1)
    folder = tmp_path_factory.mktemp("stage")
    return author_preset(spec, segment_id=0, duration=0.1, folder=folder)


def render(stage_file: Path, key: int) -> tuple[Labels, NDArray[np.float32]]:
    """Two views of one instant and pose."""
    seen = load_scene(stage_file)
    t = np.zeros(2, np.int64)
    pose = np.eye(4)
    pose[:3, :3] = np.array([[0, 0, -1], [1, 0, 0], [0, -1, 0]], float)
    pose[:3, 3] = (1.6, 0.0, 0.6)
    views = Views(t=t, world_from_camera=np.stack([pose, pose]), world_from_object=seen.poses(t))
    renderer = IsaacSimRenderer(
        VARIED, seen, CameraSpec(width=40, height=32).intrinsics, stage_file=stage_file,
        placement=None, installation=installation(), limits=LIMITS, key=key,
    )  # fmt: skip
    labels, light = renderer.labels(views), renderer.radiance(views)
    renderer.close()
    return labels, light


@pytest.mark.slow
def test_stage_varies_with_the_seed_alone(stage_file: Path) -> None:
    """Give one world per seed: equal in every frame and process, another one for another seed."""
    (first, light), (again, same_light), (other, other_light) = (
        render(stage_file, key) for key in (1, 1, 2)
    )
    np.testing.assert_array_equal(light[0], light[1])
    np.testing.assert_array_equal(light, same_light)
    np.testing.assert_array_equal(first.depth, again.depth)
    assert not np.array_equal(first.depth, other.depth)
    assert not np.array_equal(light, other_light)


def test_pictures_are_dealt_and_lights_stay_in_bounds() -> None:
    """Keep every picture, and every factor between its bounds."""
    found = [("texture", i, "inputs:file", f"{i}.png") for i in range(5)]
    found += [("light", 9, "inputs:intensity", 2.0)]
    wish = {"light": (0.5, 2.0), "textures": True, "shift": 0.0}
    out = variations(found, wish, np.random.default_rng(0))
    assert sorted(value for _, name, value in out if name == "inputs:file") == [f"{i}.png" for i in range(5)]  # fmt: skip
    (factor,) = (value / 2.0 for _, name, value in out if name == "inputs:intensity")
    assert 0.5 <= factor <= 2.0

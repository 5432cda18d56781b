"""The scene and the views that the renderer benchmarks share."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from datagen.scenes.model import Scene
from datagen.scenes.presets import author_preset
from datagen.scenes.stage import load_scene
from schemas.arrays import Views
from schemas.camera import CameraSpec, Intrinsics, MountSpec
from schemas.scene import PresetScene
from schemas.trajectory import Orbital
from trajectories.sample import camera_path

STEP_US = 5_000
"""Between pictures; about half a pixel of motion at 256 columns."""


def preset_scene(
    *, preset: str = "tabletop", objects: int = 16, moving_objects: int = 3, seed: int = 1
) -> Scene:
    """A preset, three seconds long."""
    spec = PresetScene.model_validate(
        {"preset": preset, "seed": seed, "objects": objects, "moving_objects": moving_objects}
    )
    with tempfile.TemporaryDirectory() as folder:
        return load_scene(author_preset(spec, segment_id=0, duration=3.0, folder=Path(folder)))


def camera_of(width: int, height: int) -> Intrinsics:
    """60 degrees wide."""
    return CameraSpec(width=width, height=height, horizontal_fov_deg=60.0).intrinsics


def orbit(scene: Scene, count: int, *, first_us: int = 500_000, step_us: int = STEP_US) -> Views:
    """Pictures of a moving orbit with moving objects."""
    return at_times(scene, first_us + step_us * np.arange(count, dtype=np.int64))


def at_times(scene: Scene, t: NDArray[np.int64]) -> Views:
    """Views on the orbit at times [us]."""
    path = camera_path(Orbital(angular_speed=0.8), MountSpec(), t * 1e-6, base_dir=Path())
    return Views(t=t, world_from_camera=path.matrices(), world_from_object=scene.poses(t))

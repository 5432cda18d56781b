"""Poses of every kind of path pass at any frame rate; velocities that are a little wrong do not."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from path_examples import EXAMPLES, KINDS, TUM_FILE, recording, shaken, write_tum

from datagen.validate.motion import check_poses
from schemas.camera import MountSpec
from schemas.trajectory import Fixed, LookAt, Orbital, ShakeSpec, Static
from trajectories.sample import sample_path

RATES = (30, 60, 120, 1000 / 3)
"""[Hz]; frame times are whole microseconds, so the intervals of these differ by one."""


def _failed(
    path: Any, rate: float, folder: Path, *, pace: float = 1.0, frames: int | None = None
) -> set[str]:
    """Names of the checks that a path fails in a second, or some frames; `pace` scales its stored
    velocities.
    """
    write_tum(folder / TUM_FILE, recording())
    t = np.rint(np.arange(frames or round(rate)) * 1e6 / rate).astype(np.int64)
    poses = sample_path(path, t * 1e-6, base_dir=folder)
    columns = {
        "pose/position": poses.position,
        "pose/quaternion_xyzw": poses.quaternion_xyzw,
        "pose/linear_velocity": pace * poses.linear_velocity,
        "pose/angular_velocity": pace * poses.angular_velocity,
    }
    spec = SimpleNamespace(
        segments=[SimpleNamespace(segment_id=0, trajectory=path)],
        camera=SimpleNamespace(mount=MountSpec()),
    )
    segment = SimpleNamespace(
        name="path",
        path=folder / "path.h5",
        times=t,
        frame_count=len(t),
        read=columns.__getitem__,
        spec=spec,
        segment_id=0,
    )
    return {check.name for check in check_poses(segment) if not check.passed}  # type: ignore[arg-type]


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("kind", KINDS)
def test_paths_pass_at_any_frame_rate(kind: type, rate: float, tmp_path: Path) -> None:
    """Pass paths with and without tremor, whole microseconds between frames or not."""
    assert not _failed(EXAMPLES[kind], rate, tmp_path)
    assert not _failed(shaken(kind), rate, tmp_path)


def test_tremor_beyond_the_frame_rate_passes(tmp_path: Path) -> None:
    """Ask nothing of a few frames between which the camera trembles to and fro."""
    for seed in range(40):
        shake = ShakeSpec(seed=seed, frequency_min=0.5, frequency_max=60.0)
        still = Static(position=(1.9, -0.5, 1.0), shake=shake)
        assert not _failed(still, 24.5, tmp_path, frames=5)


@pytest.mark.parametrize("rate", RATES)
def test_wrong_velocity_fails_at_any_frame_rate(rate: float, tmp_path: Path) -> None:
    """Fail velocities that are five per cent too large."""
    for kind in KINDS:
        moving = _failed(EXAMPLES[kind], rate, tmp_path, pace=1.05)
        assert ("pose/linear_velocity" in moving) == (kind.__name__ != "Static")


@pytest.mark.parametrize("speed", [100.0, 188.4, 190.0, 2000.0])
@pytest.mark.parametrize("orientation", [LookAt(), Fixed(quaternion_xyzw=(0.0, 0.0, 0.0, 1.0))])
def test_paths_pass_that_turn_far_between_frames(
    speed: float, orientation: LookAt | Fixed, tmp_path: Path
) -> None:
    """Pass a path that goes round about once or many times from frame to frame."""
    path = Orbital(angular_speed=speed, orientation=orientation)
    assert not _failed(path, 30, tmp_path)


@pytest.mark.parametrize("speed", [60.0, 100.0, 2000.0])
def test_wrong_rate_fails_beyond_half_a_turn(speed: float, tmp_path: Path) -> None:
    """Tell a wrong angular velocity where frames hide whole turns."""
    path = Orbital(angular_speed=speed)
    assert "pose/angular_velocity" in _failed(path, 30, tmp_path, pace=1.01)

"""Paths of moving objects: closed forms checked against physics and geometry."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from datagen.scenes.motion_paths import Lissajous, MotionPath, Pendulum, Rolling, Shuttle
from datagen.scenes.presets import plan_preset
from schemas.scene import PresetScene

T = np.linspace(-0.5, 8.0, 2041)

PATHS: dict[str, MotionPath] = {
    "lissajous": Lissajous(
        centre=(0.1, 0.2, 0.9),
        amplitude=(0.4, 0.3, 0.1),
        frequency=(0.2, 0.4, 0.4),
        phase=(0.3, 0.6, 1.0),
        spin_axis=(1.0, 2.0, -1.0),
        spin_rate=1.7,
    ),
    "pendulum": Pendulum(
        pivot=(0.0, 0.0, 2.5), length=1.5, swing=0.4, frequency=0.4, phase=0.5, heading=1.1
    ),
    "rolling": Rolling(centre=(0.0, 0.0, 0.07), radius=0.8, wheel=0.07, rate=0.8, start=0.4),
    "shuttle": Shuttle(
        centre=(0.0, 3.0, 0.0), direction=0.3, reach=2.0, frequency=0.08, phase=0.2, sway=0.1
    ),
}


def angular_velocity(quaternion: np.ndarray, dt: float) -> np.ndarray:
    """World angular velocity from neighbouring rotations, (N - 1, 3)."""
    rotation = Rotation.from_quat(quaternion)
    return (rotation[1:] * rotation[:-1].inv()).as_rotvec() / dt


@pytest.mark.parametrize("name", PATHS)
def test_quaternions_are_unit_and_never_flip(name: str) -> None:
    """Sample densely: unit length, neighbours on the same half of the sphere, small steps."""
    position, quaternion = PATHS[name].pose(T)
    np.testing.assert_allclose(np.linalg.norm(quaternion, axis=1), 1.0, atol=1e-12)
    assert np.einsum("ij,ij->i", quaternion[1:], quaternion[:-1]).min() > 0.99
    assert np.linalg.norm(np.diff(position, axis=0), axis=1).max() < 0.01


def test_wheel_does_not_slip() -> None:
    """Add v and omega x r at the contact point: the sum vanishes."""
    path = PATHS["rolling"]
    t = np.arange(0.0, 1.0, 1e-4)
    position, quaternion = path.pose(t)
    velocity = np.diff(position, axis=0) / 1e-4
    contact = np.cross(angular_velocity(quaternion, 1e-4), [0.0, 0.0, -0.07])
    np.testing.assert_allclose(velocity + contact, 0.0, atol=2e-3)


def test_wheel_axle_points_along_the_radius() -> None:
    """Turn the object's z axis into the world: it lies on the line from the centre."""
    position, quaternion = PATHS["rolling"].pose(T)
    axle = Rotation.from_quat(quaternion).apply([0.0, 0.0, 1.0])
    radial = position - [0.0, 0.0, 0.07]
    np.testing.assert_allclose(axle, radial / 0.8, atol=1e-9)


def test_pendulum_hangs_on_its_rod() -> None:
    """Go from the bob along its own z by the rod's length: that is the pivot, always."""
    position, quaternion = PATHS["pendulum"].pose(T)
    up = Rotation.from_quat(quaternion).apply([0.0, 0.0, 1.5])
    np.testing.assert_allclose(position + up, np.tile([0.0, 0.0, 2.5], (len(T), 1)), atol=1e-9)


def test_motion_speed_scales_time() -> None:
    """Double the speed: the same poses come at half the time."""

    def paths(speed: float) -> list[MotionPath]:
        spec = PresetScene(preset="warehouse", moving_objects=6, motion_speed=speed)
        plan = plan_preset(spec, segment_id=0)
        return [p.path for p in plan.placements if p.path is not None]

    for slow, fast in zip(paths(1.0), paths(2.0), strict=True):
        for a, b in zip(slow.pose(T), fast.pose(T / 2), strict=True):
            np.testing.assert_allclose(a, b, atol=1e-9)

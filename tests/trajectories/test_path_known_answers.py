"""Paths and orientations with answers known from geometry."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from path_examples import EXAMPLES, KINDS
from scipy.integrate import quad
from scipy.spatial.transform import Rotation

from schemas.arrays import PoseArray
from schemas.trajectory import (
    AlongPath,
    Fixed,
    Linear,
    Lissajous,
    LookAt,
    Orbital,
    Radial,
    Ramp,
    ShakeSpec,
    Sine,
    Spline,
    Static,
    Vertical,
)
from trajectories.sample import sample_path


def at(spec: Any, *times: float) -> PoseArray:
    return sample_path(spec, np.array(times, np.float64), base_dir=Path())


def test_full_orbit_returns() -> None:
    """Come back to the same pose after one turn."""
    poses = at(Orbital(angular_speed=math.pi), 0.0, 2.0)
    np.testing.assert_allclose(poses.matrices()[1], poses.matrices()[0], atol=1e-14)


def test_orbit_speed_is_radius_times_rate() -> None:
    """Move with r omega, be pulled inwards with r omega^2, and turn about the vertical."""
    poses = at(Orbital(radius=2.0, angular_speed=0.7, phase=0.3), *np.linspace(0, 5, 11))
    inwards = -poses.position * (1, 1, 0) / 2.0
    np.testing.assert_allclose(np.linalg.norm(poses.linear_velocity, axis=1), 1.4, rtol=1e-13)
    np.testing.assert_allclose(poses.linear_acceleration, inwards * 0.98, atol=1e-13)
    np.testing.assert_allclose(poses.angular_velocity, [[0, 0, 0.7]] * 11, atol=1e-13)
    np.testing.assert_allclose(poses.angular_acceleration, 0.0, atol=1e-12)


@pytest.mark.parametrize(("direction", "y"), [("counterclockwise", 1.5), ("clockwise", -1.5)])
def test_orbit_direction_is_seen_from_above(direction: Any, y: float) -> None:
    """Be at (0, +-r) after a quarter turn."""
    poses = at(Orbital(direction=direction, angular_speed=math.pi / 2), 1.0)
    np.testing.assert_allclose(poses.position, [[0.0, y, 0.8]], atol=1e-14)


@pytest.mark.parametrize("speed", [Ramp(start=0.4, rate=-0.3), EXAMPLES[Orbital].angular_speed])
def test_orbit_angle_is_the_integral_of_the_speed(speed: Any) -> None:
    """Reach the angle that quadrature gives."""

    def rate(t: float) -> float:
        if isinstance(speed, Ramp):
            return speed.start + speed.rate * t
        return speed.mean + speed.amplitude * math.sin(
            2 * math.pi * speed.frequency * t + speed.phase
        )

    x, y, _ = at(Orbital(angular_speed=speed), 1.7).position[0]
    assert math.atan2(y, x) == pytest.approx(quad(rate, 0.0, 1.7)[0], abs=1e-12)


def test_orbit_spirals_out_and_up() -> None:
    """Follow profiles of radius and height about the centre."""
    spec = Orbital(center=(1, 2, 3), radius=Ramp(start=1, rate=0.5), height=Ramp(start=0, rate=2))
    offset = at(spec, 0.0, 2.0).position - (1, 2, 3)
    np.testing.assert_allclose(np.hypot(offset[:, 0], offset[:, 1]), [1.0, 2.0])
    np.testing.assert_allclose(offset[:, 2], [0.0, 4.0])


def test_radial_swings_between_its_ends() -> None:
    """Be at distance +- amplitude a quarter and three quarters of a period in, on the line."""
    spec = Radial(direction=(3, 0, 4), distance=2.0, amplitude=0.5, frequency=1.0, center=(0, 1, 0))
    poses = at(spec, 0.0, 0.25, 0.75)
    expected = [(1.2, 1, 1.6), (1.5, 1, 2.0), (0.9, 1, 1.2)]
    np.testing.assert_allclose(poses.position, expected, atol=1e-14)


def test_vertical_moves_only_up_and_down() -> None:
    """Rise by the amplitude and keep x and y."""
    poses = at(Vertical(base=(1, 2, 3), amplitude=0.5, frequency=0.5), 0.0, 0.5)
    np.testing.assert_allclose(poses.position, [(1, 2, 3), (1, 2, 3.5)], atol=1e-14)


def test_linear_keeps_its_velocity() -> None:
    """Be at start + velocity t, without acceleration."""
    poses = at(Linear(start=(1, 2, 3), velocity=(0.5, -1, 0.25)), 0.0, 2.0)
    np.testing.assert_allclose(poses.position[1], (2, 0, 3.5))
    np.testing.assert_allclose(poses.linear_velocity, [(0.5, -1, 0.25)] * 2)
    np.testing.assert_array_equal(poses.linear_acceleration, 0.0)


def test_static_rests() -> None:
    """Have exactly equal poses and no motion."""
    poses = at(Static(position=(1, 2, 3)), 0.0, 1.0, 50.0)
    assert (poses.matrices() == poses.matrices()[0]).all()
    for motion in (poses.linear_velocity, poses.angular_velocity, poses.angular_acceleration):
        np.testing.assert_array_equal(motion, 0.0)


def test_lissajous_axes_are_independent_sines() -> None:
    """Be at centre + amplitude sin(2 pi f t + phase) on each axis."""
    spec = Lissajous(
        center=(1, 2, 3), amplitude=(1, 2, 0.5), frequency=(1, 0.5, 0), phase=(0, 0, math.pi / 2)
    )
    np.testing.assert_allclose(at(spec, 0.25).position, [(2, 2 + math.sqrt(2), 3.5)], atol=1e-14)


def test_spline_passes_its_waypoints_and_ends_without_acceleration() -> None:
    """Interpolate, naturally."""
    spec: Spline = EXAMPLES[Spline]
    poses = at(spec, *(w.t for w in spec.waypoints))
    np.testing.assert_allclose(poses.position, [w.position for w in spec.waypoints], atol=1e-14)
    np.testing.assert_allclose(poses.linear_acceleration[[0, -1]], 0.0, atol=1e-12)


def test_look_at_frame_is_right_down_forward() -> None:
    """See, from (2, 0, 0) towards the origin: right = +y, down = -z, forward = -x."""
    rotation = at(Static(position=(2, 0, 0)), 0.0).matrices()[0, :3, :3]
    np.testing.assert_allclose(rotation.T, [(0, 1, 0), (0, 0, -1), (-1, 0, 0)], atol=1e-15)


@pytest.mark.parametrize(
    "kind", [k for k in KINDS if k in (Orbital, Radial, Vertical, Linear, Static)]
)
def test_look_at_sees_its_target_on_the_optical_axis(kind: type) -> None:
    """Find the target at (0, 0, distance) in the camera, with `up` upwards in the picture."""
    target, up = (0.1, -0.2, 0.3), (0.1, 0.2, 1.0)
    spec = EXAMPLES[kind].model_copy(update={"orientation": LookAt(target=target, up=up)})
    poses = at(spec, *np.linspace(0, 1, 7))
    into_body = poses.matrices()[:, :3, :3].transpose(0, 2, 1)
    offset = target - poses.position
    seen = (into_body @ offset[..., None])[..., 0]
    distance = np.linalg.norm(offset, axis=1)
    np.testing.assert_allclose(seen, np.outer(distance, (0, 0, 1)), atol=1e-13)
    up_seen = into_body @ np.array(up)
    np.testing.assert_allclose(up_seen[:, 0], 0.0, atol=1e-13)
    assert (up_seen[:, 1] < 0).all()


def test_along_path_looks_along_the_velocity() -> None:
    """Have the velocity on the optical axis."""
    poses = at(Orbital(orientation=AlongPath(), radius=2.0), *np.linspace(0, 3, 7))
    forward = poses.matrices()[:, :3, 2]
    speed = np.linalg.norm(poses.linear_velocity, axis=1, keepdims=True)
    np.testing.assert_allclose(forward, poses.linear_velocity / speed, atol=1e-14)


def test_fixed_keeps_its_rotation() -> None:
    """Use the quaternion, normalised, at all times."""
    q = (0.2, -0.4, 0.6, 1.0)
    poses = at(
        Linear(start=(0, 0, 0), velocity=(1, 0, 0), orientation=Fixed(quaternion_xyzw=q)), 0, 1
    )
    np.testing.assert_allclose(poses.quaternion_xyzw, [np.array(q) / np.linalg.norm(q)] * 2)


STILL = Static(position=(2, 0, 1))
SHAKE = ShakeSpec(seed=1, position_rms=0.02, rotation_rms_deg=0.5)


def test_shake_has_its_rms_on_every_axis() -> None:
    """Have the asked root mean square over a long time, in position and rotation."""
    t = np.arange(20_000) * 0.05
    moved = at(STILL.model_copy(update={"shake": SHAKE}), *t)
    rest = at(STILL, 0.0)
    displacement = moved.position - rest.position
    turn = Rotation.from_quat(rest.quaternion_xyzw[0]).inv() * Rotation.from_quat(
        moved.quaternion_xyzw
    )
    np.testing.assert_allclose(np.sqrt((displacement**2).mean(axis=0)), 0.02, rtol=0.02)
    rms = np.degrees(np.sqrt((turn.as_rotvec() ** 2).mean(axis=0)))
    np.testing.assert_allclose(rms, 0.5, rtol=0.02)


def test_shake_of_one_frequency_has_its_rms() -> None:
    """Keep the rms when the band is a single frequency."""
    shake = ShakeSpec(position_rms=0.02, frequency_min=2.0, frequency_max=2.0)
    moved = at(STILL.model_copy(update={"shake": shake}), *(np.arange(1000) * 1e-3))
    rms = np.sqrt(((moved.position - STILL.position) ** 2).mean(axis=0))
    np.testing.assert_allclose(rms, 0.02, rtol=1e-9)


def test_shake_follows_its_seed() -> None:
    """Repeat with the same seed and differ with another."""
    same, again, other = (
        at(STILL.model_copy(update={"shake": ShakeSpec(seed=seed)}), 0.3).position
        for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(same, again)
    assert (same != other).all()


def test_shake_does_not_make_the_body_follow_its_target() -> None:
    """Keep the rotation of the path when only the position trembles."""
    shake = ShakeSpec(position_rms=0.1, rotation_rms_deg=0.0)
    calm = at(Orbital(), 0.5)
    moved = at(Orbital(shake=shake), 0.5)
    np.testing.assert_allclose(moved.quaternion_xyzw, calm.quaternion_xyzw, atol=1e-15)


def test_profiles_agree_with_their_constant() -> None:
    """Give the same orbit for a constant, a flat ramp and a still sine."""
    flat = [0.5, Ramp(start=0.5, rate=0.0), Sine(mean=0.5, amplitude=0.0, frequency=1.0)]
    paths = [at(Orbital(angular_speed=p, radius=p, height=p), 0.3, 1.1).position for p in flat]
    np.testing.assert_allclose(paths[1], paths[0], atol=1e-15)
    np.testing.assert_allclose(paths[2], paths[0], atol=1e-15)

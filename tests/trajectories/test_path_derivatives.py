"""Velocities and accelerations of every kind of trajectory against numerical differentiation."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from path_examples import EXAMPLES, KINDS, SHAKE, shaken

from schemas.arrays import PoseArray
from schemas.camera import MountSpec
from schemas.trajectory import AlongPath, Lissajous, LookAt, Orbital, Static
from trajectories.sample import camera_path, sample_path

T = np.arange(20) * 0.05 + 0.025
"""Mid-way between samples of the recording and waypoints, where the third derivative may jump."""
H = 2e-3
STENCIL = {1: 4 / 5, 2: -1 / 5, 3: 4 / 105, 4: -1 / 280}
"""Central difference of eighth order."""
MOUNT = MountSpec(translation=(0.2, -0.1, 0.3), quaternion_xyzw=(0.3, -0.2, 0.5, 0.7))

Sample = Callable[[np.ndarray], PoseArray]


def differentiate(f: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """df/dt at T."""
    return sum(w * (f(T + k * H) - f(T - k * H)) for k, w in STENCIL.items()) / H


def assert_derivatives_agree(sample: Sample) -> None:
    poses = sample(T)
    rate = differentiate(lambda t: sample(t).matrices()[:, :3, :3])
    spin = rate @ poses.matrices()[:, :3, :3].transpose(0, 2, 1)
    omega = np.stack([spin[:, 2, 1], spin[:, 0, 2], spin[:, 1, 0]], axis=1)
    near = {"rtol": 1e-7, "atol": 1e-8}
    np.testing.assert_allclose(
        poses.linear_velocity, differentiate(lambda t: sample(t).position), **near
    )
    np.testing.assert_allclose(poses.angular_velocity, omega, **near)
    np.testing.assert_allclose(
        poses.linear_acceleration, differentiate(lambda t: sample(t).linear_velocity), **near
    )
    np.testing.assert_allclose(
        poses.angular_acceleration, differentiate(lambda t: sample(t).angular_velocity), **near
    )


@pytest.mark.parametrize("kind", KINDS)
def test_derivatives_of_every_kind(kind: type, base_dir: Path) -> None:
    """Equal the differences of positions, rotations and velocities."""
    assert_derivatives_agree(lambda t: sample_path(EXAMPLES[kind], t, base_dir=base_dir))


@pytest.mark.parametrize("kind", KINDS)
def test_derivatives_with_shake_and_mount(kind: type, base_dir: Path) -> None:
    """Keep them exact for a trembling body with the camera on a lever arm."""
    assert_derivatives_agree(lambda t: camera_path(shaken(kind), MOUNT, t, base_dir=base_dir))


@pytest.mark.parametrize(
    "orientation", [LookAt(target=(0.1, 0.2, 0.0), up=(0.2, 0, 1)), AlongPath()]
)
def test_derivatives_of_every_orientation(orientation: Any) -> None:
    """Keep them exact for rotations that follow from the position and from the velocity."""
    spec = Orbital(height=0.7, orientation=orientation, shake=SHAKE)
    assert_derivatives_agree(lambda t: sample_path(spec, t, base_dir=Path()))


def test_mount_composes_poses() -> None:
    """Put the camera at world_from_body @ body_from_camera."""
    body = sample_path(EXAMPLES[Orbital], T, base_dir=Path())
    camera = camera_path(EXAMPLES[Orbital], MOUNT, T, base_dir=Path())
    expected = body.matrices() @ MOUNT.body_from_camera()
    np.testing.assert_allclose(camera.matrices(), expected, atol=1e-14)


def test_mount_feels_centripetal_and_euler_acceleration() -> None:
    """Feel omega^2 r inwards on the outer end of an arm that turns with constant speed."""
    spec = Orbital(radius=1.0, angular_speed=2.0, height=0.0)
    mount = MountSpec(translation=(0.0, 0.0, -0.5))  # half a metre behind a body that looks inwards
    camera = camera_path(spec, mount, np.zeros(1), base_dir=Path())
    np.testing.assert_allclose(camera.position, [[1.5, 0.0, 0.0]], atol=1e-14)
    np.testing.assert_allclose(camera.linear_velocity, [[0.0, 3.0, 0.0]], atol=1e-14)
    np.testing.assert_allclose(camera.linear_acceleration, [[-6.0, 0.0, 0.0]], atol=1e-13)


@pytest.mark.parametrize("kind", KINDS)
def test_result_does_not_depend_on_the_batch(kind: type, base_dir: Path) -> None:
    """Give the same bits for all times at once and one by one: chunks must not matter."""
    whole = sample_path(shaken(kind), T, base_dir=base_dir)
    parts = [sample_path(shaken(kind), T[i : i + 1], base_dir=base_dir) for i in range(len(T))]
    for name in ("position", "linear_velocity", "angular_velocity", "linear_acceleration",
                 "angular_acceleration"):  # fmt: skip
        joined = np.concatenate([getattr(part, name) for part in parts])
        np.testing.assert_array_equal(joined, getattr(whole, name), err_msg=name)
    matrices = np.concatenate([part.matrices() for part in parts])
    np.testing.assert_array_equal(matrices, whole.matrices())


@pytest.mark.parametrize("kind", KINDS)
def test_no_times_give_no_poses(kind: type, base_dir: Path) -> None:
    """Accept an empty batch."""
    assert len(camera_path(shaken(kind), MOUNT, np.empty(0), base_dir=base_dir)) == 0


@given(
    amplitude=st.tuples(*[st.floats(-0.5, 0.5)] * 3),
    frequency=st.tuples(*[st.floats(0.0, 3.0)] * 3),
    speed=st.floats(-20.0, 20.0),
    times=st.lists(st.floats(0.0, 60.0), min_size=1, max_size=20),
)
def test_quaternions_are_unit_and_continuous(
    amplitude: tuple[float, float, float],
    frequency: tuple[float, float, float],
    speed: float,
    times: list[float],
) -> None:
    """Keep unit length, start with w >= 0, and stay on the near side of the neighbour."""
    for spec in (
        Lissajous(center=(2, 0, 1), amplitude=amplitude, frequency=frequency),
        Orbital(angular_speed=speed, shake=SHAKE),
        Static(position=(1, 2, 3)),
    ):
        q = sample_path(spec, np.array(times), base_dir=Path()).quaternion_xyzw
        np.testing.assert_allclose(np.linalg.norm(q, axis=1), 1.0, atol=1e-12)
        assert q[0, 3] >= 0
        assert ((q[1:] * q[:-1]).sum(axis=1) >= -1e-12).all()


def test_times_are_not_written_to() -> None:
    """Accept read-only times and return a copy of them."""
    t = T.copy()
    t.flags.writeable = False
    poses = sample_path(EXAMPLES[Orbital], t, base_dir=Path())
    assert not np.shares_memory(poses.t, t)

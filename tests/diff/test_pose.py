"""Learnt paths and mounts: the sampler's poses, and its derivatives."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from datagen.diff.pose import BodyPath, Mount
from datagen.errors import InputError
from schemas.camera import MountSpec
from schemas.trajectory import Lissajous, Orbital
from trajectories.sample import camera_path

T = np.array([0, 40_000, 250_000])
ORBIT = Orbital(radius=1.6, height=0.8, angular_speed=0.6)
LISSAJOUS = Lissajous(
    center=(0.3, -1.6, 0.9), amplitude=(0.5, 0.15, 0.25), frequency=(0.45, 0.3, 0.6)
)
MOUNT = MountSpec(translation=(0.1, -0.2, 0.05), quaternion_xyzw=(0.1, 0.2, -0.1, 0.9))


def test_poses_are_those_of_the_data_set() -> None:
    """Agree with the sampler that jobs use, mount included."""
    poses = Mount(MOUNT)(BodyPath(ORBIT, ["radius"])(T)).detach().numpy()
    wanted = camera_path(ORBIT, MOUNT, T * 1e-6, base_dir=Path()).matrices()
    np.testing.assert_allclose(poses, wanted, atol=1e-14)


def test_gradients_of_path_and_mount_are_differences_of_the_poses() -> None:
    """Agree with a central difference of camera poses over every learnt number."""
    path = BodyPath(LISSAJOUS, ["center", "amplitude", "frequency"])
    mount = Mount(MOUNT)
    weights = torch.randn(len(T), 4, 4, dtype=torch.float64, generator=torch.manual_seed(1))

    def loss() -> torch.Tensor:
        return (mount(path(T)) * weights).sum()

    loss().backward()
    for parameter in [*path.parameters(), *mount.parameters()]:
        found = parameter.grad
        assert found is not None
        flat = parameter.data.view(-1)
        for k in range(len(flat)):
            ends = []
            for step in (1e-5, -2e-5):
                flat[k] += step
                ends.append(loss().item())
            flat[k] += 1e-5
            assert found.view(-1)[k] == pytest.approx((ends[0] - ends[1]) / 2e-5, abs=1e-6)


def test_what_was_learnt_goes_back_into_a_job() -> None:
    """Give specs with the present values, which describe the same poses."""
    path, mount = BodyPath(ORBIT, ["radius"]), Mount(MOUNT)
    with torch.no_grad():
        path.values["radius"] += 0.2
        mount.rotation += torch.tensor([0.3, -0.1, 0.2])
        mount.translation[0] += 0.5
    assert path.spec().radius == pytest.approx(1.8)  # type: ignore[union-attr]
    wanted = camera_path(path.spec(), mount.spec(), T * 1e-6, base_dir=Path()).matrices()
    np.testing.assert_allclose(mount(path(T)).detach().numpy(), wanted, atol=1e-12)


def test_fields_without_numbers_are_refused() -> None:
    """Name the fields that there are."""
    for name in ("direction", "colour"):
        with pytest.raises(InputError, match="angular_speed"):
            BodyPath(ORBIT, [name])


def test_a_parameter_that_left_its_range_is_told() -> None:
    """Say which field has become what."""
    path = BodyPath(ORBIT, ["radius"])
    with torch.no_grad():
        path.values["radius"] -= 2.0
    with pytest.raises(InputError, match=r"orbital path with .*radius is -0\.39"):
        path(T)

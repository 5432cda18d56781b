"""Recorded trajectories: both formats, a real file, placement in time and space."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from path_examples import MOVING, TUM_FILE, recording, write_euroc, write_tum
from scipy.spatial.transform import Rotation

from schemas.trajectory import MountToWorld, Recorded
from trajectories.sample import sample_path

T = np.arange(40) * 0.035 + 0.004


def write(path: Path, format: str) -> Recorded:
    (write_tum if format == "tum" else write_euroc)(path, recording())
    return Recorded(path=path.name, format=format)  # type: ignore[arg-type]


@pytest.mark.parametrize("format", ["tum", "euroc"])
def test_recording_gives_back_the_motion(format: str, tmp_path: Path) -> None:
    """Agree with the path that was sampled at 100 Hz, between the samples, in all derivatives."""
    spec = write(tmp_path / "path.txt", format)
    got = sample_path(spec, T, base_dir=tmp_path)
    true = sample_path(MOVING, T, base_dir=tmp_path)
    np.testing.assert_allclose(got.position, true.position, atol=1e-7)
    np.testing.assert_allclose(got.matrices(), true.matrices(), atol=1e-5)
    inner = slice(3, -3)  # the rotation spline turns at a constant rate at its very ends
    np.testing.assert_allclose(got.matrices()[inner], true.matrices()[inner], atol=1e-7)
    np.testing.assert_allclose(got.linear_velocity[inner], true.linear_velocity[inner], atol=1e-5)
    np.testing.assert_allclose(got.angular_velocity[inner], true.angular_velocity[inner], atol=1e-4)
    np.testing.assert_allclose(
        got.linear_acceleration[inner], true.linear_acceleration[inner], atol=1e-2
    )


def test_mark_of_an_editor_before_the_text_is_no_pose(tmp_path: Path) -> None:
    """Read a file that an editor saved with a byte order mark in front of its comment."""
    write(tmp_path / "path.txt", "tum")
    text = (tmp_path / "path.txt").read_bytes()
    (tmp_path / "path.txt").write_bytes(b"\xef\xbb\xbf# t x y z\n" + text)
    assert len(sample_path(Recorded(path="path.txt"), T, base_dir=tmp_path)) == len(T)


def test_real_recording_passes_its_samples(shared_dir: Path) -> None:
    """Go through every pose of a hand-held camera's ground truth."""
    folder = shared_dir / "real" / "trajectories"
    rows = np.loadtxt(folder / "tum_freiburg1_xyz.txt")
    t = np.round(rows[:, 0] - rows[0, 0], 4)
    poses = sample_path(Recorded(path="tum_freiburg1_xyz.txt"), t, base_dir=folder)
    np.testing.assert_allclose(poses.position, rows[:, 1:4], atol=1e-6)
    turn = Rotation.from_quat(rows[:, 4:]).inv() * Rotation.from_quat(poses.quaternion_xyzw)
    np.testing.assert_allclose(turn.magnitude(), 0.0, atol=1e-6)
    assert ((poses.quaternion_xyzw[1:] * poses.quaternion_xyzw[:-1]).sum(axis=1) > 0).all()


def test_quaternion_signs_of_the_file_do_not_matter(tmp_path: Path) -> None:
    """Give the same motion when every other quaternion is negated."""
    poses = recording()
    flips = np.where(np.arange(len(poses)) % 2, -1.0, 1.0)[:, None]
    write_tum(tmp_path / "plain.txt", poses)
    object.__setattr__(poses, "quaternion_xyzw", poses.quaternion_xyzw * flips)
    write_tum(tmp_path / "flipped.txt", poses)
    plain, flipped = (
        sample_path(Recorded(path=name), T, base_dir=tmp_path)
        for name in ("plain.txt", "flipped.txt")
    )
    np.testing.assert_allclose(flipped.quaternion_xyzw, plain.quaternion_xyzw, atol=1e-12)
    np.testing.assert_allclose(flipped.angular_velocity, plain.angular_velocity, atol=1e-9)


def test_start_and_time_scale_map_the_time(base_dir: Path) -> None:
    """Play from `start`, `time_scale` times as fast, with rates and accelerations scaled."""
    t = np.array([0.0, 0.2, 0.3])
    fast = sample_path(Recorded(path=TUM_FILE, start=0.4, time_scale=2.0), t, base_dir=base_dir)
    plain = sample_path(Recorded(path=TUM_FILE), 0.4 + 2.0 * t, base_dir=base_dir)
    np.testing.assert_allclose(fast.position, plain.position, atol=1e-14)
    np.testing.assert_allclose(fast.linear_velocity, 2 * plain.linear_velocity, atol=1e-13)
    np.testing.assert_allclose(fast.angular_velocity, 2 * plain.angular_velocity, atol=1e-12)
    np.testing.assert_allclose(fast.linear_acceleration, 4 * plain.linear_acceleration, atol=1e-12)
    np.testing.assert_allclose(
        fast.angular_acceleration, 4 * plain.angular_acceleration, atol=1e-11
    )


def test_similarity_places_the_recording(base_dir: Path) -> None:
    """Move, turn and scale positions; turn rotations and rates."""
    t = np.array([0.1, 0.7])
    q = np.array([0.1, 0.2, -0.5, 0.8])
    place = MountToWorld(translation=(1, 2, 3), quaternion_xyzw=tuple(q), scale=2.5)
    placed = sample_path(Recorded(path=TUM_FILE, world_from_recording=place), t, base_dir=base_dir)
    plain = sample_path(Recorded(path=TUM_FILE), t, base_dir=base_dir)
    turn = Rotation.from_quat(q)
    np.testing.assert_allclose(placed.position, 2.5 * turn.apply(plain.position) + (1, 2, 3))
    np.testing.assert_allclose(placed.linear_velocity, 2.5 * turn.apply(plain.linear_velocity))
    np.testing.assert_allclose(placed.angular_velocity, turn.apply(plain.angular_velocity))
    expected = (turn * Rotation.from_quat(plain.quaternion_xyzw)).as_matrix()
    np.testing.assert_allclose(placed.matrices()[:, :3, :3], expected, atol=1e-14)


def test_changed_file_is_read_again(tmp_path: Path) -> None:
    """Do not keep what a file held before."""
    write_tum(tmp_path / "path.txt", recording(rate=20.0))
    before = sample_path(Recorded(path="path.txt"), T, base_dir=tmp_path)
    write_tum(tmp_path / "path.txt", recording(rate=10.0))
    after = sample_path(Recorded(path="path.txt"), T, base_dir=tmp_path)
    assert not np.array_equal(before.position, after.position)


def test_end_of_the_recording_is_covered_to_the_microsecond(base_dir: Path) -> None:
    """Accept the last time in spite of rounding."""
    poses = sample_path(Recorded(path=TUM_FILE), np.array([1.5 + 4e-7]), base_dir=base_dir)
    end = sample_path(Recorded(path=TUM_FILE), np.array([1.5]), base_dir=base_dir)
    np.testing.assert_array_equal(poses.position, end.position)

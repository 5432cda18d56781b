"""Depth of a scene whose truth is known from elsewhere: Isaac Sim's own renderer, and closed form.

A 10 m plane at z = 0 with three turned and stretched cubes, seen from 10 m above by a camera of
50 mm focal length and 20.955 mm aperture with square pixels.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from analytic_scene import trace
from contract.scenes import box, place, quad, rotation, scene, views_of
from numpy.typing import NDArray

from datagen.render.embedded import EmbeddedRenderer
from datagen.scenes.model import Scene
from schemas.arrays import Labels
from schemas.camera import Intrinsics

SIZES = ((4, 4), (64, 64), (67, 137), (211, 99))
TURN = (15.0, -10.0, 0.0)  # intrinsic XYZ Euler angles [deg] of the first cube
CUBES = {
    2: place(
        0.1,
        0.15,
        0.25,
        linear=rotation(0, np.radians(TURN[0]))
        @ rotation(1, np.radians(TURN[1]))
        @ np.diag([1.2, 0.8, 0.1]),
    ),
    3: place(1.0, -1.0, 0.0, linear=np.diag([0.5, 0.6, 0.7])),
    4: place(-1.0, -1.0, -0.25),
}


def camera(width: int, height: int) -> Intrinsics:
    focal = width * 50.0 / 20.955
    return Intrinsics(width, height, focal, focal, width / 2, height / 2)


def camera_pose() -> NDArray[np.float64]:
    """From above: camera axes +X forward, +Z up, turned about the fixed Y by 90 and Z by 30 deg."""
    turned = rotation(2, np.radians(30.0)) @ rotation(1, np.radians(90.0))
    forward, left, up = turned.T
    return place(0.0, 0.0, 10.0, linear=np.column_stack([-left, -up, forward]))


def stage() -> Scene:
    cube = box()
    return scene((quad(10.0, 10.0), place()), *((cube, pose) for pose in CUBES.values()))


def labels_of(width: int, height: int) -> Labels:
    seen = stage()
    renderer = EmbeddedRenderer(seen, camera(width, height), samples=1)
    return renderer.labels(views_of(seen, camera_pose()))


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_depth_equals_isaac_sim(shared_dir: Path, width: int, height: int) -> None:
    """Agree with Isaac Sim's depth at every pixel to a tenth of a millimetre."""
    name = f"pointcloud_data_camera_from_depth_res_{width}_{height}.npy"
    golden = np.load(shared_dir / "isaac-golden" / "camera_pointcloud" / name)
    depth = labels_of(width, height).depth
    assert depth.size == len(golden)
    np.testing.assert_allclose(depth.ravel(), golden[:, 2], rtol=0, atol=1e-4)


@pytest.mark.parametrize(("width", "height"), SIZES[1:])
def test_labels_equal_closed_form(width: int, height: int) -> None:
    """Agree with boxes intersected in closed form, depth to 1e-6 and ids exactly."""
    ground = place(0.0, 0.0, -0.5, linear=np.diag([5.0, 5.0, 0.5]))
    cubes = {i: pose @ np.diag([0.5, 0.5, 0.5, 1.0]) for i, pose in CUBES.items()}
    expected = trace({1: ground, **cubes}, camera_pose(), camera(width, height))
    labels = labels_of(width, height)
    np.testing.assert_allclose(labels.depth, expected.depth, rtol=1e-6)
    np.testing.assert_array_equal(labels.instance, expected.instance)

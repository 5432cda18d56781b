"""The compiled flow kernel equals its plain specification."""

from __future__ import annotations

import numpy as np
from analytic_scene import pose
from hypothesis import given
from hypothesis import strategies as st

from datagen.geometry.flow import flow_between
from datagen.geometry.flow_reference import flow_between_reference
from schemas.camera import Intrinsics

small = st.tuples(*[st.floats(-0.2, 0.2)] * 3)


@given(
    seed=st.integers(0, 2**32 - 1),
    shift=small,
    turn=small,
    object_shift=small,
    size=st.sampled_from([(2, 2), (9, 17), (32, 24)]),
    instances=st.integers(1, 4),
    relief=st.sampled_from([0.0, 0.01, 0.2]),
)
def test_kernel_equals_specification(
    seed: int,
    shift: tuple[float, float, float],
    turn: tuple[float, float, float],
    object_shift: tuple[float, float, float],
    size: tuple[int, int],
    instances: int,
    relief: float,
) -> None:
    """Give the same flow and validity, bit for bit, over rough and broken label pictures."""
    rng = np.random.default_rng(seed)
    height, width = size
    camera = Intrinsics(width=width, height=height, fx=0.8 * width, fy=width, cx=width / 2, cy=3.0)
    depth = (2.0 + relief * rng.standard_normal((2, *size))).astype(np.float32)
    depth[rng.random(depth.shape) < 0.05] = np.inf
    depth[rng.random(depth.shape) < 0.01] = 0.0
    instance = rng.integers(0, instances, depth.shape).astype(np.uint16)
    objects = [
        np.stack([pose(shift), pose(turn)]),
        np.stack([pose(object_shift, turn), pose(turn)]),
    ]
    arguments = (
        depth[0], instance[0], depth[1], instance[1], pose(turn), pose(shift, turn),
        np.array([1, 3], np.uint16), *objects, camera,
    )  # fmt: skip
    for array in arguments[:9]:
        array.flags.writeable = False
    flow, valid = flow_between(*arguments)
    expected, expected_valid = flow_between_reference(*arguments)
    np.testing.assert_array_equal(flow, expected)
    np.testing.assert_array_equal(valid, expected_valid)

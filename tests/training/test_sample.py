"""Augmentations: a moving dot stays where its flow says, whatever is done to the picture."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from datagen.training import sample as change
from datagen.training.augment import augment_sample
from datagen.training.config import AugmentSpec
from datagen.training.sample import Sample

HEIGHT, WIDTH = 12, 20
EXACT: dict[str, Callable[[Sample], Sample]] = {
    "flip_columns": change.flip_columns,
    "flip_rows": change.flip_rows,
    "rotate_quarter": change.rotate_quarter,
    "crop": lambda s: change.crop(s, 1, 1, HEIGHT - 2, WIDTH - 2),
}


def moving_dot(x: int, y: int, u: int, v: int) -> Sample:
    """A dot seen at (x, y) in the first bin and at (x + u, y + v) in the last."""
    grid = np.zeros((2, HEIGHT, WIDTH), np.float32)
    grid[0, y, x] = 1
    grid[1, y + v, x + u] = 1
    flow = np.zeros((2, HEIGHT, WIDTH), np.float32)
    flow[:, y, x] = u, v
    valid = flow.any(axis=0)
    for array in (grid, flow, valid):
        array.flags.writeable = False
    points = np.array([[x, y, 0, 1], [x + u, y + v, 1, 1]], np.float32)
    pictures = grid.copy()
    return Sample(
        grid=grid, flow=flow, valid=valid, active=grid.any(axis=0),
        pictures=pictures, points=points,
    )  # fmt: skip


def assert_dot_follows_its_flow(sample: Sample) -> None:
    (y,), (x,) = np.nonzero(sample.grid[0])
    (y1,), (x1,) = np.nonzero(sample.grid[1])
    assert sample.valid[y, x]
    np.testing.assert_array_equal(sample.flow[:, y, x], [x1 - x, y1 - y])
    np.testing.assert_array_equal(sample.pictures, sample.grid)
    assert sample.points is not None
    np.testing.assert_array_equal(sample.points[:, :2], [[x, y], [x1, y1]])


@pytest.mark.parametrize("name", EXACT)
@given(st.integers(4, 15), st.integers(4, 7), st.integers(-3, 3), st.integers(1, 3))
def test_flow_moves_with_the_picture(name: str, x: int, y: int, u: int, v: int) -> None:
    """Keep the dot at the end of its flow vector under every exact change; inputs are read-only."""
    assert_dot_follows_its_flow(EXACT[name](moving_dot(x, y, u, v)))


@given(st.integers(0, 2**32))
def test_random_augmentation_moves_flow_with_the_picture(seed: int) -> None:
    """Keep the dot at the end of its flow under any composition of exact changes."""
    spec = AugmentSpec(scale=(1.0, 1.0))
    sample = change.crop(moving_dot(5, 5, 2, -3), 0, 0, HEIGHT, HEIGHT)
    assert_dot_follows_its_flow(augment_sample(sample, spec, 16, np.random.default_rng(seed)))


def test_resize_stretches_flow_with_the_picture() -> None:
    """Double a linear flow field's values and halve its slope when the picture doubles."""
    y, x = np.mgrid[:HEIGHT, :WIDTH].astype(np.float32)
    flow = np.stack([0.5 * x, -0.25 * y])
    sample = Sample(
        grid=np.zeros((2, HEIGHT, WIDTH), np.float32),
        flow=flow,
        valid=np.ones((HEIGHT, WIDTH), np.bool_),
        active=np.zeros((HEIGHT, WIDTH), np.bool_),
    )
    big = change.resize(sample, 2 * HEIGHT, 2 * WIDTH)
    old_x = (np.arange(2 * WIDTH) + 0.5) / 2 - 0.5
    np.testing.assert_allclose(big.flow[0, 5, 1:-1], 2 * 0.5 * old_x[1:-1], atol=1e-5)


def test_resize_keeps_points_on_their_picture() -> None:
    """Double distances from the top left corner of the picture, half a pixel outside (0, 0)."""
    sample = change.resize(moving_dot(5, 6, 2, -3), 2 * HEIGHT, 2 * WIDTH)
    assert sample.points is not None
    np.testing.assert_allclose(sample.points[:, :2], [[10.5, 12.5], [14.5, 6.5]])


def test_resize_invalidates_what_it_blends_with_unknown_flow() -> None:
    """Call a pixel valid only where all its sources are, and zero the flow elsewhere."""
    sample = moving_dot(5, 5, 2, 3)
    grown = change.resize(sample, 2 * HEIGHT, 2 * WIDTH)
    assert not grown.valid.any()
    assert not grown.flow.any()

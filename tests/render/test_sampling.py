"""The fixed sample pattern."""

from __future__ import annotations

import numpy as np
import pytest
from oracle.sampling import pattern

from datagen.render.lamps import to_disc

CASES = [(1, 1), (4, 1), (16, 1), (64, 1), (1, 2), (4, 2), (16, 2), (64, 2)]


@pytest.mark.parametrize(("samples", "oversample"), CASES)
def test_samples_are_spread_over_the_sub_pixel(samples: int, oversample: int) -> None:
    """Place every sample in a column and a row of its own, centred as a whole."""
    offset = pattern(samples, oversample).offset
    count = len(offset)
    for axis in (0, 1):
        strata = np.floor(offset[:, axis] * count).astype(int)
        np.testing.assert_array_equal(np.sort(strata), np.arange(count))
    np.testing.assert_allclose(offset.mean(axis=0), 0.5, atol=1e-12)


@pytest.mark.parametrize(("samples", "oversample"), CASES)
def test_a_pixel_sees_every_lamp_point_once(samples: int, oversample: int) -> None:
    """Share all lamp points among the samples of a pixel."""
    p = pattern(samples, oversample)
    np.testing.assert_array_equal(np.sort(p.lamp_point.ravel()), np.arange(len(p.lamp_square)))
    np.testing.assert_allclose(p.lamp_square.mean(axis=0), 0.5, atol=1e-12)


def test_each_sub_pixel_sees_the_whole_lamp() -> None:
    """Give the four samples of a sub-pixel a point in each quarter of the lamp."""
    p = pattern(16, 2)
    for points in p.lamp_point.reshape(4, 4):
        quarter = (p.lamp_square[points] > 0.5) @ [2, 1]
        assert sorted(quarter) == [0, 1, 2, 3]


def test_total_of_samples_is_kept_by_oversampling() -> None:
    """Split the samples of a pixel among its sub-pixels, at least one each."""
    assert [len(pattern(16, k).offset) for k in (1, 2, 4, 5)] == [16, 4, 1, 1]


def test_disc_mapping_keeps_areas() -> None:
    """Put as much of the square in a smaller disc as its area."""
    grid = (np.stack(np.meshgrid(*[np.arange(200)] * 2), axis=-1).reshape(-1, 2) + 0.5) / 200
    radius = np.linalg.norm(to_disc(grid), axis=1)
    assert radius.max() < 1.0
    for r in (0.3, 0.7):
        np.testing.assert_allclose((radius < r).mean(), r * r, rtol=0.02)

"""Flow metrics against numbers worked out by hand, and their sums against one big batch."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from datagen.training.baselines import constant_flow, mean_flow, oracle_translation
from datagen.training.metrics import FlowErrors


def one_row(*vectors: tuple[float, float]):  # type: ignore[no-untyped-def]
    return np.array(vectors, np.float64).T[:, None, :]


def test_errors_of_hand_made_pixels() -> None:
    """Count EPE 5, 0.5, 2 and 4 on true speeds 0, 2, 5 and 100 px."""
    truth = one_row((0, 0), (2, 0), (3, 4), (100, 0))
    flow = one_row((3, 4), (2, 0.5), (3, 2), (104, 0))
    errors = FlowErrors()
    errors.add(flow, truth, np.ones((1, 4), np.bool_))
    summary = errors.summary()
    assert summary["epe"] == pytest.approx(11.5 / 4)
    assert summary["above_1px"] == 0.75
    assert summary["above_2px"] == 0.5
    assert summary["above_3px"] == 0.5
    assert summary["kitti_outliers"] == 0.25  # 4 px off is within 5 % of 100 px
    assert summary["epe_by_speed"] == [5.0, 0.5, 2.0, 4.0]
    assert summary["share_by_speed"] == [0.25] * 4


def test_pixels_outside_the_mask_do_not_count() -> None:
    """Ignore a masked pixel even when its truth is not a number."""
    errors = FlowErrors()
    errors.add(one_row((1, 0), (9, 9)), one_row((0, 0), (np.nan, 0)), np.array([[True, False]]))
    assert errors.summary()["epe"] == 1.0
    assert errors.pixels == 1


def test_an_empty_mask_counts_no_frame() -> None:
    """Report None, not NaN, when nothing was counted."""
    errors = FlowErrors()
    errors.add(one_row((1, 0)), one_row((0, 0)), np.array([[False]]))
    assert errors.summary()["epe"] is None
    assert errors.summary()["epe_frame_mean"] is None


@given(st.lists(st.integers(0, 12), min_size=1, max_size=5), st.integers(0, 2**32))
def test_merged_parts_equal_the_whole(sizes: list[int], seed: int) -> None:
    """Give the same pooled numbers however the frames are shared out, with unequal masks."""
    rng = np.random.default_rng(seed)
    whole, parts = FlowErrors(), []
    for size in sizes:
        flow, truth = rng.normal(size=(2, 2, 3, 4)) * 5
        mask = np.arange(12).reshape(3, 4) < size
        whole.add(flow, truth, mask)
        parts.append(FlowErrors())
        parts[-1].add(flow, truth, mask)
    merged = sum(parts, start=FlowErrors()).summary()
    for name, value in whole.summary().items():
        got, want = (np.array(v, np.float64) for v in (merged[name], value))
        np.testing.assert_allclose(got, want, rtol=1e-12)


def test_mean_flow_is_pooled_over_valid_pixels() -> None:
    """Weigh frames by their valid pixels."""
    frames = [
        (np.full((2, 2, 2), (4, 0), np.float32), np.array([[True, True], [True, False]])),
        (np.full((2, 2, 2), (0, 8), np.float32), np.array([[True, False], [False, False]])),
    ]
    np.testing.assert_allclose(mean_flow(frames), [3, 2])


def test_oracle_translation_is_the_best_constant_in_least_squares() -> None:
    """Return the mean of the frame's valid flow, and zero for a frame without any."""
    truth = one_row((1, 2), (3, 4), (99, 99)).astype(np.float32)
    valid = np.array([[True, True, False]])
    np.testing.assert_allclose(oracle_translation(truth, valid), [2, 3])
    assert not oracle_translation(truth, np.zeros_like(valid)).any()
    assert constant_flow(np.array([2.0, 3.0]), (1, 3)).shape == truth.shape

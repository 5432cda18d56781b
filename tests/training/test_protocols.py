"""Evaluation protocols against restatements of their rules, pixel by pixel."""

from __future__ import annotations

import math

import numpy as np
import pytest

from datagen.training.encoding import EventWindow
from datagen.training.metrics import FlowErrors, angular_error
from datagen.training.protocols import Protocol
from datagen.training.warp import flow_warp_loss
from schemas.arrays import EventArray

SHAPE = (260, 346)


def random_frame(seed: int):  # type: ignore[no-untyped-def]
    """Prediction, truth with exact zeros, valid mask, active mask."""
    rng = np.random.default_rng(seed)
    truth = (rng.normal(size=(2, *SHAPE)) * 6).astype(np.float32)
    truth[:, rng.random(SHAPE) < 0.3] = 0
    guess = truth + (rng.normal(size=(2, *SHAPE)) * 3).astype(np.float32)
    return guess, truth, rng.random(SHAPE) < 0.9, rng.random(SHAPE) < 0.2


@pytest.mark.parametrize("car", [False, True])
def test_mvsec_rules(car: bool) -> None:
    """Average over event pixels with non-zero flow in the centre crop, then over frames."""
    protocol, errors, frames = Protocol("mvsec", car=car), FlowErrors(), []
    outliers = counted = 0
    for seed in range(2):
        guess, truth, valid, active = random_frame(seed)
        errors.add(guess, truth, protocol.mask(truth, valid, active))
        frame = []
        for y in range(2, 2 + 256):
            for x in range(45, 45 + 256):
                u, v = truth[:, y, x].tolist()
                if (
                    not (valid[y, x] and active[y, x])
                    or (u == 0 and v == 0)
                    or (car and y - 2 >= 190)
                ):
                    continue
                error = math.hypot(guess[0, y, x] - u, guess[1, y, x] - v)
                frame.append(error)
                outliers += error > 3 and error > 0.05 * math.hypot(u, v)
        counted += len(frame)
        frames.append(sum(frame) / len(frame))
    assert errors.pixels == counted
    assert errors.mean_frame_epe() == pytest.approx(sum(frames) / 2, rel=1e-6)
    assert errors.summary()["kitti_outliers"] == pytest.approx(outliers / counted)
    assert protocol.by_frames


def test_dsec_rules() -> None:
    """Pool all known pixels: EPE, shares above 1, 2, 3 px, angle between (u, v, 1)."""
    errors, values, angles = FlowErrors(), [], []
    for seed in range(2):
        guess, truth, valid, active = (a[..., :40, :50] for a in random_frame(seed))
        errors.add(guess, truth, Protocol("dsec").mask(truth, valid, active))
        for y, x in np.argwhere(valid):
            (u, v), (gu, gv) = truth[:, y, x].tolist(), guess[:, y, x].tolist()
            values.append(math.hypot(gu - u, gv - v))
            cosine = (u * gu + v * gv + 1) / math.sqrt(
                (u * u + v * v + 1) * (gu * gu + gv * gv + 1)
            )
            angles.append(math.degrees(math.acos(min(1.0, cosine))))
    found = errors.summary()
    assert found["epe"] == pytest.approx(np.mean(values), rel=1e-6)
    assert found["angular_error_deg"] == pytest.approx(np.mean(angles), rel=1e-4)
    for n in (1, 2, 3):
        assert found[f"above_{n}px"] == pytest.approx(np.mean(np.array(values) > n))


def test_angle_of_perpendicular_and_equal_flow() -> None:
    """Give 60 degrees between (1, 0, 1) and (0, 1, 1), and zero for equal flow."""
    a, b = np.array([[1.0], [0.0]]), np.array([[0.0], [1.0]])
    np.testing.assert_allclose(angular_error(a, b), [60.0])
    assert angular_error(a, a)[0] == 0


def test_density_bins_hold_whole_frames() -> None:
    """Sort a frame's pixels by the share of its pixels that fired."""
    errors = FlowErrors()
    truth, everything = np.zeros((2, 2, 2)), np.ones((2, 2), np.bool_)
    guess = np.stack([truth[0] + 3.0, truth[1] + 4.0])
    errors.add(guess, truth, everything, density=0.15)
    errors.add(truth, truth, everything, density=0.9)
    assert errors.summary()["epe_by_density"] == [None, None, 5.0, None, 0.0]
    assert errors.summary()["share_by_density"] == [0, 0, 0.5, 0, 0.5]


def test_native_and_event_masks() -> None:
    """Count all known pixels, or those of them that fired."""
    _, truth, valid, active = random_frame(0)
    np.testing.assert_array_equal(Protocol("native").mask(truth, valid, active), valid)
    np.testing.assert_array_equal(Protocol("events").mask(truth, valid, active), valid & active)


def moving_dots() -> EventWindow:
    """Dots that move 8 px right over the window."""
    t = np.repeat(np.arange(0, 1001, 50), 5)
    x = np.tile(np.array([3, 8, 13, 20, 27]), 21) + np.rint(8 * t / 1000)
    events = EventArray(
        t=t.astype(np.int64), x=x.astype(np.uint16),
        y=np.tile(np.arange(5, dtype=np.uint16), 21), p=np.ones(len(t), np.uint8),
    )  # fmt: skip
    return EventWindow(events=events, start_us=0, stop_us=1000, height=6, width=40)


def test_flow_warp_loss_rewards_the_true_flow() -> None:
    """Exceed 1 for the true motion, equal 1 for none, fall below the truth for a wrong one."""
    flow = np.zeros((2, 6, 40))
    assert flow_warp_loss(moving_dots(), flow) == 1
    flow[0] = 8
    best = flow_warp_loss(moving_dots(), flow)
    wrong = flow_warp_loss(moving_dots(), flow / 2)
    assert best is not None
    assert wrong is not None
    assert best > 2 * wrong > 2


def test_flow_warp_loss_of_nothing_is_none() -> None:
    """Say nothing of a window without events."""
    window = EventWindow(events=EventArray.empty(), start_us=0, stop_us=9, height=4, width=4)
    assert flow_warp_loss(window, np.zeros((2, 4, 4))) is None

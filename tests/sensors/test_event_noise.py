"""Filter, noise and mismatch of event pixels against closed forms and statistics, fixed seeds."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from event_sensing import sense
from scipy.stats import expon, kstest, uniform

from schemas.arrays import EventArray
from schemas.sensor import EventCameraSpec

QUIET = EventCameraSpec(threshold_sigma=0.0, response="lin_log")


def of(**changes: Any) -> EventCameraSpec:
    return EventCameraSpec(**{**QUIET.model_dump(exclude_defaults=True), **changes})


def still(spec: EventCameraSpec, luminance: Any, *, duration: int, every: int, key: int = 7) -> EventArray:  # fmt: skip
    """Events of constant light, in pictures `every` microseconds."""
    luminance = np.asarray(luminance, np.float32)
    t = np.arange(0, duration + 1, every)
    return sense(spec, t, np.broadcast_to(luminance, (len(t), *luminance.shape)), key)


@pytest.mark.parametrize("fps", [100, 1000, 10_000])
def test_low_pass_step_response(fps: int) -> None:
    """Answer a step from 100 to 200 of 255 behind 30 Hz at 2.26, 5.71 and 13.31 ms (case 10)."""
    t = np.concatenate([[0, 1], np.arange(10**6 // fps, 30_001, 10**6 // fps)])
    pictures = np.where(t > 0, 200 / 255, 100 / 255).reshape(-1, 1, 1)
    events = sense(of(cutoff_hz=30.0), t, pictures)
    tau = 275 / 220 / (2 * math.pi * 30) * 1e6
    expected = [-tau * math.log(1 - k * 0.2 / math.log(2)) for k in (1, 2, 3)]
    np.testing.assert_allclose(events.t, expected, atol=3)
    np.testing.assert_allclose(expected, [2260, 5710, 13_310], rtol=2e-3)


@pytest.mark.parametrize("fps", [100, 5000])
def test_second_order_step_response(fps: int) -> None:
    """Answer a step behind two stages at 1 - (1 + z) e^-z, z the time over tau."""
    t = np.concatenate([[0, 1], np.arange(10**6 // fps, 60_001, 10**6 // fps)])
    pictures = np.where(t > 0, 200 / 255, 100 / 255).reshape(-1, 1, 1)
    events = sense(of(cutoff_hz=30.0, filter_order=2, cutoff_follows_light=False), t, pictures)
    z = 2 * math.pi * 30e-6 * (events.t - 0.5)
    reached = math.log(2) * (1 - (1 + z) * np.exp(-z))
    np.testing.assert_allclose(reached, [0.2, 0.4, 0.6], atol=2e-4)


def test_fast_filter_is_no_filter() -> None:
    """Tend to the clean camera as the corner goes up."""
    rng = np.random.default_rng(0)
    pictures = np.exp(np.cumsum(rng.normal(0, 0.2, (30, 8, 8)), axis=0) - 1.5)
    t = np.arange(30) * 10_000
    clean = sense(of(), t, pictures)
    fast = sense(of(cutoff_hz=1e6, cutoff_follows_light=False), t, pictures)
    assert abs(len(fast) - len(clean)) <= 2
    assert np.median(np.abs(np.sort(fast.t)[: len(clean)] - clean.t[: len(fast)])) <= 2


def test_filter_does_not_depend_on_the_frame_rate() -> None:
    """Move events behind a fixed corner by at most 2 us when pictures are added in between."""
    rng = np.random.default_rng(5)
    log_light = np.cumsum(rng.normal(0, 0.3, (15, 8, 9)), axis=0) - 1.5
    halfway = np.repeat(log_light, 2, axis=0)[:-1]
    halfway[1::2] = 0.5 * (log_light[1:] + log_light[:-1])
    spec = EventCameraSpec(threshold_sigma=0.0, cutoff_hz=100.0, cutoff_follows_light=False)
    coarse = sense(spec, np.arange(15) * 2000, np.exp(log_light) - 1e-3)
    fine = sense(spec, np.arange(29) * 1000, np.exp(halfway) - 1e-3)
    order_a, order_b = (np.lexsort((e.t, e.x, e.y)) for e in (coarse, fine))
    assert len(coarse) == len(fine) > 400
    assert np.abs(coarse.t[order_a] - fine.t[order_b]).max() <= 2


def test_shot_noise_rate_falls_with_light() -> None:
    """Fire at R (1 - 0.75 (code + 20) / 275) in the dark, at half and at white (case 11)."""
    codes = np.repeat([[0, 128, 255]], 64, axis=0).repeat(64, axis=1)
    events = still(of(shot_noise_rate_hz=5.0), codes / 255, duration=2_000_000, every=50_000)
    counts = np.bincount(events.x // 64, minlength=3)
    expected = 5 * (1 - 0.75 * (np.array([0, 128, 255]) + 20) / 275) * 64 * 64 * 2
    np.testing.assert_array_less(np.abs(counts - expected), 4 * np.sqrt(expected))
    assert abs(2 * int(events.p.sum()) - len(events)) < 4 * math.sqrt(len(events))


def test_shot_noise_times_are_a_poisson_process() -> None:
    """Spread noise evenly over the interval, with exponential gaps per pixel (case 12)."""
    events = still(
        of(shot_noise_rate_hz=20.0), np.zeros((32, 32)), duration=4_000_000, every=40_000
    )
    assert kstest(events.t % 40_000, uniform(0, 40_000).cdf).pvalue > 1e-3
    order = np.lexsort((events.t, events.x, events.y))
    gaps, same = np.diff(events.t[order]), np.diff(events.y[order] * 32 + events.x[order]) == 0
    rate = 20e-6 * (1 - 0.75 * 20 / 275)
    early = gaps[same][events.t[order][:-1][same] < 3_000_000]
    assert kstest(early[early < 400_000], expon(scale=1 / rate).cdf).pvalue > 1e-3


def test_noise_does_not_depend_on_the_frame_rate() -> None:
    """Give the very same noise events for pictures every 50 us and every 5 ms (case 16)."""
    spec = of(shot_noise_rate_hz=50.0, leak_rate_hz=20.0)
    fine, coarse = (
        still(spec, np.full((20, 20), 0.3), duration=500_000, every=every) for every in (50, 5000)
    )  # fmt: skip
    assert len(fine) == len(coarse) > 5000
    assert np.abs(np.sort(fine.t) - np.sort(coarse.t)).max() <= 1
    np.testing.assert_array_equal(np.bincount(fine.x), np.bincount(coarse.x))


def test_shot_noise_is_the_same_for_another_size_of_batch_but_not_another_key() -> None:
    """Draw noise from the key alone."""
    spec = of(shot_noise_rate_hz=50.0)
    one, same, other = (
        still(spec, np.full((9, 9), 0.3), duration=500_000, every=1000, key=key)
        for key in (1, 1, 2)
    )  # fmt: skip
    np.testing.assert_array_equal(one.t, same.t)
    assert len(one) != len(other) or np.any(one.t != other.t)


def test_leak_rate_spread_and_phase() -> None:
    """Leak at R E[10^(c z)], ON only, from a uniform phase (case 13)."""
    spec = of(leak_rate_hz=10.0, noise_rate_cov_decades=0.1)
    events = still(spec, np.full((64, 64), 0.4), duration=2_000_000, every=20_000)
    spread = 0.1 * math.log(10)
    mean = 10 * math.exp(spread**2 / 2)
    deviation = mean * math.sqrt(math.expm1(spread**2))
    per_pixel = len(events) / 64**2 / 2
    assert events.p.all()
    assert abs(per_pixel - mean) < 4 * math.hypot(deviation, 0.3) / 64
    even = still(of(leak_rate_hz=10.0), np.full((40, 40), 0.4), duration=100_000, every=1000)
    assert len(even) == pytest.approx(1600, abs=1)
    assert kstest(even.t, uniform(0, 100_000).cdf).pvalue > 1e-3


def test_leak_jitter_spreads_intervals() -> None:
    """Draw a pixel's leak interval anew after every event, with the given deviation."""
    spec = of(leak_rate_hz=20.0, leak_jitter_fraction=0.1)
    events = still(spec, np.full((20, 20), 0.4), duration=3_000_000, every=5_000)
    order = np.lexsort((events.t, events.x, events.y))
    gaps, same = np.diff(events.t[order]), np.diff(events.y[order] * 20 + events.x[order]) == 0
    rates = 1e6 / gaps[same]
    assert np.mean(rates) == pytest.approx(20, rel=0.01)
    assert np.std(rates) == pytest.approx(2, rel=0.1)


def test_jittered_leak_does_not_depend_on_the_frame_rate() -> None:
    """Give still light's leak events the same times, to rounding, at two and four times the pace.

    A microsecond by which one event is rounded moves the next by the ratio of their rates.
    """
    spec = of(leak_rate_hz=5.0, leak_jitter_fraction=0.2, noise_rate_cov_decades=0.1)
    light = np.full((16, 16), 0.4)
    slow, *others = (
        still(spec, light, duration=2_400_000, every=every) for every in (8000, 4000, 2000)
    )
    order = np.lexsort((slow.t, slow.x, slow.y))
    assert len(slow) > 2000
    for fast in others:
        same = np.lexsort((fast.t, fast.x, fast.y))
        np.testing.assert_array_equal(fast.x[same], slow.x[order])
        np.testing.assert_allclose(fast.t[same], slow.t[order], atol=4, rtol=0)


def test_slow_leak_survives_a_fast_frame_rate() -> None:
    """Keep a leak of 0.1 Hz when each picture adds only a millionth of the threshold."""
    events = still(of(leak_rate_hz=0.1), np.full((32, 32), 0.4), duration=1_500_000, every=100)
    expected = 0.1 * 1.5 * 1024
    assert abs(len(events) - expected) < 4 * math.sqrt(expected)


def test_hot_pixels_are_few_and_regular() -> None:
    """Make the given share of pixels fire at their own rate, the others stay dark."""
    spec = of(hot_pixel_fraction=0.05, hot_pixel_rate_hz=50.0)
    events = still(spec, np.full((60, 60), 0.4), duration=1_000_000, every=10_000)
    counts = np.bincount(events.y.astype(int) * 60 + events.x, minlength=3600)
    hot = counts[counts > 0]
    assert abs(len(hot) - 180) < 4 * math.sqrt(180)
    assert set(hot.tolist()) <= {49, 50, 51}


def test_mismatch_shows_in_the_times_of_a_ramp() -> None:
    """Recover each pixel's threshold from its first event on a ramp: mean and spread (case 14)."""
    t = np.array([0, 1_000_000])
    log_light = np.array([-3.0, -2.0])[:, None, None] * np.ones((1, 80, 80))
    events = sense(EventCameraSpec(threshold_sigma=0.03, log_eps=1e-9), t, np.exp(log_light))
    _, first = np.unique(events.y.astype(int) * 80 + events.x, return_index=True)
    thresholds = events.t[first] * 1e-6
    assert thresholds.mean() == pytest.approx(0.2, abs=4 * 0.03 / 80)
    assert thresholds.std() == pytest.approx(0.03, abs=4 * 0.03 / math.sqrt(2 * 6400))


@pytest.mark.parametrize("noisy", [False, True])
def test_ramp_under_dead_time_keeps_every_nth_crossing(noisy: bool) -> None:
    """Move the reference by dropped events too: a ramp keeps whole multiples (case 15)."""
    spec = EventCameraSpec(
        threshold_sigma=0.0, refractory_period_us=25_000, shot_noise_rate_hz=1e-6 if noisy else 0.0
    )
    t = np.array([0, 1_000_000])
    events = sense(spec, t, np.exp(np.array([-3.0, 17.0])).reshape(2, 1, 1) - 1e-3)
    np.testing.assert_allclose(np.diff(events.t), 30_000, atol=1)


def test_labels_tell_light_from_noise() -> None:
    """Label shot and leak events of still light as noise, events of moving light as signal."""
    spec = of(shot_noise_rate_hz=10.0, leak_rate_hz=5.0, labels=True)
    dark = still(spec, np.full((20, 20), 0.4), duration=1_000_000, every=10_000)
    assert dark.noise is not None
    assert len(dark) > 3000
    assert dark.noise.all()
    t = np.arange(11) * 1000
    moving = sense(of(cutoff_hz=300.0, leak_rate_hz=0.1, labels=True), t,
                   np.exp(0.3 * t[:, None, None] / 1000 - 3) * np.ones((1, 9, 9)))  # fmt: skip
    assert moving.noise is not None
    assert len(moving) > 500
    assert moving.noise[moving.t > 2000].mean() < 0.001


def test_unlabelled_streams_have_no_label() -> None:
    """Leave the column out unless it is asked for."""
    assert still(of(leak_rate_hz=5.0), np.full((3, 3), 0.4), duration=10, every=5).noise is None

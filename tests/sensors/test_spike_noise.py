"""Noisy spike cameras: parity with the plain twin, rates, intervals, presets of public simulators."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from datagen.sensors.spike_camera import SpikeCamera
from datagen.sensors.spikes.normals import normal_map
from datagen.sensors.spikes.poll_clock import PollClock
from datagen.sensors.spikes.reference import noisy_interval
from schemas.sensor import SpikeCameraSpec


def fired(spec: SpikeCameraSpec, light: Any, run: Any, key: int = 7) -> Any:
    _, spikes = run(spec, light, (), key)
    return spikes.unpack()


specs = st.builds(
    SpikeCameraSpec,
    alpha=st.sampled_from([0.05, 0.7]),
    reset=st.sampled_from(["subtract", "zero"]),
    interpolation=st.sampled_from(["linear", "hold"]),
    windup=st.booleans(),
    electrons_per_spike=st.sampled_from([0.0, 3.0, 500.0]),
    dark_current=st.sampled_from([1e-9, 0.02]),
    dark_current_sigma=st.sampled_from([0.0, 0.01]),
    gain_sigma=st.sampled_from([0.0, 0.06]),
    threshold_sigma=st.sampled_from([0.0, 0.05]),
    reset_noise_sigma=st.sampled_from([0.0, 0.01]),
    dead_time_us=st.sampled_from([0.0, 0.1, 20.0]),
)


@given(specs, st.integers(0, 2**32), st.integers(1, 30), st.integers(1, 40))
@settings(max_examples=25)
def test_kernel_equals_the_specification(gray, run, spec: Any, seed: int, height: int, width: int) -> None:  # fmt: skip
    """Match the plain numpy specification bit for bit whatever is switched on."""
    rng = np.random.default_rng(seed)
    t = np.array([0, 730, 1500])
    light = gray(t, rng.random((3, height, width)) * 2)
    camera = SpikeCamera(spec, width=width, height=height, key=7)
    charge = camera._start_charge().ravel()
    luminance = light.luminance().reshape(3, -1)
    last, polls = np.zeros(len(charge), bool), np.zeros((0, len(charge)), bool)
    clock = PollClock(spec.rate_hz)
    assert camera._noise is not None
    for k in range(2):
        before = luminance[k + 1 if spec.interpolation == "hold" else k]
        charge, fired, last = noisy_interval(
            before, luminance[k + 1], pieces=clock.pieces(int(t[k]), int(t[k + 1])),
            alpha=spec.alpha, poll=len(polls), noise=camera._noise, charge=charge, fired=last,
        )  # fmt: skip
        polls = np.concatenate([polls, fired])
    state, spikes = run(spec, light)
    np.testing.assert_array_equal(spikes.unpack().reshape(len(polls), -1), polls)
    np.testing.assert_array_equal(state.charge.ravel(), charge)


@given(st.lists(st.integers(1, 9), max_size=3, unique=True), st.sampled_from([2000.0, 20_000.0]))
@settings(max_examples=10)
def test_cuts_change_nothing(gray, run, flicker, cuts: Any, rate: float) -> None:
    """Give the same bits and states however the stream is cut."""
    spec = SpikeCameraSpec(preset="scsim", electrons_per_spike=300.0, rate_hz=rate)
    light = gray(np.arange(10) * 733, flicker(10, 30, 41))
    whole_state, whole = run(spec, light)
    state, spikes = run(spec, light, tuple(sorted(cuts)))
    np.testing.assert_array_equal(spikes.packed, whole.packed)
    for name in state.__dataclass_fields__:
        np.testing.assert_array_equal(getattr(state, name), getattr(whole_state, name))


@pytest.mark.parametrize("preset", ["clean", "scsim"])
def test_threads_change_nothing(flicker, preset: Any) -> None:
    """Give the same bits and states with three threads, for pictures of several blocks."""
    pictures, t = flicker(6, 110, 121).astype(np.float32), np.arange(6, dtype=np.int64) * 733
    results = []
    for threads in (1, 3):
        spec = SpikeCameraSpec(preset=preset)
        camera = SpikeCamera(spec, width=121, height=110, key=7, threads=threads)
        state = camera.init_pictures(t[:1], pictures[:1])
        results.append(camera.step_pictures(state, t[1:], pictures[1:]))
    np.testing.assert_array_equal(results[0][1].packed, results[1][1].packed)
    for name in results[0][0].__dataclass_fields__:
        np.testing.assert_array_equal(*(getattr(state, name) for state, _ in results))


@pytest.mark.parametrize("luminance", [0.01, 0.2, 1.0])
def test_shot_noise_keeps_the_rate(gray, run, luminance: float) -> None:
    """Fire at alpha L on the average within 4 sigma of Poisson electrons, few or many."""
    n, polls = 40 * 50, 1000
    light = gray([0, polls * 50], np.full((2, 40, 50), luminance))
    bits = fired(SpikeCameraSpec(electrons_per_spike=100.0), light, run)
    expected = n * polls * 0.4 * luminance
    assert abs(bits.sum() - expected) < 4 * math.sqrt(expected / 100 + n / 6)


def test_shot_noise_spreads_counts_as_electrons_do(gray, run) -> None:
    """Spread the charge of many polls like Poisson electrons: variance over mean is 1 / N."""
    polls = 2000
    light = gray([0, polls * 50], np.full((2, 40, 50), 1.0))
    spec = SpikeCameraSpec(electrons_per_spike=25.0, start="zero")
    state, spikes = run(spec, light)
    collected = spikes.unpack().sum(axis=0) + state.charge
    fano = collected.var() / collected.mean() * 25
    assert abs(fano - 1) < 4 * math.sqrt(2 / 2000)


@pytest.mark.parametrize(("electrons", "level"), [(3, 0.1), (12, 0.3), (200, 0.7)])
def test_shot_noise_at_spikes_is_that_of_electrons_in_polls(gray, run, electrons: int, level: float) -> None:  # fmt: skip
    """Spread intervals between spikes as a pixel does that draws Poisson electrons in every poll."""
    polls, pixels = 1500, 1600
    light = gray([0, polls * 50], np.full((2, 40, 40), level))
    bits = fired(SpikeCameraSpec(electrons_per_spike=float(electrons), alpha=1.0), light, run)
    plain = np.zeros((polls, pixels), bool)
    rng, collected = np.random.default_rng(5), np.zeros(pixels, int)
    for poll in plain:
        collected += rng.poisson(level * electrons, pixels)
        poll[:] = collected >= electrons
        collected = np.minimum(collected - electrons * poll, electrons)
    ours, theirs = (
        np.bincount(np.concatenate([np.diff(np.flatnonzero(p)) for p in b.T]), minlength=polls)
        for b in (bits.reshape(polls, -1), plain)
    )
    distance = np.abs(np.cumsum(ours) / ours.sum() - np.cumsum(theirs) / theirs.sum()).max()
    assert distance < 2.0 * math.sqrt(1 / ours.sum() + 1 / theirs.sum()) + 0.004


def test_normal_numbers_are_normal_and_unrelated() -> None:
    """Have a normal's first four moments, and no correlation along pixels or from poll to poll."""
    n = 400_000
    z = np.stack([normal_map(np.uint64(key), n).astype(float) for key in (3, 4)])
    for power, moment, spread in ((1, 0, 1), (2, 1, 2), (3, 0, 15), (4, 3, 96)):
        assert np.abs((z**power).mean(axis=1) - moment).max() < 4 * math.sqrt(spread / n)
    for lag in (1, 2, 3, 8, 64):
        assert np.abs((z[:, lag:] * z[:, :-lag]).mean(axis=1)).max() < 4 / math.sqrt(n)
    assert abs((z[0] * z[1]).mean()) < 4 / math.sqrt(n)


def test_dark_current_makes_false_spikes(gray, run) -> None:
    """Fire about every 1 / dark polls without light."""
    light = gray([0, 5_000_000], np.zeros((2, 30, 40)))
    spec = SpikeCameraSpec(preset="scsim", dead_time_us=0.0)
    rates = fired(spec, light, run).mean(axis=0)
    assert rates.mean() == pytest.approx(0.0047, rel=0.03)
    assert rates.std() == pytest.approx(0.0018, rel=0.1)


def test_gain_and_threshold_differ_from_pixel_to_pixel(gray, run) -> None:
    """Spread rates as gain over threshold does, for good."""
    light = gray([0, 500_000], np.full((2, 50, 60), 1.0))
    spec = SpikeCameraSpec(gain_sigma=0.058, threshold_sigma=0.046)
    rates = fired(spec, light, run).mean(axis=0) / 0.4
    assert rates.std() == pytest.approx(math.hypot(0.058, 0.046), rel=0.1)


def test_dead_time_lowers_the_rate(gray, run) -> None:
    """Lose the light of a fifth of a poll after each spike: rate = alpha / (1 + alpha d)."""
    light = gray([0, 500_000], np.full((2, 5, 6), 1.0))
    bits = fired(SpikeCameraSpec(dead_time_us=10.0, alpha=0.5), light, run)
    assert bits.mean() == pytest.approx(0.5 / (1 + 0.5 * 0.2), rel=1e-3)


def test_reset_to_zero_loses_what_is_above_the_threshold(gray, run) -> None:
    """Fire every third poll at alpha = 0.4, with nothing carried over."""
    light = gray([0, 150_000], np.full((2, 2, 2), 1.0))
    bits = fired(SpikeCameraSpec(reset="zero", start="zero"), light, run)
    assert bits.sum(axis=0).tolist() == [[1000, 1000], [1000, 1000]]


@pytest.mark.parametrize("preset", ["spikezoo", "spikecv"])
def test_public_simulators_presets_equal_their_loop(gray, run, preset: Any) -> None:
    """Equal accumulate, compare, subtract on one picture per poll in every bit (windup and all)."""
    rng = np.random.default_rng(4)
    pictures = rng.integers(0, 256, (201, 20, 30)) / 255
    light = gray(np.arange(201) * 50, pictures)
    spec = SpikeCameraSpec(preset=preset)
    camera = SpikeCamera(spec, width=30, height=20, key=7)
    charge = camera.init(gray([0], pictures[:1])).charge.copy()
    expected = []
    for picture in light.luminance()[1:].astype(float):
        charge += picture
        expected.append(charge >= spec.threshold)
        charge -= spec.threshold * expected[-1]
    np.testing.assert_array_equal(fired(spec, light, run), expected)


def test_windup_fires_on_in_the_dark(gray, run) -> None:
    """Keep all charge of a saturated pixel where that is asked for."""
    light = gray([0, 1000, 1001, 4000], np.array([6.0, 6.0, 0.0, 0.0]).reshape(4, 1, 1))
    bits = fired(SpikeCameraSpec(start="zero", windup=True), light, run)
    assert bits.sum() == 48


def test_dead_time_longer_than_a_poll_is_refused() -> None:
    """Name the poll that a dead time does not fit into."""
    with pytest.raises(ValidationError, match="longer than a poll of 50 us"):
        SpikeCameraSpec(dead_time_us=60.0)

"""Spike camera: conservation of charge, constant light, cuts, parity with the plain twin."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datagen.errors import InputError
from datagen.sensors.base import open_sensor
from datagen.sensors.spikes.poll_clock import PollClock
from datagen.sensors.spikes.reference import clean_interval
from schemas.sensor import SpikeCameraSpec

CLEAN = SpikeCameraSpec(start="zero")


def test_constant_light_fires_at_its_rate(gray, run) -> None:
    """Fire every second or third poll at alpha L = 0.4, as evenly as polls allow."""
    light = gray([0, 100_000], np.ones((2, 2, 3)))
    _, spikes = run(CLEAN, light)
    bits = spikes.unpack()
    assert bits.shape == (2000, 2, 3)
    intervals = np.diff(np.flatnonzero(bits[:, 1, 2]))
    assert set(intervals.tolist()) == {2, 3}
    assert abs(bits.sum(axis=0) - 800).max() <= 1


@given(st.floats(100, 50_000), st.floats(0.05, 0.9), st.floats(0.1, 300), st.integers(0, 99))
@settings(max_examples=25)
def test_spikes_count_the_charge(gray, run, rate: float, alpha: float, theta: float, seed: int) -> None:  # fmt: skip
    """Keep |spikes - (A0 + integral) / theta| below 1 at any rate, for light that is never
    brighter than one threshold per poll."""
    rng = np.random.default_rng(seed)
    t = np.concatenate([[0], np.cumsum(rng.integers(1, 3000, 12))])
    pictures = rng.random((13, 4, 5))
    spec = SpikeCameraSpec(rate_hz=rate, alpha=alpha, threshold=theta)
    light = gray(t, pictures)
    sensor = open_sensor(spec, width=5, height=4, key=7)
    a0 = sensor.init(gray(t[:1], pictures[:1])).charge
    state, spikes = run(spec, light)
    luminance = light.luminance().astype(float)
    area = (0.5 * (luminance[1:] + luminance[:-1]) * np.diff(t)[:, None, None]).sum(axis=0)
    total = a0 / theta + alpha * rate * area * 1e-6
    fired = spikes.unpack().sum(axis=0)
    np.testing.assert_allclose(fired + state.charge / theta, total, atol=1e-9)
    assert state.saturated == 0


@given(st.lists(st.integers(1, 14), max_size=4, unique=True), st.floats(200, 40_000))
@settings(max_examples=20)
def test_cuts_change_nothing(gray, run, flicker, cuts: list[int], rate: float) -> None:
    """Give the same bits and charge however the stream is cut, also inside a poll."""
    light = gray(np.arange(15) * 733, flicker(15, 5, 7))
    spec = SpikeCameraSpec(rate_hz=rate)
    whole_state, whole = run(spec, light)
    state, spikes = run(spec, light, tuple(sorted(cuts)))
    np.testing.assert_array_equal(spikes.packed, whole.packed)
    np.testing.assert_array_equal(state.charge, whole_state.charge)


@given(
    st.integers(0, 2**32),
    st.integers(1, 80),
    st.integers(1, 80),
    st.floats(300, 30_000),
    st.booleans(),
)
@settings(max_examples=20)
def test_kernel_equals_the_specification(gray, run, seed: int, height: int, width: int, rate: float, hold: bool) -> None:  # fmt: skip
    """Match the plain numpy specification bit for bit, saturated pixels included."""
    rng = np.random.default_rng(seed)
    light = gray(np.array([0, 700, 1500]), rng.random((3, height, width)) * 4)
    interpolation = "hold" if hold else "linear"
    spec = SpikeCameraSpec(rate_hz=rate, alpha=0.7, threshold=2.0, interpolation=interpolation)
    sensor = open_sensor(spec, width=width, height=height, key=7)
    charge = sensor.init(gray([0], light.rgb[:1, ..., 0])).charge
    luminance, lost, bits = light.luminance(), 0, []
    for k, (a, b) in enumerate([(0, 700), (700, 1500)]):
        charge, part, more = clean_interval(
            luminance[k + hold], luminance[k + 1], pieces=PollClock(rate).pieces(a, b),
            alpha=0.7, threshold=2.0, charge=charge,
        )  # fmt: skip
        bits.append(part)
        lost += more
    state, spikes = run(spec, light)
    np.testing.assert_array_equal(spikes.unpack(), np.concatenate(bits))
    np.testing.assert_array_equal(state.charge, charge)
    assert state.saturated == lost


def test_saturation_is_counted_and_forgotten(gray, run) -> None:
    """Fire at every poll under too bright light, and at most once more in the dark."""
    light = gray([0, 1000, 1001, 2000], np.array([6.0, 6.0, 0.0, 0.0]).reshape(4, 1, 1))
    state, spikes = run(CLEAN, light)
    bits = spikes.unpack().ravel()
    assert bits[:20].all()
    assert bits[20:].sum() <= 1
    assert state.saturated == 20


@pytest.mark.parametrize("rate", [20_000.0, 30.0, 1234.5, 39_999.9])
def test_polls_never_drift(rate: float) -> None:
    """Count as many polls after an hour as the rate says."""
    clock = PollClock(rate)
    assert abs(clock.polls_until(3_600_000_000) - 3600 * rate) <= 1
    late = clock.pieces(3_600_000_000, 3_600_100_000)
    np.testing.assert_allclose(late.weight.sum(), rate * 0.1, rtol=1e-12)


def test_poll_that_ends_on_a_picture_belongs_before_it() -> None:
    """Close the last piece with its poll when a picture is taken at a poll's end."""
    clock = PollClock(20_000.0)
    assert clock.pieces(0, 100).ends_poll.tolist() == [True, True]
    assert clock.pieces(0, 120).ends_poll.tolist() == [True, True, False]
    assert clock.pieces(120, 150).ends_poll.tolist() == [True]


def test_random_start_is_uniform_and_keyed(gray) -> None:
    """Start pixels uniformly below the threshold, by key alone."""
    picture = gray([0], np.zeros((1, 100, 120)))
    spec = SpikeCameraSpec(threshold=3.0)
    a, again, b = (
        open_sensor(spec, width=120, height=100, key=key).init(picture).charge
        for key in (1, 1, 2)
    )  # fmt: skip
    np.testing.assert_array_equal(a, again)
    assert np.any(a != b)
    assert abs(a.mean() - 1.5) < 4 * 3 / np.sqrt(12 * a.size)
    assert a.min() >= 0
    assert a.max() < 3


@pytest.mark.parametrize("spec", [CLEAN, SpikeCameraSpec(preset="scsim")])
@pytest.mark.parametrize("bad", [-1.0, np.nan, np.inf])
def test_impossible_light_is_found_anywhere(spec: SpikeCameraSpec, bad: float) -> None:
    """Refuse one impossible number far into a picture, and let a zero with a minus sign pass."""
    sensor = open_sensor(spec, width=100, height=90, key=0)
    pictures = np.full((3, 90, 100), -0.0, np.float32)
    state = sensor.init_pictures(np.array([0]), pictures[:1])
    _, spikes = sensor.step_pictures(state, np.array([100, 200]), pictures[1:])
    assert len(spikes) == 4
    pictures[2, 80, 7] = bad
    with pytest.raises(InputError, match=r"at 200 us, row 80, column 7 is .* zero or above"):
        sensor.step_pictures(state, np.array([100, 200]), pictures[1:])


def test_bad_light_is_refused(gray) -> None:
    """Refuse light below zero and time that goes back."""
    sensor = open_sensor(CLEAN, width=2, height=1, key=0)
    state = sensor.init(gray([10], np.zeros((1, 1, 2))))
    with pytest.raises(InputError, match="zero or above"):
        sensor.step(state, gray([20], np.full((1, 1, 2), -1.0)))
    with pytest.raises(InputError, match="expected times that increase"):
        sensor.step(state, gray([10], np.zeros((1, 1, 2))))

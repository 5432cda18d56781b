"""Event camera: closed forms, ties, state, parity with the plain specification."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from datagen.errors import InputError
from datagen.sensors.base import open_sensor
from datagen.sensors.event_camera import EventCamera
from datagen.sensors.events.reference import clean_interval
from datagen.sensors.events.response import log_picture, response_of
from schemas.arrays import EventArray
from schemas.sensor import EventCameraSpec

EPS = 1e-3
CLEAN = EventCameraSpec(threshold_sigma=0.0)


def light_of_log(log_light: Any) -> Any:
    return np.exp(np.asarray(log_light, float)) - EPS


def same_events(a: EventArray, b: EventArray) -> None:
    for name in ("t", "x", "y", "p"):
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name), err_msg=name)


def test_first_interval_has_the_closed_form(gray, run) -> None:
    """Stamp the five crossings of a step from 50 to 150 of 255 at 182.6, 365.2, ... us."""
    light = gray([0, 1000], np.array([50, 150]).reshape(2, 1, 1) / 255)
    _, events = run(CLEAN, light)
    slope = math.log((150 / 255 + EPS) / (50 / 255 + EPS)) / 1000
    np.testing.assert_array_equal(events.t, [math.ceil(k * 0.2 / slope) for k in range(1, 6)])
    assert events.t[0] == 183
    assert events.p.tolist() == [1] * 5


def test_crossing_on_a_whole_microsecond_keeps_it(gray, run) -> None:
    """Stamp crossings at exactly 100 k us with 100 k."""
    light = gray([0, 1000], light_of_log([[[-2.0]], [[0.0]]]))
    _, events = run(CLEAN, light)
    np.testing.assert_allclose(events.t, np.arange(100, 1001, 100), atol=1)


def test_time_does_not_depend_on_a_neighbour(gray, run) -> None:
    """Give a pixel the same stamp whether its neighbour sends one event or ten."""
    log_light = [[[-3.0, -3.0]], [[-2.79, -1.0]]]
    _, both = run(CLEAN, gray([0, 10_000], light_of_log(log_light)))
    _, alone = run(CLEAN, gray([0, 10_000], light_of_log(log_light)[:, :, :1]))
    assert len(both) == 11
    np.testing.assert_array_equal(both.t[both.x == 0], alone.t)


def test_up_and_exactly_back_balances(gray, run) -> None:
    """Send as many OFF as ON events when 8-bit light returns to where it was."""
    rng = np.random.default_rng(3)
    up = rng.integers(0, 256, (6, 20, 30)) / 255
    light = gray(np.arange(11) * 1000, np.concatenate([up, up[-2::-1]]))
    _, events = run(CLEAN, light)
    assert np.count_nonzero(events.p) * 2 == len(events)
    assert len(events) > 1000


def test_threshold_met_exactly_sends_the_event(gray, run) -> None:
    """Count a crossing where the log change equals the threshold but for rounding."""
    codes = np.array([[10, 80, 10, 80], [80, 10, 80, 10], [10, 80, 10, 80]])[:, None] / 255
    change = math.log(np.float32(80 / 255) + EPS) - math.log(np.float32(10 / 255) + EPS)
    spec = EventCameraSpec(threshold_sigma=0, threshold_on=change / 3, threshold_off=change / 3)
    _, events = run(spec, gray([0, 1000, 2000], codes))
    assert len(events) == 4 * 2 * 3


def test_static_light_is_silent(gray, run) -> None:
    """Send nothing for light that stands still, dark pixels included."""
    picture = np.linspace(0, 2, 12).reshape(1, 3, 4) * [[[0], [1e-6], [1]]]
    _, events = run(EventCameraSpec(), gray(np.arange(5) * 1000, np.repeat(picture, 5, axis=0)))
    assert len(events) == 0


def test_refractory_period_holds(gray, run, flicker) -> None:
    """Keep exactly the events of the free stream that a greedy dead-time filter keeps."""
    light = gray(np.arange(30) * 1000, flicker(30, 12, 17, swing=2.0))
    _, free = run(CLEAN, light)
    _, events = run(CLEAN.model_copy(update={"refractory_period_us": 700}), light)
    last: dict[tuple[int, int], int] = {}
    kept = []
    for i, pixel in enumerate(zip(free.x.tolist(), free.y.tolist(), strict=True)):
        if free.t[i] - last.get(pixel, -(10**9)) >= 700:
            last[pixel] = int(free.t[i])
            kept.append(i)
    assert len(kept) < len(free)
    np.testing.assert_array_equal(events.t, free.t[kept])
    np.testing.assert_array_equal(events.x, free.x[kept])


def test_mismatch_has_the_nominal_spread() -> None:
    """Draw thresholds with the nominal mean and deviation, never below 0.01."""
    spec = EventCameraSpec(threshold_on=0.2, threshold_off=0.05, threshold_sigma=0.03)
    on, off = EventCamera(spec, width=200, height=100, key=11).thresholds
    assert abs(on.mean() - 0.2) < 4 * 0.03 / math.sqrt(on.size)
    assert abs(on.std() - 0.03) < 4 * 0.03 / math.sqrt(2 * on.size)
    assert abs(np.corrcoef(on.ravel(), off.ravel())[0, 1]) < 4 / math.sqrt(on.size)
    assert off.min() == 0.01
    other, _ = EventCamera(spec, width=200, height=100, key=12).thresholds
    assert np.any(other != on)


@given(st.lists(st.integers(1, 19), max_size=4, unique=True), st.integers(0, 1000))
@settings(max_examples=20)
def test_cuts_change_nothing(gray, run, flicker, cuts: list[int], refractory: int) -> None:
    """Give the same events and state however the stream is cut into batches."""
    spec = EventCameraSpec(refractory_period_us=refractory)
    light = gray(np.arange(20) * 700, flicker(20, 9, 11))
    whole_state, whole = run(spec, light)
    state, events = run(spec, light, tuple(sorted(cuts)))
    same_events(events, whole)
    for name in ("t", "picture", "reference", "last_event"):
        np.testing.assert_array_equal(getattr(state, name), getattr(whole_state, name))


@given(st.integers(0, 2**32), st.sampled_from([0, 300]), st.booleans())
@settings(max_examples=20)
def test_kernel_equals_the_specification(gray, run, seed: int, refractory: int, eight_bit: bool) -> None:  # fmt: skip
    """Match the plain Python specification bit for bit, ties and repeats included."""
    rng = np.random.default_rng(seed)
    pictures = rng.integers(0, 256, (4, 5, 6)) / 255 if eight_bit else rng.random((4, 5, 6)) * 4
    t = np.cumsum(rng.integers(1, 5000, 4))
    light = gray(t, pictures)
    spec = EventCameraSpec(threshold_sigma=0.05, refractory_period_us=refractory)
    state, events = run(spec, light, key=seed)
    on, off = EventCamera(spec, width=6, height=5, key=seed).thresholds
    logs = [
        log_picture(picture.ravel(), response_of(spec)).reshape(5, 6)
        for picture in light.luminance()
    ]
    reference, last = logs[0], np.full((5, 6), -(2**62))
    parts = []
    for k in range(1, 4):
        reference, last, part = clean_interval(
            logs[k - 1], logs[k], t0=int(t[k - 1]), t1=int(t[k]), reference=reference,
            last_event=last, threshold_on=on, threshold_off=off, refractory_us=refractory,
        )  # fmt: skip
        parts.append(part)
    same_events(events, EventArray.concatenate(parts))
    np.testing.assert_array_equal(state.reference, reference)


def test_long_times_keep_the_microsecond(gray, run) -> None:
    """Give the same events an hour later, shifted by exactly an hour."""
    hour = 3_600_000_000
    log_light = [[[-2.0]], [[-1.3]], [[-1.9]]]
    _, early = run(CLEAN, gray([0, 1000, 2500], light_of_log(log_light)))
    _, late = run(CLEAN, gray([hour, hour + 1000, hour + 2500], light_of_log(log_light)))
    np.testing.assert_array_equal(late.t, early.t + hour)


def test_order_is_time_then_row_then_column(gray, run, flicker) -> None:
    """Order events of equal time by row and column."""
    light = gray(np.arange(8) * 20, flicker(8, 30, 40, swing=2.0))
    _, events = run(CLEAN, light)
    key = (events.t * 30 + events.y) * 40 + events.x
    assert len(events) > 1000
    assert np.all(np.diff(key) >= 0)


@pytest.mark.parametrize("value", [np.nan, -0.5, np.inf])
def test_impossible_light_is_refused(gray, value: float) -> None:
    """Name the time and pixel of light that is not finite or below zero."""
    sensor = open_sensor(CLEAN, width=3, height=2, key=0)
    picture = np.ones((1, 2, 3))
    state = sensor.init(gray([0], picture))
    picture[0, 1, 2] = value
    with pytest.raises(InputError, match="10 us, row 1, column 2"):
        sensor.step(state, gray([10], picture))


@pytest.mark.parametrize("t", [[5, 5], [5, 4], [0, 1]])
def test_time_that_does_not_advance_is_refused(gray, t: list[int]) -> None:
    """Refuse pictures whose time stands still or goes back."""
    sensor = open_sensor(CLEAN, width=3, height=2, key=0)
    state = sensor.init(gray([0], np.ones((1, 2, 3))))
    with pytest.raises(InputError, match="expected times that increase"):
        sensor.step(state, gray(t, np.ones((2, 2, 3))))


def test_another_picture_size_is_refused(gray) -> None:
    """Refuse pictures of another size than the sensor's."""
    sensor = open_sensor(CLEAN, width=3, height=2, key=0)
    with pytest.raises(InputError, match="2 rows times 3 columns"):
        sensor.init(gray([0], np.ones((1, 3, 3))))
    with pytest.raises(InputError, match="one picture; got 2"):
        sensor.init(gray([0, 1], np.ones((2, 2, 3))))


@pytest.mark.parametrize(("width", "height"), [(65_536, 1), (1, 65_536), (0, 4)])
def test_sensor_without_addresses_is_refused(width: int, height: int) -> None:
    """Refuse sides that 16-bit addresses cannot tell apart."""
    with pytest.raises(InputError, match="expected 1 to 65535 px a side"):
        EventCamera(CLEAN, width=width, height=height, key=0)


@pytest.mark.parametrize("spec", [CLEAN, EventCameraSpec(preset="noisy")])
def test_largest_sensor_addresses_its_last_pixel(gray, spec: EventCameraSpec) -> None:
    """Send the events of the last column and row from there."""
    for width, height in ((65_535, 2), (2, 65_535)):
        pictures = np.full((2, height, width), 0.2, np.float32)
        pictures[1, -1, -1] = 0.9
        camera = EventCamera(spec, width=width, height=height, key=0)
        state = camera.init_pictures(np.array([0]), pictures[:1])
        _, events = camera.step_pictures(state, np.array([50_000]), pictures[1:])
        last = (events.x == width - 1) & (events.y == height - 1)
        assert np.count_nonzero(last) >= 4
        assert events.x.max() == width - 1


@pytest.mark.parametrize("threshold", [0.0, -0.2, math.nan, math.inf])
@pytest.mark.parametrize("name", ["threshold_on", "threshold_off", "pos_thres", "neg_thres"])
def test_threshold_of_zero_or_below_is_refused(name: str, threshold: float) -> None:
    """Refuse thresholds that would send endless events, by either name."""
    with pytest.raises(ValidationError, match="threshold_o"):
        EventCameraSpec.model_validate({name: threshold})

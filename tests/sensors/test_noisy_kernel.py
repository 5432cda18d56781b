"""The compiled noisy pixel against the plain specification, over all switches."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from datagen.sensors.event_camera import EventCamera
from datagen.sensors.events.noisy_pixels import NoisyModel
from datagen.sensors.events.reference import NoisyState, fused, noisy_interval
from datagen.sensors.events.response import log_picture_f32
from datagen.sensors.events.shot_noise import brighter, new_shots, strike
from datagen.sensors.events.state import EventCameraState
from schemas.arrays import EventArray
from schemas.sensor import EventCameraSpec

HEIGHT, WIDTH = 5, 7


def noise_events(model: NoisyModel, before: Any, after: Any, unit: Any, t0: int, t1: int) -> Any:
    pixels = model._pixels(model.start(0, before))
    shots, n = strike(
        0, t0, t1, model._noise.shots, before.ravel(), after.ravel(), unit, pixels.on, pixels.off,
        new_shots(64),
    )  # fmt: skip
    found: dict[tuple[int, int], list[tuple[float, bool]]] = {}
    for pixel, sigma, word in zip(shots.pixel[:n], shots.sigma[:n], shots.word[:n], strict=True):
        found.setdefault(divmod(int(pixel), WIDTH), []).append((float(sigma), bool(brighter(word))))
    return found


def begun(camera: EventCamera, t: Any, pictures: Any, leaking_us: int) -> EventCameraState:
    """A first state, whose leakage began some time ago."""
    start = camera.init_pictures(t[:1], pictures[:1])
    reference = (start.reference + start.leak * leaking_us).astype(np.float32)
    return dataclasses.replace(start, reference=reference, leak_start=start.leak_start - leaking_us)


def specified(
    spec: EventCameraSpec, key: int, t: Any, pictures: Any, leaking_us: int
) -> tuple[Any, EventArray]:
    camera = EventCamera(spec, width=WIDTH, height=HEIGHT, key=key)
    model = camera._pixels
    assert isinstance(model, NoisyModel)
    start = begun(camera, t, pictures, leaking_us)
    state = NoisyState(
        lag=start.lag[0], lag_2=start.lag[-1], reference=start.reference,
        last_event=start.last_event,
    )  # fmt: skip
    unit = np.float32(1 / 255 if pictures.dtype == np.uint8 else 1)
    intervals, _ = model._intervals(t, int(start.leak_start), float(unit))
    response = model._responses[pictures.dtype]
    level = np.array([log_picture_f32(p.ravel(), response).reshape(p.shape) for p in pictures])
    codes = pictures.astype(np.float32)
    parts = []
    for k in range(len(t) - 1):
        rate = fused(intervals.rate[k, 1], codes[k] + codes[k + 1], intervals.rate[k, 0])
        state, events = noisy_interval(
            level[k], level[k + 1], rate,
            t0=int(t[k]), t1=int(t[k + 1]), order=model._noise.order, state=state, leak=start.leak,
            leak_elapsed=(intervals.ramp[k, 0], intervals.ramp[k, 1]), threshold_on=model._on,
            threshold_off=model._off, refractory_us=spec.refractory_period_us,
            shots=noise_events(
                model, pictures[k], pictures[k + 1], unit, int(t[k]), int(t[k + 1])
            ),
        )  # fmt: skip
        if intervals.settle[k]:
            reference = state.reference - start.leak * intervals.ramp[k, 1]
            state = dataclasses.replace(state, reference=reference.astype(np.float32))
        parts.append(events)
    return state, EventArray.concatenate(parts)


specs = st.builds(
    EventCameraSpec,
    threshold_on=st.sampled_from([0.05, 0.07, 0.2]),
    threshold_off=st.sampled_from([0.06, 0.2]),
    threshold_sigma=st.sampled_from([0.0, 0.02]),
    response=st.sampled_from(["log", "lin_log"]),
    cutoff_hz=st.sampled_from([0.0, 0.5, 5.0, 30.0, 300.0, 5000.0]),
    filter_order=st.sampled_from([1, 2]),
    cutoff_follows_light=st.booleans(),
    leak_rate_hz=st.sampled_from([0.0, 0.1, 300.0]),
    noise_rate_cov_decades=st.sampled_from([0.0, 0.3]),
    shot_noise_rate_hz=st.sampled_from([1e-6, 5.0, 2000.0]),
    hot_pixel_fraction=st.sampled_from([0.0, 0.2]),
    refractory_period_us=st.sampled_from([0, 400]),
    labels=st.just(True),
)
TWO_TURNS_AT_ONCE = EventCameraSpec(
    threshold_on=0.07, threshold_sigma=0.0, response="lin_log", cutoff_hz=5000.0, filter_order=2,
    leak_rate_hz=300.0, shot_noise_rate_hz=2000.0, hot_pixel_fraction=0.2, labels=True,
)  # fmt: skip
"""With the key 72, a pixel turns twice within a 64th of an interval and sends events between."""

SLOW_FILTER = EventCameraSpec(threshold_on=0.05, cutoff_hz=0.5, filter_order=2, labels=True)
"""In short intervals coefficients of its closed form are millions of thresholds; u itself is not."""


@given(
    specs,
    st.integers(0, 2**32),
    st.sampled_from([0.2, 3.0]),
    st.sampled_from([20, 4000]),
    st.sampled_from([0, 900_000]),
    st.booleans(),
)
@example(TWO_TURNS_AT_ONCE, 72, 3.0, 4000, 0, False)
@example(SLOW_FILTER, 1, 3.0, 20, 0, False)
@settings(max_examples=150)
def test_kernel_equals_the_specification(
    spec: EventCameraSpec,
    seed: int,
    swing: float,
    longest_us: int,
    leaking_us: int,
    eight_bit: bool,
) -> None:
    """Give the specification's events and states whatever is switched on."""
    rng = np.random.default_rng(seed)
    light = np.exp(swing * rng.standard_normal((5, HEIGHT, WIDTH)) - 1.0).astype(np.float32)
    pictures = np.minimum(255 * light, 255).astype(np.uint8) if eight_bit else light
    t = np.concatenate([[0], np.cumsum(rng.integers(1, longest_us, 4))]) + 2**20 - 5000
    assert_equal_to_the_specification(spec, seed, t, pictures, leaking_us)


def test_kernel_equals_the_specification_where_light_comes_back_exactly() -> None:
    """Time a threshold that a filter approaches for ever as the specification does."""
    spec = EventCameraSpec(
        threshold_sigma=0.0,
        cutoff_hz=5000.0,
        cutoff_follows_light=False,
        filter_order=2,
        labels=True,
    )
    codes = np.array([255, 79, 8, 255, 255], np.uint8).reshape(5, 1, 1)
    pictures = np.broadcast_to(codes, (5, HEIGHT, WIDTH)).copy()
    t = 2**20 - 5000 + np.cumsum([0, 225, 754, 177, 3317])
    assert_equal_to_the_specification(spec, 1, t, pictures, 0)


def assert_equal_to_the_specification(
    spec: EventCameraSpec, seed: int, t: Any, pictures: Any, leaking_us: int
) -> None:
    camera = EventCamera(spec, width=WIDTH, height=HEIGHT, key=seed)
    state = begun(camera, t, pictures, leaking_us)
    state, events = camera.step_pictures(state, t[1:], pictures[1:])
    expected_state, expected = specified(spec, seed, t, pictures, leaking_us)
    for name in ("t", "x", "y", "p", "noise"):
        np.testing.assert_array_equal(getattr(events, name), getattr(expected, name), err_msg=name)
    np.testing.assert_array_equal(state.reference, expected_state.reference)
    np.testing.assert_array_equal(state.lag[0], expected_state.lag)
    np.testing.assert_array_equal(state.last_event, expected_state.last_event)

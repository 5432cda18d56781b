"""Event camera without noise against closed forms: times, counts, ties, frame rates."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
from event_sensing import sense
from numpy.typing import NDArray

from datagen.sensors.event_camera import EventCamera
from schemas.arrays import EventArray
from schemas.sensor import EventCameraSpec

EPS = 1e-3
C = 0.2
CLEAN = EventCameraSpec(threshold_on=C, threshold_off=C, threshold_sigma=0.0, log_eps=EPS)


def pixel(log_light: Any) -> NDArray[np.float64]:
    """Pictures of one pixel whose log light is given."""
    return (np.exp(np.asarray(log_light, float)) - EPS).reshape(-1, 1, 1)


@pytest.mark.parametrize("frames", [2, 3, 50, 1001])
def test_ramp_crosses_at_k_times_threshold_over_slope(frames: int) -> None:
    """Stamp a linear ramp of log light at t_k = k C / slope at any frame rate (cases 1, 2, 9)."""
    t = np.linspace(0, 1_000_000, frames).round()
    slope = 2.9e-6
    events = sense(CLEAN, t, pixel(-3.0 + slope * t))
    np.testing.assert_allclose(events.t, C * np.arange(1, 15) / slope, atol=1.5)
    assert events.p.all()


def test_sine_crosses_where_its_inverse_says() -> None:
    """Stamp a sine at the inverse sine of every level, up to the error of linear pieces (case 3)."""
    swing, period, frames = 1.03, 100_000.0, 400
    t = np.round(np.arange(3 * frames + 1) * period / frames)
    omega = 2 * math.pi / period
    events = sense(CLEAN, t, pixel(-1.5 + swing * np.sin(omega * t)))
    levels = C * np.arange(-5, 6)
    rising, falling = levels[1:], levels[:-1]
    up, down = np.arcsin(rising / swing), math.pi - np.arcsin(falling / swing)
    start = 1.1 * period
    expected = np.sort((np.concatenate([up, down]) / omega - start) % period)
    settled = events.t[(events.t > start) & (events.t <= start + period)]
    assert len(settled) == len(expected) == 20
    speed = swing * omega * np.abs(np.cos(omega * (expected + start)))
    bound = (omega * period / frames) ** 2 * swing / (8 * speed) + 1
    assert np.all(np.abs(settled - start - expected) <= bound)


def test_moving_edge_reaches_every_pixel_dx_over_v_later() -> None:
    """Shift a pixel's events by 1 / v for an edge that moves at v, dL / C each (case 4)."""
    v, blur, dt = 200e-6, 1.0, 100
    t = np.arange(0, 80_000 + 1, dt)
    x = np.arange(6) + 6.0
    erf = np.vectorize(math.erf)
    edge = 0.55 * erf((v * t[:, None] - x) / (blur * math.sqrt(2)))
    events = sense(CLEAN, t, (np.exp(edge - 1.5) - EPS)[:, None, :])
    times = [events.t[events.x == column] for column in range(6)]
    assert {len(column) for column in times} == {math.floor(1.1 / C)}
    for one, following in itertools.pairwise(times):
        np.testing.assert_allclose(following - one, 1 / v, atol=2)


def test_rate_of_pictures_does_not_move_events_of_straight_light() -> None:
    """Give the same events for twice the frame rate (case 9), whatever the light's history."""
    rng = np.random.default_rng(5)
    log_light = np.cumsum(rng.normal(0, 0.4, (20, 8, 9)), axis=0) - 2
    t = np.arange(20) * 1000
    fine = np.arange(39) * 500
    halfway = np.repeat(log_light, 2, axis=0)[:-1]
    halfway[1::2] = 0.5 * (log_light[1:] + log_light[:-1])
    coarse = sense(CLEAN, t, np.exp(log_light) - EPS)
    doubled = sense(CLEAN, fine, np.exp(halfway) - EPS)
    a, b = by_pixel(coarse), by_pixel(doubled)
    np.testing.assert_array_equal(a[:, :2], b[:, :2])
    assert np.abs(a[:, 2] - b[:, 2]).max() <= 1


def by_pixel(events: EventArray) -> NDArray[np.int64]:
    """(pixel, polarity, t) of events, pixel by pixel in time."""
    where = events.y.astype(np.int64) * 65_536 + events.x
    table = np.stack([where, events.p.astype(np.int64), events.t], axis=1)
    return table[np.argsort(where, kind="stable")]


@pytest.mark.parametrize("response", ["log", "lin_log"])
def test_eight_bit_and_float_pictures_agree(response: Any) -> None:
    """Give the same events from codes and from codes / 255, but for rounding of float32."""
    codes = np.random.default_rng(2).integers(0, 256, (9, 40, 50)).astype(np.uint8)
    spec = EventCameraSpec(threshold_sigma=0.02, response=response)
    t = np.arange(9) * 1000
    whole, single = sense(spec, t, codes), sense(spec, t, codes / 255)
    a, b = by_pixel(whole), by_pixel(single)
    np.testing.assert_array_equal(a[:, :2], b[:, :2])
    assert np.abs(a[:, 2] - b[:, 2]).max() <= 1


def test_lin_log_is_linear_in_the_dark() -> None:
    """Space events evenly in light below 20 / 255, where v2e's response is linear."""
    t = np.array([0, 1_000_000])
    spec = CLEAN.model_copy(update={"response": "lin_log", "threshold_on": math.log(20) / 20})
    codes = np.linspace(0, 20, 21).reshape(21, 1, 1)
    events = sense(spec, np.arange(21) * 1000, codes / 255)
    np.testing.assert_allclose(events.t, np.arange(1, 21) * 1000, atol=1)
    bright = sense(CLEAN.model_copy(update={"response": "lin_log"}), t, pixel([-1.01, 0.0]) + EPS)
    assert len(bright) == 5


def test_bayer_pixels_see_their_colour(gray, run) -> None:
    """Give events of red light to R pixels alone."""
    light = gray([0, 1000], np.full((2, 4, 6), 0.2))
    rgb = light.rgb.copy()
    rgb[1, ..., 0] = 0.9
    red = type(light)(t=light.t, rgb=rgb)
    _, events = run(EventCameraSpec(bayer="rggb", threshold_sigma=0.0), red)
    assert len(events) == 6 * 7
    assert not np.any(events.x % 2)
    assert not np.any(events.y % 2)


def test_independent_esim_gives_the_same_events() -> None:
    """Agree with ESIM's rule written anew in float32, 0.1 % of counts and 1 us (case 20)."""
    rng = np.random.default_rng(8)
    waves = rng.normal(0, 1, (3, 60, 80, 2))
    t = np.arange(30) * 1000
    k = t[:, None, None] / 4000
    log_light = sum(
        0.4 * w[..., 0] * np.sin(k * (1 + i) + 3 * w[..., 1]) for i, w in enumerate(waves)
    )
    codes = np.clip(70 * np.exp(log_light), 0, 255).astype(np.uint8)
    events = sense(CLEAN, t, codes)
    expected = esim(t, np.log(codes.astype(np.float32) / 255 + np.float32(EPS)))
    assert len(expected) > 20_000
    assert abs(len(events) - len(expected)) < 1e-3 * len(expected)
    ours = {tuple(row[:2]): [] for row in by_pixel(events).tolist()}
    for where, polarity, stamp in by_pixel(events).tolist():
        ours[where, polarity].append(stamp)
    theirs = {key: [] for key in ours}
    for where, polarity, stamp in expected:
        theirs.setdefault((where, polarity), []).append(stamp)
    equal = [key for key in ours if len(ours[key]) == len(theirs[key])]
    apart = np.concatenate([np.subtract(ours[key], theirs[key]) for key in equal])
    assert len(equal) > 0.98 * len(ours)
    assert np.median(np.abs(apart)) < 1


def esim(t: Any, log_light: Any) -> list[tuple[int, int, float]]:
    """(pixel, polarity, time) by stepping a float32 reference past every crossing."""
    reference = log_light[0].copy()
    step = np.float32(C)
    out = []
    for k in range(1, len(t)):
        for y, x in np.ndindex(reference.shape):
            before, after = log_light[k - 1, y, x], log_light[k, y, x]
            if abs(after - before) < 1e-6:
                continue
            sign = np.float32(1 if after > before else -1)
            while sign * (after - (reference[y, x] + sign * step)) >= 0:
                reference[y, x] += sign * step
                share = (reference[y, x] - before) / (after - before)
                out.append((y * 65_536 + x, int(sign > 0), t[k - 1] + share * (t[k] - t[k - 1])))
    return out


@pytest.mark.parametrize("preset", ["clean", "noisy"])
@pytest.mark.parametrize("kind", [np.uint8, np.float32])
def test_threads_and_batches_change_nothing(preset: Any, kind: Any) -> None:
    """Give the same events and states for 1 and 2 threads and any batches (case 18)."""
    codes = np.random.default_rng(4).integers(20, 90, (12, 50, 67)).astype(np.uint8)
    pictures = codes if kind is np.uint8 else (codes / 255).astype(np.float32)
    t = np.arange(12) * 3001 + 2**20 - 9000
    spec = EventCameraSpec(preset=preset, refractory_period_us=150, labels=True)
    outcomes = []
    for threads, cuts in ((1, [12]), (2, [12]), (1, [2, 3, 9, 12]), (2, [6, 12])):
        camera = EventCamera(spec, width=67, height=50, key=3, threads=threads)
        state, parts, start = camera.init_pictures(t[:1], pictures[:1]), [], 1
        for stop in cuts:
            state, part = camera.step_pictures(state, t[start:stop], pictures[start:stop])
            parts.append(part)
            start = stop
        outcomes.append((state, EventArray.concatenate(parts)))
    (state, events), *others = outcomes
    assert len(events) > 4000
    for other_state, other in others:
        for name in ("t", "x", "y", "p", "noise"):
            np.testing.assert_array_equal(getattr(other, name), getattr(events, name))
        for name in state.__dataclass_fields__:
            np.testing.assert_array_equal(getattr(other_state, name), getattr(state, name))


def test_streams_are_sorted_and_in_bounds_after_hours() -> None:
    """Keep order, bounds and types for long intervals more than an hour in (case 17)."""
    rng = np.random.default_rng(1)
    pictures = rng.random((4, 30, 41))
    t = 4_000_000_000 + np.array([0, 5_000, 700_000, 40_000_000])
    events = sense(EventCameraSpec(preset="noisy"), t, pictures)
    assert np.all(np.diff(events.t) >= 0)
    assert events.t[0] > t[0]
    assert events.t[-1] <= t[-1]
    assert events.x.max() < 41
    assert events.y.max() < 30
    assert set(np.unique(events.p)) == {0, 1}

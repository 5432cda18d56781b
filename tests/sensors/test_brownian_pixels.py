"""The Brownian pixel: drift alone is a ramp, noise alone a random walk, cuts and threads nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from datagen.sensors.event_camera import EventCamera
from datagen.sensors.events.brownian_pixels import next_event, odds_of_up
from schemas.arrays import EventArray
from schemas.sensor import EventCameraSpec

SIDE = 40


def see(spec: EventCameraSpec, t: Any, pictures: Any, *, threads: int = 1, cuts: int = 1) -> EventArray:  # fmt: skip
    camera = EventCamera(spec, width=SIDE, height=SIDE, key=5, threads=threads)
    t = np.asarray(t, np.int64)
    state = camera.init_pictures(t[:1], pictures[:1])
    parts = []
    for batch in np.array_split(np.arange(1, len(t)), cuts):
        state, events = camera.step_pictures(state, t[batch], pictures[batch])
        parts.append(events)
    return EventArray.concatenate(parts)


def even(levels: list[float]) -> Any:
    return np.repeat(np.float32(levels), SIDE * SIDE).reshape(-1, SIDE, SIDE)


def test_drift_without_noise_crosses_like_a_ramp() -> None:
    """Send the k-th event at k / mu, the rest of the voltage kept from picture to picture."""
    spec = EventCameraSpec(brownian=(5.0, 20.0, 0.0, 0.0, 0.0, 0.0))
    events = see(spec, [0, 400, 1000], even([100 / 255, 120 / 255, 150 / 255]))
    mu = 5.0 * 20 / 400 / (110 + 20)
    first = 5.0 * 20 / (110 + 20)
    second = 5.0 * 30 / 600 / (135 + 20)
    assert first < 1 < first + 600 * second
    expected = int(np.ceil(400 + (1 - mu * 400) / second))
    assert set(events.t.tolist()) == {expected}
    assert len(events) == SIDE * SIDE
    assert events.p.all()


def test_noise_alone_takes_no_side() -> None:
    """Send as many ON as OFF events without drift."""
    spec = EventCameraSpec(brownian=(0.0, 1.0, 0.0, 0.0, 0.0, 0.05))
    events = see(spec, [0, 200_000], even([0.5, 0.5]))
    assert len(events) > 10_000
    assert abs(np.mean(events.p) - 0.5) < 4 * 0.5 / np.sqrt(len(events))


@pytest.mark.parametrize("mu", [0.002, -0.002, 0.02])
def test_waiting_time_has_the_inverse_gaussian_moments(mu: float) -> None:
    """Wait distance / |mu| on the average with variance distance sigma^2 / |mu|^3."""
    sigma, n = 0.01, 20_000
    waits = np.array([next_event(0.0, mu, sigma, np.uint64(k), 0) for k in range(n)])
    mean, spread = 1 / abs(mu), sigma / abs(mu) ** 1.5
    assert np.all(waits[:, 0] == (mu > 0))
    assert abs(waits[:, 1].mean() - mean) < 4 * spread / np.sqrt(n)
    assert abs(waits[:, 1].std() / spread - 1) < 0.05


def test_odds_follow_voltage_and_drift() -> None:
    """Be 1/2 in the middle without drift, rise with both, and mirror with them."""
    assert odds_of_up(0.0, 0.0, 1.0) == 0.5
    assert odds_of_up(0.5, 0.0, 1.0) == 0.75
    assert odds_of_up(0.0, 1.0, 1.0) == pytest.approx((1 - np.exp(-2)) / (1 - np.exp(-4)))
    assert odds_of_up(0.3, -0.7, 0.5) == pytest.approx(1 - odds_of_up(-0.3, 0.7, 0.5))


@pytest.mark.parametrize("kind", [np.uint8, np.float32])
def test_threads_and_cuts_change_nothing(kind: Any) -> None:
    """Give the same events for two threads and any batches."""
    rng = np.random.default_rng(1)
    pictures = rng.integers(0, 256, (7, SIDE, SIDE)).astype(kind)
    pictures = pictures if kind == np.uint8 else pictures / np.float32(255)
    spec = EventCameraSpec(brownian="dvs346")
    t = 3000 * np.arange(7)
    whole = see(spec, t, pictures)
    assert len(whole) > 1000
    assert np.all(np.diff(whole.t) >= 0)
    for other in (see(spec, t, pictures, threads=2), see(spec, t, pictures, cuts=3)):
        for name in ("t", "x", "y", "p"):
            np.testing.assert_array_equal(getattr(whole, name), getattr(other, name))


def test_other_noise_is_refused() -> None:
    """Refuse the threshold pixel's noise beside the Brownian pixel, naming it."""
    with pytest.raises(ValidationError, match="together with cutoff_hz"):
        EventCameraSpec(brownian="dvs240", cutoff_hz=30.0)

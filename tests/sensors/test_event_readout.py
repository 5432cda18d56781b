"""Latency, jitter and arbiters: nothing lost, nothing out of turn, nothing changed by cuts."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datagen.sensors.event_camera import EventCamera
from schemas.arrays import EventArray
from schemas.sensor import EventCameraSpec

HEIGHT, WIDTH = 6, 9


def stream(cuts: list[int], tail: int = 30, **wire: Any) -> EventArray:
    """Events of random light, then of a still tail in which everything leaves."""
    rng = np.random.default_rng(0)
    moving = np.exp(rng.normal(0, 1, (12, HEIGHT, WIDTH))).astype(np.float32)
    pictures = np.concatenate([moving, np.repeat(moving[-1:], tail, axis=0)])
    t = np.arange(len(pictures)) * 500
    spec = EventCameraSpec(threshold_sigma=0.0, **wire)
    camera = EventCamera(spec, width=WIDTH, height=HEIGHT, key=1)
    state, parts = camera.init_pictures(t[:1], pictures[:1]), []
    for start, stop in zip([1, *cuts], [*cuts, len(t)], strict=True):
        state, part = camera.step_pictures(state, t[start:stop], pictures[start:stop])
        parts.append(part)
    return EventArray.concatenate(parts)


def counts(events: EventArray) -> Any:
    return np.bincount((events.y.astype(int) * WIDTH + events.x) * 2 + events.p, minlength=108)


def test_latency_shifts_every_event() -> None:
    """Delay all events by the latency, to the microsecond."""
    plain, late = stream([]), stream([], latency_us=120)
    np.testing.assert_array_equal(late.t, plain.t + 120)
    np.testing.assert_array_equal(late.x, plain.x)


def test_jitter_has_its_deviation_and_keeps_a_pixels_order() -> None:
    """Spread delays by the jitter without letting a pixel's events overtake one another."""
    plain, late = stream([]), stream([], latency_us=300, latency_jitter_us=40)
    np.testing.assert_array_equal(counts(late), counts(plain))
    delays = []
    for y, x in np.ndindex(HEIGHT, WIDTH):
        a, b = ((e.x == x) & (e.y == y) for e in (plain, late))
        np.testing.assert_array_equal(plain.p[a], late.p[b])
        delays.append(late.t[b] - plain.t[a])
    spread = np.concatenate(delays)
    assert spread.mean() == pytest.approx(300, abs=15)
    assert spread.std() == pytest.approx(40, abs=10)


@pytest.mark.parametrize("arbiter", ["serial", "rows"])
def test_bus_lets_events_out_at_its_rate(arbiter: Any) -> None:
    """Lose nothing, and pause after every grant for as long as its events take."""
    plain, slow = stream([], tail=90), stream([], tail=90, arbiter=arbiter, readout_rate=1e5)
    np.testing.assert_array_equal(counts(slow), counts(plain))
    stamps, together = np.unique(slow.t, return_counts=True)
    assert np.all(np.diff(slow.t) >= 0)
    assert np.all(np.diff(stamps) >= 10 * together[:-1] - 1)


def test_serial_bus_spaces_events() -> None:
    """Keep events of the serial arbiter at least 1 / rate apart."""
    slow = stream([], arbiter="serial", readout_rate=1e5)
    assert np.diff(slow.t).min() >= 9


def test_row_arbiter_stamps_a_row_at_once() -> None:
    """Give the events that leave together one stamp and one row."""
    slow = stream([], arbiter="rows", readout_rate=1e5)
    stamps, index, size = np.unique(slow.t, return_index=True, return_counts=True)
    assert size.max() > 1
    for i, n in zip(index, size, strict=True):
        assert len(set(slow.y[i : i + n].tolist())) == 1
    assert np.all(np.diff(stamps) > 0)


@given(
    st.lists(st.integers(1, 40), max_size=5, unique=True),
    st.sampled_from(["none", "serial", "rows"]),
    st.sampled_from([2e5, 1e7]),
)
@settings(max_examples=15)
def test_cuts_change_nothing(cuts: list[int], arbiter: Any, rate: float) -> None:
    """Give the same stream however it is cut, events in flight included."""
    wire = {"latency_us": 250, "latency_jitter_us": 100, "arbiter": arbiter, "readout_rate": rate}
    whole, cut = stream([], **wire), stream(sorted(cuts), **wire)
    for name in ("t", "x", "y", "p"):
        np.testing.assert_array_equal(getattr(cut, name), getattr(whole, name))

"""Changes of events: what each keeps, and that windows before are changed alike."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from random_events import random_events

from datagen.representations.voxel_grid import voxel_grid
from datagen.training import event_changes as change
from datagen.training.augment import augment_window
from datagen.training.config import AugmentSpec
from datagen.training.encoding import EventWindow
from schemas.arrays import EventArray

HEIGHT, WIDTH = 12, 20


def window_events(seed: int, n: int = 50) -> EventArray:
    return random_events(seed, n, width=WIDTH, height=HEIGHT, until_us=1000)


def grid_of(events: EventArray):  # type: ignore[no-untyped-def]
    return voxel_grid(events, start_us=0, end_us=1000, bins=4, height=HEIGHT, width=WIDTH)


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def test_reversed_time_is_an_involution_in_order() -> None:
    """Reverse twice to the same events, and keep time from decreasing in between."""
    events = window_events(0)
    back = change.reverse_time(events, 0, 1000)
    assert (np.diff(back.t) >= 0).all()
    again = change.reverse_time(back, 0, 1000)
    np.testing.assert_array_equal(again.t, events.t)
    np.testing.assert_array_equal(again.p, events.p)
    np.testing.assert_allclose(grid_of(back), -grid_of(events)[::-1], atol=1e-6)


def test_flipped_polarity_negates_the_grid() -> None:
    """Negate the voxel grid by swapping ON and OFF."""
    events = window_events(1)
    np.testing.assert_array_equal(grid_of(change.flip_polarity(events)), -grid_of(events))


def test_dropped_events_are_a_subset_of_the_expected_size() -> None:
    """Keep about the asked share, in order, and all of them for a share of zero."""
    events = window_events(2, n=4000)
    kept = change.drop_events(events, 0.25, rng())
    assert 2850 < len(kept) < 3150
    assert (np.diff(kept.t) >= 0).all()
    assert len(change.drop_events(events, 0.0, rng())) == len(events)


def test_a_higher_threshold_thins_pixel_by_pixel() -> None:
    """Keep events in order, fewer the larger the deviation, all of them for none."""
    events = window_events(3, n=4000)
    counts = [
        len(change.jitter_threshold(events, sigma, HEIGHT, WIDTH, rng())) for sigma in (0, 0.3, 1)
    ]
    assert counts[0] == len(events) > counts[1] > counts[2] > 0
    thinned = change.jitter_threshold(events, 0.5, HEIGHT, WIDTH, rng())
    assert (np.diff(thinned.t) >= 0).all()


def test_noise_is_added_in_time_order_inside_the_window() -> None:
    """Insert the asked number of events on the sensor, after the start and up to the end."""
    noisy = change.add_noise(EventArray.empty(), 500, (10, 20), HEIGHT, WIDTH, rng())
    assert len(noisy) == 500
    assert (np.diff(noisy.t) >= 0).all()
    assert noisy.t.min() == 11
    assert noisy.t.max() == 20
    assert noisy.x.max() == WIDTH - 1
    assert noisy.y.max() == HEIGHT - 1
    assert 150 < noisy.p.sum() < 350


@given(st.integers(0, 2**32))
def test_windows_before_are_changed_alike(seed: int) -> None:
    """Swap polarity in both windows or in neither, and leave the inputs alone."""
    events = EventArray(
        t=np.array([5]), x=np.array([1], np.uint16),
        y=np.array([1], np.uint16), p=np.array([1], np.uint8),
    )  # fmt: skip
    events.p.flags.writeable = False
    size = {"height": HEIGHT, "width": WIDTH}
    before = EventWindow(events=events, start_us=-1000, stop_us=0, **size)
    window = EventWindow(events=events, start_us=0, stop_us=1000, before=before, **size)
    spec = AugmentSpec(drop_events=0.0)
    changed = augment_window(window, spec, np.random.default_rng(seed))
    assert changed.before is not None
    assert changed.before.events.p[0] == changed.events.p[0]


def test_all_changes_together_keep_events_in_order() -> None:
    """Compose every change into events that are still sorted and on the sensor."""
    window = EventWindow(
        events=window_events(4, n=800), start_us=0, stop_us=1000, height=HEIGHT, width=WIDTH
    )
    spec = AugmentSpec(jitter_threshold=0.5, noise_events=1.0, drop_events=0.5)
    for seed in range(5):
        events = augment_window(window, spec, np.random.default_rng(seed)).events
        assert (np.diff(events.t) >= 0).all()
        assert events.x.max() < WIDTH


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_polarity_swaps_with_its_probability(share: float) -> None:
    """Never swap at 0, always at 1."""
    window = EventWindow(
        events=window_events(5), start_us=0, stop_us=1000, height=HEIGHT, width=WIDTH
    )
    spec = AugmentSpec(flip_polarity=share, drop_events=0.0)
    swapped = augment_window(window, spec, rng()).events
    np.testing.assert_array_equal(swapped.p == window.events.p, share == 0.0)

"""Count images, stacks and time surfaces: known answers and conservation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from random_events import random_events

from datagen.errors import InputError
from datagen.representations.event_frame import count_image, event_stack, spike_flownet_input
from datagen.representations.time_surface import NEVER, ev_flownet_input, last_stamps, time_surface
from schemas.arrays import EventArray

HEIGHT, WIDTH = 4, 6
FILM = {"height": HEIGHT, "width": WIDTH, "until_us": 100}


def events_of(*rows: tuple[int, int, int, int]) -> EventArray:
    """Rows of t, x, y, p."""
    t, x, y, p = np.array(rows, np.int64).reshape(-1, 4).T
    return EventArray(
        t=t.copy(), x=x.astype(np.uint16), y=y.astype(np.uint16), p=p.astype(np.uint8)
    )


def test_count_image_counts_by_polarity() -> None:
    """Count two ON and one OFF event of a pixel apart."""
    image = count_image(
        events_of((0, 3, 1, 1), (5, 3, 1, 0), (9, 3, 1, 1)), height=HEIGHT, width=WIDTH
    )
    assert image[:, 1, 3].tolist() == [1, 2]
    assert image.sum() == 3


def test_time_slices_end_where_they_say() -> None:
    """Put events at the start, just before the middle, in the middle and at the end."""
    stack = event_stack(
        events_of((0, 0, 0, 1), (49, 1, 0, 1), (50, 2, 0, 1), (100, 3, 0, 1)),
        start_us=0, end_us=100, slices=2, slicing="time", height=HEIGHT, width=WIDTH,
    )  # fmt: skip
    assert stack[0, 1, 0, :2].tolist() == [1, 1]
    assert stack[1, 1, 0, 2:4].tolist() == [1, 1]


@given(st.integers(0, 60), st.integers(1, 7), st.integers(0, 2**32))
def test_count_slices_are_equal_and_lose_nothing(n: int, slices: int, seed: int) -> None:
    """Share any number of events out in time order, slices differing by one at most."""
    events = random_events(seed, n, **FILM)
    stack = event_stack(
        events, start_us=0, end_us=100, slices=slices, slicing="count",
        height=HEIGHT, width=WIDTH,
    )  # fmt: skip
    per_slice = stack.sum(axis=(1, 2, 3))
    assert per_slice.max() - per_slice.min() <= 1
    np.testing.assert_array_equal(
        stack.sum(axis=0), count_image(events, height=HEIGHT, width=WIDTH)
    )


def test_spike_flownet_input_orders_halves_and_polarities() -> None:
    """Place four events, one per half and polarity, in the paper's channels."""
    rows = [(10, 0, 0, 1), (30, 1, 0, 0), (60, 2, 0, 1), (90, 3, 0, 0)]
    window = {"start_us": 0, "end_us": 100, "slices": 2, "height": HEIGHT, "width": WIDTH}
    grid = spike_flownet_input(events_of(*rows), slicing="time", **window)
    assert grid.shape == (4, HEIGHT, WIDTH, 2)
    for channel, (x, step) in enumerate([(0, 0), (1, 1), (2, 0), (3, 1)]):
        assert grid[channel, 0, x, step] == 1
    assert grid.sum() == 4


def test_time_surface_decays_from_one() -> None:
    """Give 1 at the reference, 1/e a time constant earlier, 0 without an event."""
    surface = time_surface(
        events_of((0, 1, 0, 1), (50, 2, 0, 0), (100, 3, 0, 1), (101, 4, 0, 1)),
        reference_us=100, tau_us=50.0, height=HEIGHT, width=WIDTH,
    )  # fmt: skip
    np.testing.assert_allclose(surface[1, 0], [0, np.exp(-2), 0, 1, 0, 0], atol=1e-6)
    np.testing.assert_allclose(surface[0, 0, 2], np.exp(-1), atol=1e-6)


def test_latest_event_wins() -> None:
    """Keep the later of two stamps and the marker where nothing fired."""
    stamps = last_stamps(events_of((3, 1, 1, 1), (8, 1, 1, 1)), height=HEIGHT, width=WIDTH)
    assert stamps[1, 1, 1] == 8
    assert stamps[0, 1, 1] == NEVER


def test_ev_flownet_input_is_in_its_papers_order() -> None:
    """Put ON before OFF, counts before stamps, stamps in [0, 1] of the window."""
    grid = ev_flownet_input(
        events_of((100, 1, 1, 1), (150, 1, 1, 1), (200, 2, 1, 0)),
        start_us=100, end_us=200, height=HEIGHT, width=WIDTH,
    )  # fmt: skip
    assert grid[:, 1, 1].tolist() == [2, 0, 0.5, 0]
    assert grid[:, 1, 2].tolist() == [0, 1, 0, 1]


@pytest.mark.parametrize("n", [0, 1])
def test_empty_and_single_event_windows_are_finite(n: int) -> None:
    """Stay finite with no event and with one."""
    events = random_events(0, n, **FILM)
    size = {"height": HEIGHT, "width": WIDTH}
    for array in (
        ev_flownet_input(events, start_us=0, end_us=100, **size),
        time_surface(events, reference_us=100, tau_us=1.0, **size),
        spike_flownet_input(events, start_us=0, end_us=100, slices=3, **size),
    ):
        assert np.isfinite(array).all()


def test_wrong_arguments_are_refused() -> None:
    """Refuse events outside the sensor, no slices, and no time constant."""
    size = {"height": HEIGHT, "width": WIDTH}
    with pytest.raises(InputError, match="row 4"):
        count_image(events_of((0, 0, 4, 1)), **size)
    with pytest.raises(InputError, match="slices"):
        event_stack(EventArray.empty(), start_us=0, end_us=1, slices=0, slicing="time", **size)
    with pytest.raises(InputError, match="tau"):
        time_surface(EventArray.empty(), reference_us=0, tau_us=0.0, **size)

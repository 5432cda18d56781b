"""Voxel grids: known answers, conservation, symmetry, the plain twin."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from random_events import random_events

from datagen.errors import InputError
from datagen.representations.voxel_grid import unit_rms, voxel_grid, voxel_grid_numpy
from schemas.arrays import EventArray

HEIGHT, WIDTH, END = 6, 9, 1000


def events_of(t: list[int], x: list[int], y: list[int], p: list[int]) -> EventArray:
    return EventArray(
        t=np.array(t, np.int64), x=np.array(x, np.uint16),
        y=np.array(y, np.uint16), p=np.array(p, np.uint8),
    )  # fmt: skip


@st.composite
def event_arrays(draw: st.DrawFn) -> EventArray:
    seed, n = draw(st.integers(0, 2**32)), draw(st.integers(0, 40))
    return random_events(seed, n, width=WIDTH, height=HEIGHT, until_us=END)


def grid_of(events: EventArray, bins: int = 5, start: int = 0, end: int = END):  # type: ignore[no-untyped-def]
    return voxel_grid(events, start_us=start, end_us=end, bins=bins, height=HEIGHT, width=WIDTH)


def test_event_between_bins_is_shared_by_distance() -> None:
    """Split an event a quarter of a bin past bin 1 as 0.75 and 0.25."""
    grid = grid_of(events_of([312], [4], [2], [0]), end=999)
    at = 312 * 4 / 999
    np.testing.assert_allclose(grid[:, 2, 4], [0, at - 2, 1 - at, 0, 0], atol=1e-6)
    assert np.count_nonzero(grid) == 2


def test_bins_are_pinned_to_the_window() -> None:
    """Put events at the borders of the window whole into the first and last bin."""
    grid = grid_of(events_of([0, END], [1, 2], [0, 0], [1, 1]))
    assert grid[0, 0, 1] == 1
    assert grid[-1, 0, 2] == 1


@pytest.mark.parametrize("t", [[], [500, 500, 500]])
def test_degenerate_windows_are_finite(t: list[int]) -> None:
    """Give a finite grid for no events and for events with a single stamp."""
    grid = grid_of(events_of(t, [1] * len(t), [1] * len(t), [1] * len(t)))
    assert np.isfinite(grid).all()
    assert grid.sum() == len(t)


@given(event_arrays(), st.integers(2, 7))
def test_grid_holds_the_signed_event_sum(events: EventArray, bins: int) -> None:
    """Conserve the polarity of every pixel; inputs are read-only."""
    expected = np.zeros((HEIGHT, WIDTH))
    np.add.at(expected, (events.y, events.x), 2.0 * events.p - 1)
    np.testing.assert_allclose(grid_of(events, bins).sum(axis=0), expected, atol=1e-5)


@given(event_arrays(), st.integers(2, 7), st.integers(-300, 300))
def test_kernel_equals_the_plain_twin(events: EventArray, bins: int, start: int) -> None:
    """Agree with numpy, also for events outside the window."""
    plain = voxel_grid_numpy(
        events, start_us=start, end_us=END, bins=bins, height=HEIGHT, width=WIDTH
    )
    np.testing.assert_allclose(grid_of(events, bins, start), plain, atol=1e-5)


@given(event_arrays())
def test_reversed_time_reverses_the_bins(events: EventArray) -> None:
    """Reverse and negate the grid for the film run backwards."""
    backwards = EventArray(
        t=(END - events.t)[::-1].copy(), x=events.x[::-1].copy(),
        y=events.y[::-1].copy(), p=(1 - events.p)[::-1].copy(),
    )  # fmt: skip
    np.testing.assert_allclose(grid_of(backwards), -grid_of(events)[::-1], atol=1e-5)


@given(event_arrays())
def test_consecutive_windows_merge(events: EventArray) -> None:
    """Sum two half windows to the whole, bin centres shared."""
    whole = grid_of(events, bins=5)
    first, second = grid_of(events, bins=3, end=END // 2), grid_of(events, bins=3, start=END // 2)
    np.testing.assert_allclose(first[:2], whole[:2], atol=1e-5)
    np.testing.assert_allclose(second[1:], whole[3:], atol=1e-5)


def test_unit_rms_scales_the_cells_that_hold_events() -> None:
    """Reach a mean square of one over non-zero cells and leave an empty grid alone."""
    grid = grid_of(events_of([0, 0, 0], [1, 1, 2], [0, 0, 0], [1, 1, 0]))
    scaled = unit_rms(grid)
    np.testing.assert_allclose(np.mean(scaled[scaled != 0] ** 2), 1.0, rtol=1e-6)
    assert not unit_rms(np.zeros_like(grid)).any()


def test_wrong_arguments_are_refused() -> None:
    """Refuse an event outside the sensor, an empty window and a single bin."""
    outside = events_of([0], [WIDTH], [0], [1])
    with pytest.raises(InputError, match="column 9"):
        grid_of(outside)
    with pytest.raises(InputError, match="end after its start"):
        grid_of(EventArray.empty(), start=5, end=5)
    with pytest.raises(InputError, match="at least 2"):
        grid_of(EventArray.empty(), bins=1)

"""Other projects' voxel grids against plain restatements of their definitions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from random_events import random_events

from datagen.errors import InputError
from datagen.representations.voxel_conventions import Convention, voxel_grid_as
from schemas.arrays import EventArray

HEIGHT, WIDTH, BINS = 5, 7, 4
SIZE = {"bins": BINS, "height": HEIGHT, "width": WIDTH}
FILM = {"height": HEIGHT, "width": WIDTH, "until_us": 999}


def hats(
    t: NDArray[np.float64], x: NDArray[np.float64], y: NDArray[np.float64], p: NDArray[np.uint8]
):  # type: ignore[no-untyped-def]
    """The sum of signed products of hats, straight from the formula."""
    c, row, column = np.indices((BINS, HEIGHT, WIDTH))
    grid = np.zeros((BINS, HEIGHT, WIDTH))
    for i in range(len(t)):
        near = [np.maximum(0, 1 - abs(a - b)) for a, b in ((c, t[i]), (row, y[i]), (column, x[i]))]
        grid += (2.0 * p[i] - 1) * near[0] * near[1] * near[2]
    return grid


def test_eraft_floors_positions_left_of_the_picture() -> None:
    """Let an event at x = -0.3 reach column 0 and not column 1."""
    events = EventArray(
        t=np.array([0, 100]), x=np.zeros(2, np.uint16),
        y=np.zeros(2, np.uint16), p=np.array([1, 0], np.uint8),
    )  # fmt: skip
    positions = np.array([[-0.3, 2.0], [5.0, 2.0]], np.float32)
    grid = voxel_grid_as("eraft", events, positions=positions, **SIZE)
    assert np.argwhere(grid).tolist() == [[0, 2, 0], [BINS - 1, 2, 5]]


@given(st.integers(2, 25), st.integers(0, 2**32))
def test_eraft_is_trilinear_and_standardised(n: int, seed: int) -> None:
    """Equal the product of hats at rectified positions, also beyond the border, its cells that hold
    something brought to mean 0 and deviation 1."""
    events = random_events(seed, n, **FILM)
    positions = np.random.default_rng(seed).uniform(-1.5, 8, (n, 2)).astype(np.float32)
    t = (events.t - events.t[0]) * (BINS - 1) / max(events.t[-1] - events.t[0], 1)
    plain = hats(t, *positions.T.astype(np.float64), events.p)
    filled = np.abs(plain) >= 1e-9
    cells = plain[filled]
    expected = np.zeros_like(plain)
    expected[filled] = cells - cells.mean() if cells.size else 0.0
    if cells.size > 1 and cells.std() > 1e-6:
        expected /= cells.std(ddof=1)
    grid = voxel_grid_as("eraft", events, positions=positions, **SIZE)
    np.testing.assert_allclose(grid, expected, atol=2e-4)


@given(st.integers(1, 25), st.integers(0, 2**32))
def test_event_flow_spans_first_to_last_event(n: int, seed: int) -> None:
    """Pin the first event to the first bin and the last to the last."""
    events = random_events(seed, n, **FILM)
    t = (events.t - events.t[0]) * (BINS - 1) / max(events.t[-1] - events.t[0], 1)
    expected = hats(t, events.x.astype(float), events.y.astype(float), events.p)
    np.testing.assert_allclose(voxel_grid_as("event_flow", events, **SIZE), expected, atol=1e-5)


def test_tonic_loses_the_last_event() -> None:
    """Hold two of three events at the ends and the middle of the window."""
    events = EventArray(
        t=np.array([0, 50, 100]), x=np.zeros(3, np.uint16),
        y=np.zeros(3, np.uint16), p=np.ones(3, np.uint8),
    )  # fmt: skip
    grid = voxel_grid_as("tonic", events, **SIZE)
    assert grid[:, 0, 0].tolist() == [1, 0, 1, 0]


@pytest.mark.parametrize("convention", ["eraft", "event_flow", "tonic"])
def test_degenerate_windows_are_finite(convention: Convention) -> None:
    """Stay finite without events and when all share a stamp."""
    same = EventArray(
        t=np.full(3, 7), x=np.arange(3, dtype=np.uint16),
        y=np.zeros(3, np.uint16), p=np.array([0, 1, 1], np.uint8),
    )  # fmt: skip
    for events in (EventArray.empty(), same):
        assert np.isfinite(voxel_grid_as(convention, events, **SIZE)).all()


def test_positions_must_fit() -> None:
    """Refuse positions of another number, or for a grid that takes none."""
    events = random_events(0, 3, **FILM)
    for convention, shape in (("eraft", (2, 2)), ("tonic", (3, 2))):
        with pytest.raises(InputError, match="positions"):
            voxel_grid_as(convention, events, positions=np.zeros(shape, np.float32), **SIZE)  # type: ignore[arg-type]

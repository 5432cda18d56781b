"""Pictures of a run can be read: labels apart, scales told."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from datagen.training.pictures import CURVE_COLOURS, comparison_row, labels_apart
from datagen.training.report import BY_BIN
from datagen.training.sample import Sample


@pytest.mark.parametrize(
    "heights", [[50.0, 50.0, 50.0], [99.0, 98.0, 100.0, 97.0], [10.0, 60.0], [40.0], []]
)
def test_labels_of_curves_that_end_together_stand_apart(heights: list[float]) -> None:
    """Keep the order and the room of a line between labels, none of them below the axis."""
    placed = labels_apart(heights, gap=12.0, limit=100.0)
    assert np.argsort(placed, kind="stable").tolist() == np.argsort(heights, kind="stable").tolist()
    assert all(b - a >= 12.0 for a, b in itertools.pairwise(sorted(placed)))
    assert max(placed, default=0.0) <= 100.0


def test_labels_with_room_stay() -> None:
    """Move nothing that is far enough from all others."""
    assert labels_apart([70.0, 10.0, 40.0], gap=12.0, limit=100.0) == [70.0, 10.0, 40.0]


def test_the_curves_of_a_run_differ_in_colour() -> None:
    """Have a colour for the loss, the network and each of the three guesses."""
    assert len(set(CURVE_COLOURS)) >= 5


def test_bins_of_a_report_are_ranges() -> None:
    """Do not let a bin look like everything above its edge."""
    assert BY_BIN[1:5] == ("flow 0-1", "flow 1-4", "flow 4-10", "flow >= 10")
    assert BY_BIN[-2:] == ("active 20-40%", "active >= 40%")


def test_a_comparison_tells_its_scales() -> None:
    """Say what the brightest error is, in pixels."""
    flow = np.zeros((2, 4, 5), np.float32)
    flow[0] = 2.5
    everywhere = np.ones((4, 5), bool)
    grid = np.zeros((5, 4, 5), np.float32)
    sample = Sample(grid=grid, flow=flow, valid=everywhere, active=everywhere)
    labels = [label for label, _ in comparison_row(np.zeros((2, 4, 5), np.float32), flow, sample)]
    assert labels[2:] == ["true flow, up to 2.5 px", "error, white from 2.5 px"]

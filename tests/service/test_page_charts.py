"""Plots of a dataset's card."""

from __future__ import annotations

import pytest

from schemas.dataset import SegmentStatistics, StreamStatistics
from service.pages.charts import charts_of


def segment_with(
    histogram: list[float], depth: tuple[float, float], density: float
) -> SegmentStatistics:
    stream = StreamStatistics(
        group="events", kind="event_camera", count=10, per_second=5.0,
        per_pixel_per_frame=density, active_fraction=0.5, quiet_windows=0.0,
    )  # fmt: skip
    return SegmentStatistics(
        name="orbit", frames=3, sub_frames_per_frame=2.0, flow_histogram=histogram,
        flow_mean=1.0, flow_valid=0.9, depth_range=depth, streams=[stream],
    )  # fmt: skip


@pytest.mark.parametrize("depth", [(0.9, 5.6), (1.0, 1.0), (0.0, 0.0), (1e-3, 1e6)])
@pytest.mark.parametrize("density", [0.0, 0.37, 24.2, 1e5])
def test_plots_stay_on_their_axes(depth: tuple[float, float], density: float) -> None:
    """Keep every bar and tick within 0 and 100 percent, whatever the numbers."""
    for chart in charts_of([segment_with([0.25, 0.5, 0.25, 0.0], depth, density)]):
        for row in chart.rows:
            for bar in row.bars:
                assert -1e-9 <= bar.start <= bar.start + bar.width <= 100 + 1e-9, chart.title
        places = [tick.at for tick in chart.ticks]
        assert places == sorted(places)
        assert places[0] == 0
        assert places[-1] == 100


def test_plot_of_motion() -> None:
    """Stack the shares one after the other."""
    motion = charts_of([segment_with([0.25, 0.5, 0.25, 0.0], (1.0, 2.0), 0.5)])[0]
    assert [(bar.start, bar.width) for bar in motion.rows[0].bars] == [
        (0, 25), (25, 50), (75, 25), (100, 0),
    ]  # fmt: skip

"""A dataset's card as bars: shares and positions in percent, for the page to draw as SVG."""

from __future__ import annotations

import math
from dataclasses import dataclass

from schemas.dataset import SegmentStatistics

FLOW_BINS = ("0 to 1 px", "1 to 4 px", "4 to 10 px", "over 10 px")
EVENT_KINDS = ("event_camera", "frame_difference")
TICKS_WANTED = 5


@dataclass(frozen=True, slots=True)
class Bar:
    """A piece of a row, in percent of its width."""

    start: float
    width: float
    label: str


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a chart."""

    name: str
    bars: tuple[Bar, ...]
    value: str


@dataclass(frozen=True, slots=True)
class Tick:
    """A mark on the axis."""

    at: float
    label: str


@dataclass(frozen=True, slots=True)
class Chart:
    """Rows on one axis."""

    title: str
    caption: str
    rows: tuple[Row, ...]
    ticks: tuple[Tick, ...] = ()
    legend: tuple[str, ...] = ()
    kind: str = "bars"
    """`stacked`, `bars` or `range`: how the page paints it."""


def charts_of(segments: list[SegmentStatistics]) -> list[Chart]:
    """Motion, density of every stream, and depth, with one row per segment."""
    streams = sorted({(s.group, s.kind) for segment in segments for s in segment.streams})
    return [
        _motion(segments),
        *(_density(segments, group, kind) for group, kind in streams),
        _depth(segments),
    ]


def _motion(segments: list[SegmentStatistics]) -> Chart:
    return Chart(
        title="Motion",
        caption="Share of pixels by length of flow to the next frame; mean on the right.",
        rows=tuple(
            Row(s.name, _stacked(s.flow_histogram), f"{s.flow_mean:.2f} px") for s in segments
        ),
        ticks=tuple(Tick(at, f"{at} %") for at in (0, 25, 50, 75, 100)),
        legend=FLOW_BINS,
        kind="stacked",
    )


def _stacked(shares: list[float]) -> tuple[Bar, ...]:
    bars, start = [], 0.0
    for name, share in zip(FLOW_BINS, shares, strict=False):
        bars.append(Bar(start, share * 100, f"{name}: {share:.1%}"))
        start += share * 100
    return tuple(bars)


def _density(segments: list[SegmentStatistics], group: str, kind: str) -> Chart:
    found = [(seg, s) for seg in segments for s in seg.streams if s.group == group]
    top = _round_up(max(s.per_pixel_per_frame for _, s in found))
    what = "Events" if kind in EVENT_KINDS else "Spikes"
    return Chart(
        title=what if group == what.lower() else f"{what}, {group}",
        caption=f"{what} per pixel and frame interval.",
        rows=tuple(
            Row(
                seg.name,
                (Bar(0.0, s.per_pixel_per_frame / top * 100, f"{s.count:,} in all"),),
                f"{s.per_pixel_per_frame:.2f}",
            )
            for seg, s in found
        ),
        ticks=tuple(Tick(share * 100, f"{share * top:g}") for share in (0.0, 0.5, 1.0)),
        kind="events" if kind in EVENT_KINDS else "spikes",
    )


def _round_up(value: float) -> float:
    """The next of 1, 2, 4, 5, 6, 8, 10 times a power of ten."""
    if value <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return next(m * power for m in (1, 2, 4, 5, 6, 8, 10, 20) if m * power >= value)


def _depth(segments: list[SegmentStatistics]) -> Chart:
    ranges = [(s, *s.depth_range) for s in segments if s.depth_range[0] > 0]
    low = min((near for _, near, _ in ranges), default=0.1)
    high = max((far for _, _, far in ranges), default=10.0)
    ticks = _log_ticks(low, high)
    first, last = math.log(ticks[0]), math.log(ticks[-1])

    def place(depth: float) -> float:
        return (math.log(depth) - first) / (last - first) * 100

    return Chart(
        title="Depth",
        caption="1st to 99th percentile of depth, logarithmic.",
        rows=tuple(
            Row(
                s.name,
                (Bar(place(near), place(far) - place(near), f"{near:.2f} to {far:.2f} m"),),
                f"{near:.1f} to {far:.1f} m",
            )
            for s, near, far in ranges
        ),
        ticks=tuple(Tick(place(depth), f"{depth:g} m") for depth in ticks),
        kind="range",
    )


def _log_ticks(low: float, high: float) -> list[float]:
    """Marks at 1, 2, 5 times powers of ten around a range; at powers only where it is wide."""
    decades = range(math.floor(math.log10(low)), math.floor(math.log10(high)) + 2)
    fine = [m * 10.0**d for d in decades for m in (1, 2, 5)]
    below, above = [t for t in fine if t <= low], [t for t in fine if t >= high and t > low]
    inside = [t for t in fine if below[-1] <= t <= above[0]]
    if len(inside) <= TICKS_WANTED:
        return inside
    return [t for t in inside if t in (inside[0], inside[-1]) or math.log10(t) % 1 == 0]

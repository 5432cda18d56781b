"""What a contact sheet shows of each kind of data at a few instants, in one colour scale."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from datagen.dataset import EventStream, Segment, SpikeStream
from datagen.preview.colormap import Picture, ramp_colors
from datagen.preview.flow_color import flow_to_rgb
from datagen.preview.legends import depth_legend, event_legend, flow_legend, note_legend
from datagen.preview.stream_color import counts_to_rgb, polarity_counts, spikes_to_rgb
from schemas.arrays import EventArray
from schemas.sensor import FrameDifferenceSpec

PLAYBACK_POLLS = 256
"""Most polls that a spike picture averages."""
SHARP_DENSITY = 0.35
"""Events per pixel in one picture, above which edges run together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One kind of picture at every instant, and the legend below it."""

    title: str
    note: str
    pictures: list[Picture]
    legend: Image.Image


def spread(count: int, most: int) -> list[int]:
    """At most `most` of 0 .. count - 1, evenly spread."""
    return sorted({count * (2 * i + 1) // (2 * most) for i in range(most)})


def columns_of(segment: Segment, instants: list[int], width: int) -> Iterator[Column]:
    """RGB, depth, flow, and every stream, with legends `width` px wide."""
    yield Column(
        title="RGB",
        note="sRGB",
        pictures=[segment.rgb(k) for k in instants],
        legend=note_legend(width, ["instantaneous picture", "sensors get linear light"]),
    )
    yield _depth_column(segment, instants, width)
    yield _flow_column(segment, instants, width)
    for events in segment.event_streams:
        yield _event_column(segment, events, instants, width)
    for spikes in segment.spike_streams:
        yield _spike_column(spikes, instants, width)


def _depth_column(segment: Segment, instants: list[int], width: int) -> Column:
    depths = [segment.depth(k) for k in instants]
    near, far = depth_range(depths)
    return Column(
        title="Depth",
        note="z, m",
        pictures=[depth_to_rgb(depth, near, far) for depth in depths],
        legend=depth_legend(width, near, far),
    )


def depth_range(depths: list[NDArray[np.float32]]) -> tuple[float, float]:
    """1st and 99th percentile of finite depth [m], at least a tenth apart."""
    finite = np.concatenate([depth[np.isfinite(depth)] for depth in depths])
    if not len(finite):
        return 1.0, 10.0
    near, far = (float(d) for d in np.percentile(finite, (1, 99)))
    return near, max(far, 1.1 * near)


def depth_to_rgb(depth: NDArray[np.float32], near: float, far: float) -> Picture:
    """Near is light, far is dark, evenly in log depth; black where nothing is hit."""
    hit = np.isfinite(depth)
    log = np.log(np.where(hit, np.maximum(depth, 1e-6), far))
    colors = ramp_colors((np.log(far) - log) / (np.log(far) - np.log(near)))
    colors[~hit] = 0
    return colors


def _flow_column(segment: Segment, instants: list[int], width: int) -> Column:
    flows = [segment.flow_forward(k) for k in instants]
    scale = flow_scale(flows)
    return Column(
        title="Flow",
        note="to the next frame, px",
        pictures=[flow_to_rgb(flow, valid, scale=scale) for flow, valid in flows],
        legend=flow_legend(width, scale),
    )


def flow_scale(flows: list[tuple[NDArray[np.float32], NDArray[np.bool_]]]) -> float:
    """99th percentile of |flow| [px] over valid pixels, in two digits, at least 0.1."""
    lengths = np.concatenate([np.hypot(*flow[valid].T) for flow, valid in flows])
    top = float(np.percentile(lengths, 99)) if len(lengths) else 0.0
    return max(float(f"{top:.2g}"), 0.1)


def _event_column(segment: Segment, stream: EventStream, instants: list[int], width: int) -> Column:
    camera = segment.intrinsics
    intervals = [stream.slice_by_frame(k, k + 1) for k in instants]
    density = float(np.mean([len(events) for events in intervals])) / (camera.height * camera.width)
    share = min(1.0, SHARP_DENSITY / max(density, 1e-9))
    if isinstance(stream.sensor, FrameDifferenceSpec):
        share = 1.0  # all of its events lie at the end of the interval
    parts = [
        _first_part(segment, k, events, share)
        for k, events in zip(instants, intervals, strict=True)
    ]
    counts = [polarity_counts(e, height=camera.height, width=camera.width) for e in parts]
    seen = np.concatenate([c[c > 0] for pair in counts for c in pair])
    scale = float(np.percentile(seen, 95)) if len(seen) else 1.0
    milliseconds = share * float(np.diff(segment.times).mean()) * 1e-3
    return Column(
        title=title(stream.name),
        note=f"the next {milliseconds:.3g} ms",
        pictures=[counts_to_rgb(on, off, scale=scale) for on, off in counts],
        legend=event_legend(width, scale, density),
    )


def _first_part(segment: Segment, k: int, events: EventArray, share: float) -> EventArray:
    """The events of the first `share` of frame interval k: few enough to show edges sharply."""
    start, end = segment.times[k], segment.times[k + 1]
    stop = int(np.searchsorted(events.t, start + share * (end - start), side="right"))
    return events[:stop]


def title(name: str) -> str:
    """A sensor's name as a heading."""
    return name.replace("_", " ").capitalize()


def _spike_column(stream: SpikeStream, instants: list[int], width: int) -> Column:
    pictures, polls = [], 1
    for k in instants:
        start, stop = int(stream.frame_to_poll[k]), int(stream.frame_to_poll[k + 1])
        polls = min(stop - start, PLAYBACK_POLLS)
        pictures.append(
            spikes_to_rgb(stream.slice_by_poll(start, start + polls), alpha=stream.alpha)
        )
    lines = [
        f"mean of {polls} polls / alpha",
        f"{stream.rate_hz:,.0f} polls/s, alpha {stream.alpha:g}",
    ]
    return Column(
        title=title(stream.name),
        note="playback",
        pictures=pictures,
        legend=note_legend(width, lines),
    )

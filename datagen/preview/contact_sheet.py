"""A page that shows a segment at a glance: instants as rows, what was recorded as columns."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from datagen.dataset import EventStream, Segment, SpikeStream
from datagen.preview.colormap import Picture, ramp_colors
from datagen.preview.flow_color import flow_to_rgb
from datagen.preview.legends import (
    LEGEND_HEIGHT,
    depth_legend,
    event_legend,
    flow_legend,
    note_legend,
)
from datagen.preview.page import (
    CELL_WIDTH,
    FAINT,
    GAP,
    HEADING,
    MARGIN,
    PAPER,
    SMALL,
    TITLE,
    fit,
    write,
)
from datagen.preview.stream_color import counts_to_rgb, polarity_counts, spikes_to_rgb
from schemas.arrays import EventArray
from schemas.sensor import FrameDifferenceSpec

ROWS = 4
PLAYBACK_POLLS = 256
"""Most polls that a spike picture averages."""
SHARP_DENSITY = 0.35
"""Events per pixel in one picture, above which edges run together."""
HEAD_HEIGHT = 118
LABEL_WIDTH = 92


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One kind of picture at every instant, and the legend below it."""

    title: str
    note: str
    pictures: list[Picture]
    legend: Image.Image


def contact_sheet(segment: Segment) -> Image.Image:
    """Draw the page; deterministic."""
    instants = spread(segment.frame_count - 1, ROWS)
    columns = list(_columns(segment, instants))
    cell = fit(columns[0].pictures[0])
    page = Image.new("RGB", _page_size(len(columns), len(instants), cell), PAPER)
    draw = ImageDraw.Draw(page)
    _head(draw, segment)
    for row, k in enumerate(instants):
        _row_label(draw, HEAD_HEIGHT + row * (cell.height + GAP), k, int(segment.times[k]))
    for number, column in enumerate(columns):
        left = MARGIN + LABEL_WIDTH + number * (CELL_WIDTH + GAP)
        _draw_column(page, draw, column, left, cell.height)
    return page


def spread(count: int, most: int) -> list[int]:
    """At most `most` of 0 .. count - 1, evenly spread."""
    return sorted({count * (2 * i + 1) // (2 * most) for i in range(most)})


def _page_size(columns: int, rows: int, cell: Image.Image) -> tuple[int, int]:
    width = 2 * MARGIN + LABEL_WIDTH + columns * CELL_WIDTH + (columns - 1) * GAP
    return width, HEAD_HEIGHT + rows * (cell.height + GAP) + LEGEND_HEIGHT + MARGIN


def _head(draw: ImageDraw.ImageDraw, segment: Segment) -> None:
    camera, seconds = segment.intrinsics, (segment.times[-1] - segment.times[0]) * 1e-6
    write(draw, (MARGIN, 22), f"{segment.spec.name} / {segment.name}", size=TITLE)
    rate = (segment.frame_count - 1) / seconds
    line = (
        f"{camera.width} x {camera.height} px,  {segment.frame_count} frames at {rate:.4g} Hz,  "
        f"{seconds:.3g} s,  split {segment.split},  seed {segment.spec.seed},  "
        f"{segment.spec.renderer.kind} renderer"
    )
    write(draw, (MARGIN, 56), line, color=FAINT)


def _row_label(draw: ImageDraw.ImageDraw, top: int, k: int, t_us: int) -> None:
    write(draw, (MARGIN, top), f"{t_us * 1e-6:.3f} s")
    write(draw, (MARGIN, top + 18), f"frame {k}", size=SMALL, color=FAINT)


def _draw_column(
    page: Image.Image, draw: ImageDraw.ImageDraw, column: Column, left: int, height: int
) -> None:
    write(draw, (left, HEAD_HEIGHT - 12), column.title, size=HEADING, anchor="ls")
    write(
        draw, (left + CELL_WIDTH, HEAD_HEIGHT - 12), column.note,
        size=SMALL, color=FAINT, anchor="rs",
    )  # fmt: skip
    for row, picture in enumerate(column.pictures):
        page.paste(fit(picture), (left, HEAD_HEIGHT + row * (height + GAP)))
    page.paste(column.legend, (left, HEAD_HEIGHT + len(column.pictures) * (height + GAP)))


def _columns(segment: Segment, instants: list[int]) -> Iterator[Column]:
    yield Column(
        title="RGB",
        note="sRGB",
        pictures=[segment.rgb(k) for k in instants],
        legend=note_legend(["instantaneous picture", "sensors get linear light"]),
    )
    yield _depth_column(segment, instants)
    yield _flow_column(segment, instants)
    for events in segment.event_streams:
        yield _event_column(segment, events, instants)
    for spikes in segment.spike_streams:
        yield _spike_column(spikes, instants)


def _depth_column(segment: Segment, instants: list[int]) -> Column:
    depths = [segment.depth(k) for k in instants]
    near, far = depth_range(depths)
    return Column(
        title="Depth",
        note="z, m",
        pictures=[depth_to_rgb(depth, near, far) for depth in depths],
        legend=depth_legend(near, far),
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


def _flow_column(segment: Segment, instants: list[int]) -> Column:
    flows = [segment.flow_forward(k) for k in instants]
    scale = flow_scale(flows)
    return Column(
        title="Flow",
        note="to the next frame, px",
        pictures=[flow_to_rgb(flow, valid, scale=scale) for flow, valid in flows],
        legend=flow_legend(scale),
    )


def flow_scale(flows: list[tuple[NDArray[np.float32], NDArray[np.bool_]]]) -> float:
    """99th percentile of |flow| [px] over valid pixels, in two digits, at least 0.1."""
    lengths = np.concatenate([np.hypot(*flow[valid].T) for flow, valid in flows])
    top = float(np.percentile(lengths, 99)) if len(lengths) else 0.0
    return max(float(f"{top:.2g}"), 0.1)


def _event_column(segment: Segment, stream: EventStream, instants: list[int]) -> Column:
    height, width = segment.intrinsics.height, segment.intrinsics.width
    intervals = [stream.slice_by_frame(k, k + 1) for k in instants]
    density = float(np.mean([len(events) for events in intervals])) / (height * width)
    share = min(1.0, SHARP_DENSITY / max(density, 1e-9))
    if isinstance(stream.sensor, FrameDifferenceSpec):
        share = 1.0  # all of its events lie at the end of the interval
    parts = [
        _first_part(segment, k, events, share)
        for k, events in zip(instants, intervals, strict=True)
    ]
    counts = [polarity_counts(events, height=height, width=width) for events in parts]
    seen = np.concatenate([c[c > 0] for pair in counts for c in pair])
    scale = float(np.percentile(seen, 95)) if len(seen) else 1.0
    milliseconds = share * float(np.diff(segment.times).mean()) * 1e-3
    return Column(
        title=title(stream.name),
        note=f"the next {milliseconds:.3g} ms",
        pictures=[counts_to_rgb(on, off, scale=scale) for on, off in counts],
        legend=event_legend(scale, density),
    )


def _first_part(segment: Segment, k: int, events: EventArray, share: float) -> EventArray:
    """The events of the first `share` of frame interval k: few enough to show edges sharply."""
    start, end = segment.times[k], segment.times[k + 1]
    stop = int(np.searchsorted(events.t, start + share * (end - start), side="right"))
    return EventArray(t=events.t[:stop], x=events.x[:stop], y=events.y[:stop], p=events.p[:stop])


def title(name: str) -> str:
    """A sensor's name as a heading."""
    return name.replace("_", " ").capitalize()


def _spike_column(stream: SpikeStream, instants: list[int]) -> Column:
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
        legend=note_legend(lines),
    )

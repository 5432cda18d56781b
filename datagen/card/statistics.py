"""A segment file -> its density, motion and depth in numbers, one frame in memory at a time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from datagen.dataset import EventStream, Segment, SpikeStream
from schemas.dataset import SegmentStatistics, StreamStatistics

FLOW_EDGES = np.array([0.0, 1.0, 4.0, 10.0, np.inf])
"""Borders of the |flow| histogram [px]."""
QUIET = 0.05
"""Events per pixel and frame interval below which an interval teaches little."""
DEPTH_EDGES = np.geomspace(1e-3, 1e6, 9 * 512 + 1)
"""Bins 0.45 % wide, from which percentiles of depth are read [m]."""
POLLS_AT_ONCE = 1024


@dataclass(frozen=True, slots=True)
class LabelStatistics:
    """Motion, depth and brightness over all frames of a segment."""

    flow_histogram: list[float]
    flow_mean: float
    flow_valid: float
    depth_range: tuple[float, float]
    over_white: float
    """Share of pixels at luminance 1 or above."""
    spike_limit: float
    """Share of pixels so bright that the fastest spike camera fires at every poll."""


def segment_statistics(segment: Segment, labels: LabelStatistics) -> SegmentStatistics:
    """What the card says of a segment."""
    intervals = segment.frame_count - 1
    sub_frames = int(segment.read("frames/sub_frame_count")[1:].sum())
    return SegmentStatistics(
        name=segment.name,
        frames=segment.frame_count,
        sub_frames_per_frame=sub_frames / intervals,
        flow_histogram=labels.flow_histogram,
        flow_mean=labels.flow_mean,
        flow_valid=labels.flow_valid,
        depth_range=labels.depth_range,
        streams=[
            *(_event_statistics(segment, stream) for stream in segment.event_streams),
            *(_spike_statistics(segment, stream) for stream in segment.spike_streams),
        ],
    )


def label_statistics(segment: Segment) -> LabelStatistics:
    """Go once through the frames."""
    alpha = max((stream.alpha for stream in segment.spike_streams), default=0.0)
    lengths = np.zeros(len(FLOW_EDGES) - 1, np.int64)
    depths = np.zeros(len(DEPTH_EDGES) - 1, np.int64)
    length_sum, over_white, over_limit = 0.0, 0, 0
    for k in range(segment.frame_count):
        flow, valid = segment.flow_forward(k)
        length = np.hypot(*flow[valid].astype(np.float64).T)
        lengths += np.histogram(length, FLOW_EDGES)[0]
        length_sum += float(length.sum())
        depth = segment.depth(k)
        depths += np.histogram(depth[np.isfinite(depth)], DEPTH_EDGES)[0]
        luminance = segment.luminance(k)
        over_white += int(np.count_nonzero(luminance >= 1))
        over_limit += int(np.count_nonzero(luminance * alpha >= 1))
    pixels = segment.intrinsics.height * segment.intrinsics.width
    valid_pixels = max(int(lengths.sum()), 1)
    return LabelStatistics(
        flow_histogram=[float(share) for share in lengths / valid_pixels],
        flow_mean=length_sum / valid_pixels,
        flow_valid=int(lengths.sum()) / (pixels * (segment.frame_count - 1)),
        depth_range=(_percentile(depths, 0.01), _percentile(depths, 0.99)),
        over_white=over_white / (pixels * segment.frame_count),
        spike_limit=over_limit / (pixels * segment.frame_count),
    )


def _percentile(counts: NDArray[np.int64], share: float) -> float:
    """Depth below which a share of the counted pixels lies [m]; 0 when nothing was counted."""
    if not counts.any():
        return 0.0
    index = int(np.searchsorted(np.cumsum(counts), share * counts.sum()))
    return float(np.sqrt(DEPTH_EDGES[index] * DEPTH_EDGES[index + 1]))


def _event_statistics(segment: Segment, stream: EventStream) -> StreamStatistics:
    width, height = segment.intrinsics.width, segment.intrinsics.height
    count: list[int] = []
    active: list[int] = []
    for k in range(segment.frame_count - 1):
        events = stream.slice_by_frame(k, k + 1)
        pixel = events.y.astype(np.int64) * width + events.x
        per_pixel = np.bincount(pixel, minlength=width * height)
        count.append(len(events))
        active.append(int(np.count_nonzero(per_pixel)))
    return _statistics(segment, stream, count, active, quiet=QUIET)


def _spike_statistics(segment: Segment, stream: SpikeStream) -> StreamStatistics:
    count: list[int] = []
    active: list[int] = []
    for k in range(segment.frame_count - 1):
        first, last = int(stream.frame_to_poll[k]), int(stream.frame_to_poll[k + 1])
        fired = np.zeros(stream.slice_by_poll(0, 0).packed.shape[1], np.uint8)
        spikes = 0
        for start in range(first, last, POLLS_AT_ONCE):
            packed = stream.slice_by_poll(start, min(start + POLLS_AT_ONCE, last)).packed
            fired |= np.bitwise_or.reduce(packed, axis=0)
            spikes += int(np.bitwise_count(packed).sum())
        count.append(spikes)
        active.append(int(np.bitwise_count(fired).sum()))
    return _statistics(segment, stream, count, active, quiet=0.0)


def _statistics(
    segment: Segment,
    stream: EventStream | SpikeStream,
    count: list[int],
    active: list[int],
    *,
    quiet: float,
) -> StreamStatistics:
    """Count and active pixels of every frame interval, summed up."""
    pixels = segment.intrinsics.width * segment.intrinsics.height
    seconds = float(segment.times[-1] - segment.times[0]) * 1e-6
    per_pixel = np.array(count) / pixels
    return StreamStatistics(
        group=stream.group,
        kind=stream.sensor.kind,
        count=sum(count),
        per_second=sum(count) / seconds,
        per_pixel_per_frame=float(per_pixel.mean()),
        active_fraction=float(np.median(active)) / pixels,
        quiet_windows=float(np.mean(per_pixel < quiet)),
    )

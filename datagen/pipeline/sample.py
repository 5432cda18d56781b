"""A small part of a segment, really rendered: what its frames and pictures cost and leave.

Labels at `LABEL_PLACES` intervals say how many pictures a second needs; short chunks of a few
pictures, from frames set closer together than the job's, say what a picture, the sensors and the
packaging cost and how many events and compressed bytes they leave.
"""

from __future__ import annotations

import dataclasses
import time
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from datagen.pipeline.chunk import Chunk, interval_times, render_chunk
from datagen.pipeline.clock import StageClock
from datagen.pipeline.job import Job
from datagen.pipeline.segment import OpenSegment, open_segment
from datagen.plan import SegmentPlan
from schemas.arrays import EventArray

LABEL_PLACES = 12
CHUNK_PLACES = 2
PICTURES = 10
LEAST_PICTURES = 5
PIXELS = 4e6
"""Pictures between two frames of a sampled chunk: of large sensors fewer, for about so many pixels.
Ten, half a pixel apart, miss 0.4 % of the events, because sensors settle in a few pixels' motion;
five miss about 5 %."""
COLUMNS = ("rgb", "luminance", "depth", "instance")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """Means over what was rendered."""

    open_seconds: float
    label_seconds: float
    """Per frame."""
    picture_seconds: float
    """Per picture, sensors included."""
    pictures: float
    """Per second of the segment, as all rates below."""
    events: float
    event_bytes: float
    """Compressed."""
    spikes: float
    spike_ratio: float
    """Compressed bytes over packed ones."""
    frame_bytes: float
    """Compressed columns of one frame but its flow."""


def sample_segment(job: Job, plan: SegmentPlan, work: Path, *, threads: int) -> Sample:
    """Open a segment and render a little of it.

    Args:
        job: the open job.
        plan: the segment.
        work: folder of its own for the stage.
        threads: pictures rendered at the same time.

    Raises:
        InputError: as `generate` would.
    """
    start = time.perf_counter()
    run = open_segment(job.spec, plan, base_dir=job.base_dir, work=work, threads=threads)
    rate = _pictures_per_second(run)
    _sample_chunk(run, 0, rate, pictures=1)  # compiles what is not compiled yet
    open_seconds = time.perf_counter() - start
    pictures = max(
        LEAST_PICTURES, min(PICTURES, round(PIXELS / run.camera.width / run.camera.height))
    )
    samples = [
        _sample_chunk(run, first, rate, pictures=pictures)
        for first in _places(len(plan.t) - 3, CHUNK_PLACES)
    ]
    mean = {key: float(np.mean([sample[key] for sample in samples])) for key in samples[0]}
    return Sample(open_seconds=open_seconds, pictures=rate, **mean)


def _places(last: int, count: int) -> list[int]:
    return sorted({round(x) for x in np.linspace(0, max(last, 0), count)})


def _pictures_per_second(run: OpenSegment) -> float:
    rates = []
    for k in _places(len(run.plan.t) - 2, LABEL_PLACES):
        before, now = (run.renderer.labels(run.views_at(run.plan.t[i : i + 1])) for i in (k, k + 1))
        seconds = (run.plan.t[k + 1] - run.plan.t[k]) * 1e-6
        rates.append(len(interval_times(run, k + 1, before, now)) / seconds)
    return float(np.mean(rates))


def _sample_chunk(run: OpenSegment, first: int, rate: float, *, pictures: int) -> dict[str, float]:
    """Render three frames from a frame's time on as if the segment began there.

    The first starts the sensors and the second settles them, so only the last interval is counted.
    """
    t = run.plan.t
    step = min(
        int(t[first + 1] - t[first]), int(t[-1] - t[first]) // 2, round(pictures / rate * 1e6)
    )
    closer = t[first] + max(step, 1) * np.arange(3)
    part = dataclasses.replace(run, plan=dataclasses.replace(run.plan, t=closer))
    clock = StageClock()
    settled = render_chunk(part, 0, 2, {}, clock=clock)
    chunk = render_chunk(part, 2, 3, settled.states, clock=clock)
    rendered = int(settled.frames["sub_frame_count"].sum() + chunk.frames["sub_frame_count"].sum())
    return {
        # the second chunk labels the frame before it again
        "label_seconds": (clock.seconds["labels"] + clock.seconds["sub-frame times"]) / 4,
        "picture_seconds": (clock.seconds["radiance and optics"] + clock.seconds["sensors"]) / rendered,
        "frame_bytes": float(sum(compressed(chunk.frames[name]) for name in COLUMNS)),
        **_stream_costs(chunk, seconds=step * 1e-6),
    }  # fmt: skip


def _stream_costs(chunk: Chunk, *, seconds: float) -> dict[str, float]:
    streams = list(chunk.streams.values())
    events = [stream for stream in streams if isinstance(stream, EventArray)]
    spikes = [stream for stream in streams if not isinstance(stream, EventArray)]
    ratios = [compressed(s.packed) / s.packed.nbytes for s in spikes if len(s)]
    return {
        "events": sum(len(stream) for stream in events) / seconds,
        "event_bytes": sum(_column_bytes(events)) / seconds,
        "spikes": sum(int(np.bitwise_count(s.packed).sum()) for s in spikes) / seconds,
        "spike_ratio": float(np.mean(ratios)) if ratios else 1.0,
    }


def _column_bytes(streams: list[EventArray]) -> Iterator[int]:
    for stream in streams:
        for name in ("t", "x", "y", "p"):
            yield compressed(getattr(stream, name))


def compressed(array: NDArray[Any]) -> int:
    """Bytes after HDF5's shuffle and gzip filters."""
    size = array.dtype.itemsize
    shuffled = np.ascontiguousarray(array).view(np.uint8).reshape(-1, size).T
    return len(zlib.compress(shuffled.tobytes(), 1))

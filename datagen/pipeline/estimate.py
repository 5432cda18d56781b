"""What a job will cost, from a small part of it that is really rendered.

Of every segment a few places are rendered through the real pipeline: labels at `LABEL_PLACES`
intervals say how many pictures an interval needs; `CHUNK_PLACES` short chunks say what a picture,
the sensors and the packaging cost and how many events and compressed bytes they leave.
"""

from __future__ import annotations

import dataclasses
import tempfile
import time
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from datagen.pipeline.chunk import Chunk, interval_times, render_chunk
from datagen.pipeline.clock import StageClock
from datagen.pipeline.job import Job
from datagen.pipeline.segment import OpenSegment, open_segment
from datagen.plan import SegmentPlan, plan_job
from schemas.arrays import EventArray
from schemas.estimate import Estimate, SegmentEstimate
from schemas.sensor import SpikeCameraSpec

LABEL_PLACES = 12
CHUNK_PLACES = 2
CHUNK_FRAMES = 3
"""The first frame of a sampled chunk starts the sensors, so only the last interval is counted."""
FLOW_BYTES_PER_PIXEL = 10.0
"""Compressed size of both flows and masks, measured on textured scenes with motion."""
PACKAGE_SECONDS_PER_BYTE = 1.0 / 45e6
"""gzip and checksums, per byte before compression."""
START_SECONDS = 6.0
"""Interpreter, libraries, cached kernels and previews of one worker."""


def estimate(job: Job, *, workers: int) -> Estimate:
    """Predict a job's frames, pictures, events, bytes and time.

    Raises:
        InputError: as `generate` would.
    """
    plans = plan_job(job.spec)
    threads = max(1, workers // len(plans))
    with tempfile.TemporaryDirectory(prefix="datagen-estimate-") as folder:
        parts = [
            _estimate_segment(job, plan, Path(folder) / plan.segment.file_stem, threads)
            for plan in plans
        ]
    totals: dict[str, Any] = {
        field: sum(getattr(part, field) for part in parts)
        for field in ("frames", "sub_frames", "events", "spikes", "bytes")
    }
    return Estimate(
        **totals, seconds=_makespan([p.seconds for p in parts], workers), workers=workers, segments=parts
    )  # fmt: skip


def _makespan(seconds: list[float], workers: int) -> float:
    """Time until the last worker is done when segments start in order as workers become free."""
    busy_until = [0.0] * workers
    for duration in seconds:
        first = busy_until.index(min(busy_until))
        busy_until[first] += duration
    return max(busy_until)


def _estimate_segment(job: Job, plan: SegmentPlan, work: Path, threads: int) -> SegmentEstimate:
    start = time.perf_counter()
    run = open_segment(job.spec, plan, base_dir=job.base_dir, work=work, threads=threads)
    render_chunk(run, 0, 2, {}, clock=StageClock())  # compiles what is not compiled yet
    open_seconds = time.perf_counter() - start
    frames = len(plan.t)
    pictures = 1 + (frames - 1) * _pictures_per_interval(run)
    samples = [_sample_chunk(run, first) for first in _places(frames - CHUNK_FRAMES, CHUNK_PLACES)]
    mean = {key: float(np.mean([s[key] for s in samples])) for key in samples[0]}
    spikes_bytes = _spike_bytes(run) * mean["spike_ratio"]
    pixels = run.camera.width * run.camera.height
    size = frames * (mean["frame_bytes"] + FLOW_BYTES_PER_PIXEL * pixels)
    size += (frames - 1) * mean["event_bytes"] + spikes_bytes
    raw = frames * pixels * 31 + _spike_bytes(run) + (frames - 1) * mean["events"] * 13
    seconds = (
        START_SECONDS
        + min(open_seconds, START_SECONDS)
        + frames * mean["label_seconds"]
        + pictures * mean["picture_seconds"]
        + raw * PACKAGE_SECONDS_PER_BYTE
    )
    return SegmentEstimate(
        name=plan.segment.file_stem,
        frames=frames,
        sub_frames=round(pictures),
        events=round((frames - 1) * mean["events"]),
        spikes=round((frames - 1) * mean["spikes"]),
        bytes=round(size),
        seconds=seconds,
    )


def _places(last: int, count: int) -> list[int]:
    return sorted({round(x) for x in np.linspace(0, max(last, 0), count)})


def _pictures_per_interval(run: OpenSegment) -> float:
    counts = []
    for k in _places(len(run.plan.t) - 2, LABEL_PLACES):
        before, now = (run.renderer.labels(run.views_at(run.plan.t[i : i + 1])) for i in (k, k + 1))
        counts.append(len(interval_times(run, k + 1, before, now)))
    return float(np.mean(counts))


def _sample_chunk(run: OpenSegment, first: int) -> dict[str, float]:
    """Render frames first .. first + CHUNK_FRAMES - 1 as if the segment began there."""
    part = dataclasses.replace(
        run, plan=dataclasses.replace(run.plan, t=run.plan.t[first : first + CHUNK_FRAMES])
    )
    clock = StageClock()
    settled = render_chunk(part, 0, len(part.plan.t) - 1, {}, clock=clock)
    chunk = render_chunk(part, len(part.plan.t) - 1, len(part.plan.t), settled.states, clock=clock)
    frames = len(part.plan.t) + 1  # the second chunk labels the frame before it again
    pictures = int(settled.frames["sub_frame_count"].sum() + chunk.frames["sub_frame_count"].sum())
    per_picture = clock.seconds["radiance and optics"] + clock.seconds["sensors"]
    return {
        "label_seconds": (clock.seconds["labels"] + clock.seconds["sub-frame times"]) / frames,
        "picture_seconds": per_picture / pictures,
        "frame_bytes": sum(_compressed(chunk.frames[n]) for n in ("rgb", "luminance", "depth", "instance")),
        **_stream_costs(chunk),
    }  # fmt: skip


def _stream_costs(chunk: Chunk) -> dict[str, float]:
    costs = {"events": 0.0, "event_bytes": 0.0, "spikes": 0.0}
    ratios = []
    for stream in chunk.streams.values():
        if isinstance(stream, EventArray):
            costs["events"] += len(stream)
            costs["event_bytes"] += sum(
                _compressed(getattr(stream, c)) for c in ("t", "x", "y", "p")
            )
        else:
            costs["spikes"] += int(np.bitwise_count(stream.packed).sum())
            ratios.append(_compressed(stream.packed) / max(stream.packed.nbytes, 1))
    return costs | {"spike_ratio": float(np.mean(ratios)) if ratios else 1.0}


def _spike_bytes(run: OpenSegment) -> float:
    seconds = float(run.plan.t[-1]) * 1e-6
    row = -(-run.camera.width * run.camera.height // 8)
    return sum(
        seconds * s.rate_hz * row for s in run.spec.sensors if isinstance(s, SpikeCameraSpec)
    )


def _compressed(array: NDArray[Any]) -> int:
    """Bytes after HDF5's shuffle and gzip filters."""
    size = array.dtype.itemsize
    shuffled = np.ascontiguousarray(array).view(np.uint8).reshape(-1, size).T
    return len(zlib.compress(shuffled.tobytes(), 1))

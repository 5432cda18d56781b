"""What a job will cost, from small parts of it that are really rendered.

Segments are opened and sampled (`sample.py`) as long as `SAMPLE_SECONDS` last, the first ones far
apart in speed of motion; what the others cost lies between those that are slower and faster.
"""

from __future__ import annotations

import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from datagen.pipeline.job import Job
from datagen.pipeline.sample import Sample, sample_segment
from datagen.pipeline.segment import camera_poses
from datagen.plan import SegmentPlan, plan_job
from schemas.estimate import Estimate, SegmentEstimate
from schemas.job import JobSpec
from schemas.sensor import SpikeCameraSpec

SAMPLE_SECONDS = 60.0
"""No segment is begun that would end later than so much after the first."""
SPEED_SAMPLES = 64
FLOW_BYTES_PER_PIXEL = 10.0
"""Compressed size of both flows and masks, measured on textured scenes with motion."""
PACKAGE_SECONDS_PER_BYTE = 1.0 / 45e6
"""gzip and checksums, per byte before compression."""
START_SECONDS = 6.0
"""Interpreter, libraries, cached kernels and previews of one worker."""


def estimate(job: Job, *, workers: int) -> Estimate:
    """Predict a job's frames, pictures, events, bytes and time.

    Raises:
        InputError: as `generate` would: of paths always, of scenes where they are looked into.
    """
    plans = plan_job(job.spec)
    samples = _samples(job, plans, threads=max(1, workers // len(plans)))
    parts = [_cost(job.spec, plan, sample) for plan, sample in zip(plans, samples, strict=True)]
    totals: dict[str, Any] = {
        field: sum(getattr(part, field) for part in parts)
        for field in ("frames", "sub_frames", "events", "spikes", "bytes")
    }
    return Estimate(
        **totals, seconds=_makespan([p.seconds for p in parts], workers), workers=workers, segments=parts
    )  # fmt: skip


def _samples(job: Job, plans: tuple[SegmentPlan, ...], *, threads: int) -> list[Sample]:
    """A sample of every segment, rendered or between two that are."""
    speeds = [_speed(job, plan) for plan in plans]
    by_speed = np.argsort(speeds, kind="stable")
    found, took = dict[int, Sample](), list[float]()
    begin = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="datagen-estimate-") as folder:
        for place in spread(len(plans)):
            start = time.perf_counter()
            # the first may have compiled kernels, and says little of the others
            if took and start + max(took[1:] or took) > begin + took[0] + SAMPLE_SECONDS:
                break
            i = int(by_speed[place])
            work = Path(folder) / plans[i].segment.file_stem
            found[i] = sample_segment(job, plans[i], work, threads=threads)
            took.append(time.perf_counter() - start)
    known = sorted(found, key=speeds.__getitem__)
    columns = {
        name: np.interp(speeds, [speeds[i] for i in known], [asdict(found[i])[name] for i in known])
        for name in asdict(found[known[0]])
    }
    between = [
        Sample(**{name: float(c[i]) for name, c in columns.items()}) for i in range(len(plans))
    ]
    return [found.get(i, between[i]) for i in range(len(plans))]


def _speed(job: Job, plan: SegmentPlan) -> float:
    """Mean speed of a camera [m/s and rad/s alike: scenes are a few metres deep]."""
    some = np.linspace(0, len(plan.t) - 1, SPEED_SAMPLES).astype(np.intp)
    poses = camera_poses(job.spec, plan, plan.t[some], job.base_dir)
    both = np.hypot(
        np.linalg.norm(poses.linear_velocity, axis=1), np.linalg.norm(poses.angular_velocity, axis=1)
    )  # fmt: skip
    return float(both.mean())


def spread(count: int) -> list[int]:
    """0 .. count - 1 in an order whose first ones lie far apart: 4, 0, 7, 2, 6, ... of eight."""
    bits = (count - 1).bit_length()
    return sorted(
        range(count),
        key=lambda i: (i != count // 2, 0 < i < count - 1, f"{i:0{bits}b}"[::-1]),
    )


def _makespan(seconds: list[float], workers: int) -> float:
    """Time until the last worker is done when segments start in order as workers become free."""
    busy_until = [0.0] * workers
    for duration in seconds:
        first = busy_until.index(min(busy_until))
        busy_until[first] += duration
    return max(busy_until)


def _cost(spec: JobSpec, plan: SegmentPlan, sample: Sample) -> SegmentEstimate:
    """What a segment costs at the rates of a sample."""
    frames, duration = len(plan.t), float(plan.t[-1]) * 1e-6
    pictures, events = 1 + duration * sample.pictures, duration * sample.events
    pixels = spec.camera.width * spec.camera.height
    spike_bytes = duration * sum(
        s.rate_hz * -(-pixels // 8) for s in spec.sensors if isinstance(s, SpikeCameraSpec)
    )
    size = frames * (sample.frame_bytes + FLOW_BYTES_PER_PIXEL * pixels)
    size += duration * sample.event_bytes + spike_bytes * sample.spike_ratio
    raw = frames * pixels * 31 + spike_bytes + events * 13
    seconds = (
        START_SECONDS
        + min(sample.open_seconds, START_SECONDS)
        + frames * sample.label_seconds
        + pictures * sample.picture_seconds
        + raw * PACKAGE_SECONDS_PER_BYTE
    )
    return SegmentEstimate(
        name=plan.segment.file_stem,
        frames=frames,
        sub_frames=round(pictures),
        events=round(events),
        spikes=round(duration * sample.spikes),
        bytes=round(size),
        seconds=seconds,
    )

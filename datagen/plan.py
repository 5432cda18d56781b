"""From a job to its units of work: pure, no files, no clock.

A segment is the unit of parallelism, a chunk of frames the unit of resumption. Chunk [a, b) owns
frames a .. b-1 and the light in (t_{a-1}, t_{b-1}], so that chunks in order feed a sensor every
picture once. No chunk crosses a segment.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath

import numpy as np
from numpy.typing import NDArray

from schemas.job import JobSpec, SegmentSpec
from schemas.scene import UsdScene
from schemas.sensor import EventCameraSpec, FrameDifferenceSpec, SensorSpec, SpikeCameraSpec
from schemas.trajectory import Recorded


@dataclass(frozen=True, slots=True)
class SegmentPlan:
    """One segment of a job."""

    index: int
    """Place in the job."""
    segment: SegmentSpec
    t: NDArray[np.int64]
    """Frame times [us], shape (N,)."""
    t_offset: int
    """Start on the job's clock [us]: the segments before it, end to end."""


def plan_job(spec: JobSpec) -> tuple[SegmentPlan, ...]:
    """The segments of a job in order."""
    plans, offset = [], 0
    for index, segment in enumerate(spec.segments):
        t = np.rint(np.arange(segment.frame_count) * 1e6 / segment.frame_rate).astype(np.int64)
        plans.append(SegmentPlan(index=index, segment=segment, t=t, t_offset=offset))
        offset += round(segment.duration * 1e6)
    return tuple(plans)


def next_chunk(done: int, frames: int, chunk_frames: int) -> tuple[int, int] | None:
    """The chunk [a, b) that follows `done` finished frames; None at the end of the segment."""
    return None if done >= frames else (done, min(done + chunk_frames, frames))


def stream_groups(sensors: list[SensorSpec]) -> dict[str, str]:
    """HDF5 group of every sensor by name: `events` and `spikes` for the first of each sort."""
    groups: dict[str, str] = {}
    for sensor in sensors:
        sort = stream_sort(sensor)
        groups[sensor.name] = f"{sort}_{sensor.name}" if sort in groups.values() else sort
    return groups


def stream_sort(sensor: SensorSpec) -> str:
    """`events` or `spikes`: the kind of stream that a sensor puts out."""
    match sensor:
        case EventCameraSpec() | FrameDifferenceSpec():
            return "events"
        case SpikeCameraSpec():
            return "spikes"


def has_noise_labels(sensor: SensorSpec) -> bool:
    """Whether the sensor says of each event if noise caused it."""
    return isinstance(sensor, EventCameraSpec) and sensor.labels


def input_files(spec: JobSpec) -> tuple[PurePosixPath, ...]:
    """Files that the job reads, as written in the spec, each once, in order."""
    paths: dict[str, None] = {}
    for segment in spec.segments:
        scene = spec.scene_of(segment)
        if isinstance(scene, UsdScene):
            paths[scene.path] = None
        if isinstance(segment.trajectory, Recorded):
            paths[segment.trajectory.path] = None
    return tuple(PurePosixPath(path) for path in paths)

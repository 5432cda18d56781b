"""One chunk of a segment: labels, sub-frame times, light, sensors.

Chunk [a, b) owns the labels of frames a .. b-1 and the light in (t_{a-1}, t_{b-1}]. What it makes
depends on the segment and the sensors' states alone, not on where the cuts are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from datagen.geometry.subframes import subframe_times
from datagen.optics import to_srgb8
from datagen.pipeline.clock import StageClock
from datagen.pipeline.segment import OpenSegment
from datagen.plan import has_noise_labels, stream_sort
from schemas.arrays import EventArray, Labels, LightBatch, SpikeArray
from schemas.sensor import FrameDifferenceSpec, SensorSpec

BATCH_BYTES = 48 * 2**20
"""Bounds the light held at once; a batch never changes a result."""

States = dict[str, Any]
OnFrame = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """What one chunk produced."""

    start: int
    stop: int
    frames: dict[str, NDArray[Any]]
    """`rgb`, `luminance`, `depth`, `instance`, `sub_frame_count`, each with stop - start rows."""
    streams: dict[str, EventArray | SpikeArray]
    """Output of every sensor by name."""
    states: States
    """State of every sensor after the chunk's last picture."""


def render_chunk(
    run: OpenSegment,
    start: int,
    stop: int,
    states: States,
    *,
    clock: StageClock,
    on_frame: OnFrame = lambda _frame, _pictures: None,
) -> Chunk:
    """Render and sense frames start .. stop-1.

    Args:
        run: the open segment.
        start: first frame.
        stop: one past the last frame.
        states: sensors' states after frame start - 1; empty when start is 0.
        clock: takes the time of every stage.
        on_frame: called after each frame with its number and its count of pictures.
    """
    first = max(start - 1, 0)
    views = run.views_at(run.plan.t[first:stop])
    labels: Labels | None = None
    rows: list[dict[str, NDArray[Any]]] = []
    streams: dict[str, list[Any]] = {name: [] for name in run.sensors}
    states = dict(states)
    for k in range(first, stop):
        before = labels
        with clock.stage("labels"):
            labels = run.renderer.labels(views[k - first : k - first + 1])
        if k < start:
            continue
        with clock.stage("sub-frame times"):
            times = run.plan.t[:1] if before is None else interval_times(run, k, before, labels)
        picture = None
        for light in _light_batches(run, times, clock):
            with clock.stage("sensors"):
                states = _feed(run, light, states, streams)
            picture = light
        assert picture is not None
        rows.append(_frame_row(picture, labels, len(times)))
        on_frame(k, len(times))
    columns = {name: np.concatenate([row[name] for row in rows]) for name in rows[0]}
    joined = {name: _join(run, name, parts) for name, parts in streams.items()}
    return Chunk(start=start, stop=stop, frames=columns, streams=joined, states=states)


def _join(run: OpenSegment, name: str, parts: list[Any]) -> EventArray | SpikeArray:
    spec = _spec_of(run, name)
    if stream_sort(spec) == "events":
        return EventArray.concatenate(parts or [EventArray.empty(labelled=has_noise_labels(spec))])
    return SpikeArray.concatenate(parts, height=run.camera.height, width=run.camera.width)


def _spec_of(run: OpenSegment, name: str) -> SensorSpec:
    return next(sensor for sensor in run.spec.sensors if sensor.name == name)


def interval_times(run: OpenSegment, k: int, before: Labels, now: Labels) -> NDArray[np.int64]:
    """Times of the pictures in (t_{k-1}, t_k], from the labels at both ends."""
    return subframe_times(
        before,
        now,
        t_a=int(run.plan.t[k - 1]),
        t_b=int(run.plan.t[k]),
        views_at=run.views_at,
        object_ids=run.moving_ids,
        intrinsics=run.camera,
        max_displacement=run.spec.sub_frames.max_displacement,
        max_per_frame=run.spec.sub_frames.max_per_frame,
    )


def _light_batches(
    run: OpenSegment, times: NDArray[np.int64], clock: StageClock
) -> Iterator[LightBatch]:
    views = run.views_at(times)
    size = max(1, BATCH_BYTES // (48 * run.camera.width * run.camera.height))
    for i in range(0, len(times), size):
        with clock.stage("radiance and optics"):
            light = run.light_at(views[i : i + size])
        yield light


def _feed(
    run: OpenSegment, light: LightBatch, states: States, streams: dict[str, list[Any]]
) -> States:
    out = {}
    for name, sensor in run.sensors.items():
        frame_based = isinstance(_spec_of(run, name), FrameDifferenceSpec)
        seen = light[np.isin(light.t, run.plan.t)] if frame_based else light
        state = states.get(name)
        if len(seen.t) and state is None:
            state, seen = sensor.init(seen[:1]), seen[1:]
        if len(seen.t):
            state, output = sensor.step(state, seen)
            streams[name].append(output)
        out[name] = state
    return out


def _frame_row(picture: LightBatch, labels: Labels, pictures: int) -> dict[str, NDArray[Any]]:
    last = picture[-1:]
    return {
        "rgb": to_srgb8(last.rgb),
        "luminance": last.luminance().clip(0, 65_504).astype(np.float16),
        "depth": labels.depth,
        "instance": labels.instance,
        "sub_frame_count": np.array([pictures], np.uint16),
    }

"""Sealed chunks of one segment to its dataset file. Flow is made here, from the labels alone."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from datagen.export.hdf5 import EventStream, SegmentContent, SpikeStream, write_segment
from datagen.geometry.flow import flow_between
from datagen.pipeline.sealing import SealedChunk
from datagen.pipeline.segment import OpenSegment, sensor_key
from datagen.pipeline.software import versions
from datagen.plan import has_noise_labels, stream_groups, stream_sort
from datagen.sensors.spikes.poll_clock import PollClock
from datagen.store import clear_disk_errors, new_file, sha256_file
from schemas.arrays import Views
from schemas.dataset import SegmentEntry, StreamSummary
from schemas.h5 import FORMAT_VERSION
from schemas.sensor import SensorSpec, SpikeCameraSpec

Row = dict[str, NDArray[Any]]


def package_segment(
    run: OpenSegment,
    chunks: list[SealedChunk],
    target: Path,
    *,
    on_frame: Callable[[int], None] = lambda _frame: None,
) -> SegmentEntry:
    """Write the segment's file, whole or not at all.

    Args:
        run: the open segment.
        chunks: all its chunks, in order.
        target: the file to create or replace.
        on_frame: takes the number of each frame that is written.

    Returns:
        What the manifest says of it.
    """
    with clear_disk_errors(target), new_file(target) as temporary:
        write_segment(temporary, _content(run, chunks, on_frame))
    return SegmentEntry(
        file=target.name,
        sha256=sha256_file(target),
        size=target.stat().st_size,
        segment_id=run.plan.segment.segment_id,
        name=run.plan.segment.file_stem,
        split=run.plan.segment.split,
        frames=len(run.plan.t),
        sub_frames=sum(int(c.array("frames.sub_frame_count").sum()) for c in chunks),
        duration_us=int(run.plan.t[-1] - run.plan.t[0]),
        verified=run.renderer.verified,
        streams=[_summary(run, sensor, chunks) for sensor in run.spec.sensors],
    )


def _summary(run: OpenSegment, sensor: SensorSpec, chunks: list[SealedChunk]) -> StreamSummary:
    group = stream_groups(run.spec.sensors)[sensor.name]
    if isinstance(sensor, SpikeCameraSpec):
        pieces = [chunk.array(f"stream.{sensor.name}.packed") for chunk in chunks]
        spikes = sum(int(np.bitwise_count(piece).sum()) for piece in pieces)
        polls = sum(map(len, pieces))
        return StreamSummary(group=group, kind=sensor.kind, count=spikes, polls=polls)
    count = sum(len(chunk.array(f"stream.{sensor.name}.t")) for chunk in chunks)
    return StreamSummary(group=group, kind=sensor.kind, count=count)


def _content(
    run: OpenSegment, chunks: list[SealedChunk], on_frame: Callable[[int], None]
) -> SegmentContent:
    views = run.views_at(run.plan.t)
    sensors = run.spec.sensors
    return SegmentContent(
        root=_root_attributes(run),
        calibration=_calibration(run),
        t=run.plan.t,
        t_offset=run.plan.t_offset,
        columns=_small_columns(run, chunks, views),
        frames=_told(_frames(run, chunks, views), on_frame),
        height=run.camera.height,
        width=run.camera.width,
        events=[_events(run, s, chunks) for s in sensors if stream_sort(s) == "events"],
        spikes=[_spikes(run, s, chunks) for s in sensors if isinstance(s, SpikeCameraSpec)],
    )


def _root_attributes(run: OpenSegment) -> dict[str, Any]:
    segment = run.plan.segment
    return {
        "format_version": FORMAT_VERSION,
        "spec": run.spec.canonical_json(),
        "spec_sha256": run.spec.digest(),
        "versions": json.dumps(versions()),
        "seed": np.uint64(run.spec.seed),
        "renderer": run.spec.renderer.kind,
        "verified": run.renderer.verified,
        "licence": run.spec.licence,
        "segment_id": segment.segment_id,
        "segment_name": segment.file_stem,
        "split": segment.split,
    }


def _calibration(run: OpenSegment) -> dict[str, Any]:
    camera = run.camera
    return {
        "width": camera.width, "height": camera.height,
        "fx": camera.fx, "fy": camera.fy, "cx": camera.cx, "cy": camera.cy,
        "distortion": "none",
        "optics": run.spec.camera.optics.canonical_json(),
        "body_from_camera": run.spec.camera.mount.body_from_camera(),
        "exposure": run.exposure,
    }  # fmt: skip


def _small_columns(run: OpenSegment, chunks: list[SealedChunk], views: Views) -> Row:
    t, path, n = run.plan.t, run.path(run.plan.t), len(run.plan.t)
    instances = run.scene.instances
    return {
        "frames/t": t,
        "frames/segment_id": np.full(n, run.plan.segment.segment_id, np.uint16),
        "frames/sub_frame_count": np.concatenate([c.array("frames.sub_frame_count") for c in chunks]),
        "flow/from_us": t,
        "flow/to_us": np.append(t[1:], t[-1]),
        "pose/position": path.position,
        "pose/quaternion_xyzw": path.quaternion_xyzw,
        "pose/linear_velocity": path.linear_velocity,
        "pose/angular_velocity": path.angular_velocity,
        "objects/instance_id": np.array([i.instance_id for i in instances], np.uint16),
        "objects/prim_path": np.array([i.prim_path for i in instances], object),
        "objects/moving_id": run.moving_ids,
        "objects/world_from_object": views.world_from_object,
    }  # fmt: skip


def _told(frames: Iterator[Row], on_frame: Callable[[int], None]) -> Iterator[Row]:
    for k, frame in enumerate(frames):
        yield frame
        on_frame(k)


def _frames(run: OpenSegment, chunks: list[SealedChunk], views: Views) -> Iterator[Row]:
    """Every frame with both its flows, holding three frames at a time."""
    before: Row | None = None
    now: Row | None = None
    k = -1
    for after in _stored_frames(chunks):
        if now is not None:
            yield now | _flows(run, views, k, before, now, after)
        before, now, k = now, after, k + 1
    if now is not None:
        yield now | _flows(run, views, k, before, now, None)


def _stored_frames(chunks: list[SealedChunk]) -> Iterator[Row]:
    names = ("rgb", "luminance", "depth", "instance")
    for chunk in chunks:
        arrays = {name: chunk.array(f"frames.{name}") for name in names}
        for i in range(chunk.stop - chunk.start):
            yield {f"frames/{name}": np.asarray(array[i]) for name, array in arrays.items()}


def _flows(
    run: OpenSegment, views: Views, k: int, before: Row | None, now: Row, after: Row | None
) -> Row:
    forward, forward_valid = _flow(run, views, k, now, k + 1, after)
    backward, backward_valid = _flow(run, views, k, now, k - 1, before)
    return {
        "flow/forward": forward,
        "flow/forward_valid": forward_valid.astype(np.uint8),
        "flow/backward": backward,
        "flow/backward_valid": backward_valid.astype(np.uint8),
    }


def _flow(
    run: OpenSegment, views: Views, i: int, a: Row, j: int, b: Row | None
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    if b is None:
        shape = a["frames/depth"].shape
        return np.zeros((*shape, 2), np.float32), np.zeros(shape, np.bool_)
    return flow_between(
        a["frames/depth"],
        a["frames/instance"],
        b["frames/depth"],
        b["frames/instance"],
        views.world_from_camera[i],
        views.world_from_camera[j],
        run.moving_ids,
        views.world_from_object[i],
        views.world_from_object[j],
        run.camera,
    )


def _events(run: OpenSegment, sensor: SensorSpec, chunks: list[SealedChunk]) -> EventStream:
    def column(name: str) -> list[NDArray[Any]]:
        return [chunk.array(f"stream.{sensor.name}.{name}") for chunk in chunks]

    names = ("t", "x", "y", "p", *(("noise",) if has_noise_labels(sensor) else ()))
    return EventStream(
        group=stream_groups(run.spec.sensors)[sensor.name],
        count=sum(map(len, column("t"))),
        pieces={name: column(name) for name in names},
        attributes=_sensor_attributes(run, sensor),
    )


def _spikes(run: OpenSegment, sensor: SpikeCameraSpec, chunks: list[SealedChunk]) -> SpikeStream:
    pieces = [chunk.array(f"stream.{sensor.name}.packed") for chunk in chunks]
    clock = PollClock(sensor.rate_hz)
    return SpikeStream(
        group=stream_groups(run.spec.sensors)[sensor.name],
        polls=sum(map(len, pieces)),
        row_bytes=-(-run.camera.width * run.camera.height // 8),
        pieces=pieces,
        frame_to_poll=np.array([clock.polls_until(t) for t in run.plan.t.tolist()], np.uint64),
        attributes=_sensor_attributes(run, sensor)
        | {
            "width": run.camera.width, "height": run.camera.height, "rate_hz": sensor.rate_hz,
            "theta": sensor.threshold, "alpha": sensor.alpha, "bitorder": "little",
        },
    )  # fmt: skip


def _sensor_attributes(run: OpenSegment, sensor: SensorSpec) -> dict[str, Any]:
    key = np.uint64(sensor_key(run.spec, run.plan, sensor.name))
    return {"sensor": sensor.model_dump_json(), "key": key}

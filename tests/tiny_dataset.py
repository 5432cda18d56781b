"""A tiny dataset made from formulas, without any of our stages, and written with h5py alone.

A textured wall (instance 1) at y = 2 m and a nearer square (instance 2) that moves along x; a
camera that looks along +y, moves on a straight line and pans about the vertical. Rays meet planes
in closed form, so depth, light and pose are exact; events and spikes follow their definitions on
pictures 2.5 ms apart. Flow alone is taken from `datagen.geometry`, which has tests of its own.
"""

from __future__ import annotations

import hashlib
import json
import math
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from datagen.dataset import Dataset
from datagen.geometry.flow import flow_between
from schemas.arrays import pose_matrices
from schemas.camera import Intrinsics
from schemas.dataset import DatasetManifest, SegmentEntry, StreamSummary
from schemas.h5 import COLUMNS, FORMAT_VERSION
from schemas.job import JobSpec

FRAME_US = 40_000
SUB_FRAMES = 16
VELOCITY = np.array([1.6, 0.0, 0.3])
PAN = -0.8
"""[rad/s] about world z."""
WALL_Y = 2.0
SQUARE_Y, SQUARE_HALF, SQUARE_SPEED = 1.4, 0.25, -0.8
THRESHOLD = 0.15
EPS = 1e-3
RATE_HZ, ALPHA = 2000.0, 0.4


def tiny_spec(**changes: Any) -> JobSpec:
    """The job whose segments `build_segment` makes."""
    trajectory = {
        "kind": "linear", "start": [0.0, 0.0, 0.0], "velocity": VELOCITY.tolist(),
    }  # fmt: skip
    base = {"trajectory": trajectory, "duration": 0.24, "frame_rate": 25.0}
    job = {
        "name": "tiny",
        "camera": {"width": 33, "height": 23, "fx": 24.0, "exposure": 1.0},
        "sensors": [
            {"kind": "event_camera", "threshold_on": THRESHOLD, "threshold_off": THRESHOLD,
             "threshold_sigma": 0.0, "log_eps": EPS},
            {"kind": "spike_camera", "rate_hz": RATE_HZ, "alpha": ALPHA, "start": "zero"},
            {"kind": "frame_difference", "name": "difference", "threshold": THRESHOLD,
             "log_eps": EPS},
        ],
        "segments": [
            {"segment_id": 3, "name": "first", **base},
            {"segment_id": 5, "name": "second", "split": "test", **base},
        ],
    }  # fmt: skip
    return JobSpec.model_validate({**job, **changes})


def build_dataset(folder: Path) -> Path:
    """Both segments and their manifest."""
    folder.mkdir(parents=True, exist_ok=True)
    for index in range(2):
        build_segment(folder / f"{tiny_spec().segments[index].file_stem}.h5", index=index)
    write_manifest(folder)
    return folder


def build_segment(path: Path, *, index: int = 0, still: bool = False) -> Path:
    """One segment file; `still` stops the camera and the square."""
    spec = tiny_spec()
    segment = spec.segments[index]
    light = _Film(spec.camera.intrinsics, segment.frame_count, still=still)
    with h5py.File(path, "w") as file:
        for name, array in light.columns(segment.segment_id).items():
            file[name] = array
        file["objects/prim_path"] = np.array(["/wall", "/square", "/unseen"], h5py.string_dtype())
        file["t_offset"] = np.int64(index * segment.frame_count * FRAME_US)
        _write_events(file, "events", spec.sensors[0], light.events(), light)
        _write_events(file, "events_difference", spec.sensors[2], light.differences(), light)
        _write_spikes(file, spec.sensors[1], light)
        _write_attributes(file, spec, index)
    return path


def write_manifest(folder: Path) -> None:
    """Name every segment file as it now is."""
    spec = tiny_spec()
    manifest = DatasetManifest(
        name=spec.name,
        spec_sha256=spec.digest(),
        licence=spec.licence,
        renderer=spec.renderer.kind,
        verified=True,
        segments=[_entry(folder / f"{segment.file_stem}.h5") for segment in spec.segments],
    )
    (folder / "manifest.json").write_text(manifest.model_dump_json(indent=2))


def depth_sum(dataset: Dataset) -> float:
    """Something to compute from a dataset, by a name that other processes can import."""
    return float(dataset.segments[0].depth(2).sum())


def _entry(path: Path) -> SegmentEntry:
    with h5py.File(path) as file:
        streams = [
            StreamSummary(group="events", kind="event_camera", count=len(file["events/t"])),
            StreamSummary(
                group="spikes",
                kind="spike_camera",
                count=int(np.bitwise_count(file["spikes/packed"][()]).sum()),
                polls=len(file["spikes/packed"]),
            ),
            StreamSummary(
                group="events_difference",
                kind="frame_difference",
                count=len(file["events_difference/t"]),
            ),
        ]
        return SegmentEntry(
            file=path.name,
            sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
            size=path.stat().st_size,
            segment_id=int(file.attrs["segment_id"]),
            name=file.attrs["segment_name"],
            split=file.attrs["split"],
            frames=len(file["frames/t"]),
            sub_frames=int(file["frames/sub_frame_count"][()].sum()),
            duration_us=int(file["frames/t"][-1]),
            streams=streams,
        )


class _Film:
    """What the camera sees at sub-frame times; frames are every SUB_FRAMES-th."""

    def __init__(self, camera: Intrinsics, frames: int, *, still: bool) -> None:
        self.camera, self.frames = camera, frames
        self.t = np.arange((frames - 1) * SUB_FRAMES + 1) * (FRAME_US // SUB_FRAMES)
        self.pace = 0.0 if still else 1.0
        self.position = self.pace * VELOCITY * (self.t * 1e-6)[:, None]
        half = 0.5 * self.pace * PAN * self.t * 1e-6
        down = math.sqrt(0.5)  # a quarter turn about x brings the optical axis onto world +y
        self.quaternion = np.stack(
            [-down * np.cos(half), -down * np.sin(half), down * np.sin(half), down * np.cos(half)],
            axis=1,
        )
        self.world_from_camera = pose_matrices(self.position, self.quaternion)
        views = [self._view(i) for i in range(len(self.t))]
        self.depth, self.instance, self.luminance = (
            np.stack(parts) for parts in zip(*views, strict=True)
        )

    def _object_x(self, i: int) -> float:
        return 0.3 + self.pace * SQUARE_SPEED * float(self.t[i]) * 1e-6

    def _view(self, i: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        c = self.camera
        column, row = np.meshgrid(np.arange(c.width) + 0.5, np.arange(c.height) + 0.5)
        ray = np.stack([(column - c.cx) / c.fx, (row - c.cy) / c.fy, np.ones_like(row)], -1)
        ray = ray @ self.world_from_camera[i, :3, :3].T
        to_wall, to_square = ((y - self.position[i, 1]) / ray[..., 1] for y in (WALL_Y, SQUARE_Y))
        on_square = self.position[i] + to_square[..., None] * ray
        x, z = on_square[..., 0] - self._object_x(i), on_square[..., 2]
        square = np.maximum(abs(x), abs(z)) < SQUARE_HALF
        on_wall = self.position[i] + to_wall[..., None] * ray
        wall_x, wall_z = on_wall[..., 0], on_wall[..., 2]
        wall = 0.4 + 0.2 * np.sin(9.0 * wall_x + 1) + 0.15 * np.sin(7.0 * wall_z + 4.0 * wall_x)
        patch = 0.5 + 0.3 * np.sin(14.0 * x) * np.cos(12.0 * z)
        return (
            np.where(square, to_square, to_wall).astype(np.float32),
            np.where(square, 2, 1).astype(np.uint16),
            np.where(square, patch, wall).astype(np.float32),
        )

    def columns(self, segment_id: int) -> dict[str, np.ndarray]:
        """Every column but strings and streams."""
        step = slice(None, None, SUB_FRAMES)
        t, n = self.t[step], self.frames
        luminance = self.luminance[step]
        objects = np.tile(np.eye(4), (n, 1, 1, 1))
        objects[:, 0, 0, 3] = [self._object_x(k * SUB_FRAMES) for k in range(n)]
        objects[:, 0, 1, 3] = SQUARE_Y
        encoded = np.rint(255 * (1.055 * luminance ** (1 / 2.4) - 0.055)).astype(np.uint8)
        columns = {
            "frames/t": t,
            "frames/segment_id": np.full(n, segment_id, np.uint16),
            "frames/sub_frame_count": np.array([1] + [SUB_FRAMES] * (n - 1), np.uint16),
            "frames/rgb": np.repeat(encoded[..., None], 3, axis=-1),
            "frames/luminance": luminance.astype(np.float16),
            "frames/depth": self.depth[step],
            "frames/instance": self.instance[step],
            "flow/from_us": t,
            "flow/to_us": np.append(t[1:], t[-1]),
            "pose/position": self.position[step],
            "pose/quaternion_xyzw": self.quaternion[step],
            "pose/linear_velocity": np.tile(self.pace * VELOCITY, (n, 1)),
            "pose/angular_velocity": np.tile([0.0, 0.0, self.pace * PAN], (n, 1)),
            "objects/instance_id": np.array([1, 2, 3], np.uint16),
            "objects/moving_id": np.array([2], np.uint16),
            "objects/world_from_object": objects,
        }
        columns.update(self._flow("forward", 1, columns) | self._flow("backward", -1, columns))
        dtypes = {column.path: column.dtype for column in COLUMNS}
        return {name: array.astype(dtypes[name]) for name, array in columns.items()}

    def _flow(self, name: str, step: int, columns: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        depth, instance = columns["frames/depth"], columns["frames/instance"]
        flow = np.zeros((*depth.shape, 2), np.float32)
        valid = np.zeros(depth.shape, np.uint8)
        poses, objects = self.world_from_camera[::SUB_FRAMES], columns["objects/world_from_object"]
        for a in range(self.frames):
            if 0 <= (b := a + step) < self.frames:
                flow[a], valid[a] = flow_between(
                    depth[a], instance[a], depth[b], instance[b], poses[a], poses[b],
                    columns["objects/moving_id"], objects[a], objects[b], self.camera,
                )  # fmt: skip
        return {f"flow/{name}": flow, f"flow/{name}_valid": valid}

    def events(self) -> list[tuple[int, int, int, int]]:
        """(t, y, x, p): crossings of a threshold by log light, linear between two pictures."""
        log = np.log(self.luminance.astype(np.float64) + EPS)
        reference, out = log[0].copy(), []
        for i in range(1, len(log)):
            for y, x in np.argwhere(abs(log[i] - reference) >= THRESHOLD):
                sign = 1 if log[i, y, x] > reference[y, x] else -1
                while sign * (log[i, y, x] - reference[y, x]) >= THRESHOLD:
                    reference[y, x] += sign * THRESHOLD
                    part = (reference[y, x] - log[i - 1, y, x]) / (log[i, y, x] - log[i - 1, y, x])
                    t = math.ceil(self.t[i - 1] + part * (self.t[i] - self.t[i - 1]))
                    out.append((t, int(y), int(x), (sign + 1) // 2))
        return sorted(out, key=lambda event: event[:3])

    def differences(self) -> list[tuple[int, int, int, int]]:
        """(t, y, x, p) where a frame differs from the last one by more than the threshold."""
        log = np.log(self.luminance[::SUB_FRAMES].astype(np.float64) + EPS)
        change = np.diff(log, axis=0)
        t = self.t[::SUB_FRAMES]
        return [
            (int(t[k + 1]), int(y), int(x), int(change[k, y, x] > 0))
            for k, y, x in np.argwhere(abs(change) > THRESHOLD)
        ]

    def polls(self) -> np.ndarray:
        """Bits (P, H, W): charge of light that is linear between pictures, one spike per threshold."""
        count = int(self.t[-1] * RATE_HZ // 1e6)
        charge, bits = np.zeros(self.depth.shape[1:]), []
        for middle in (np.arange(count) + 0.5) * 1e6 / RATE_HZ:
            at = min(int(np.searchsorted(self.t, middle, side="right")), len(self.t) - 1)
            part = (middle - self.t[at - 1]) / (self.t[at] - self.t[at - 1])
            charge += ALPHA * (
                (1 - part) * self.luminance[at - 1] + part * self.luminance[at].astype(float)
            )
            bits.append(charge >= 1.0)
            charge = np.minimum(charge - bits[-1], 1.0)
        return np.array(bits)


def _write_events(
    file: h5py.File, group: str, sensor: Any, events: list[tuple[int, int, int, int]], film: _Film
) -> None:
    t, y, x, p = np.array(events, np.int64).reshape(-1, 4).T
    for name, values, dtype in (("t", t, "i8"), ("x", x, "u2"), ("y", y, "u2"), ("p", p, "u1")):
        file[f"{group}/{name}"] = values.astype(dtype)
    frame_t = film.t[::SUB_FRAMES]
    file[f"{group}/frame_to_idx"] = np.searchsorted(t, frame_t, side="right").astype(np.uint64)
    if group == "events":
        milliseconds = np.arange(0, frame_t[-1] + 2000, 1000)
        file["ms_to_idx"] = np.searchsorted(t, milliseconds, side="left").astype(np.uint64)
    file[group].attrs.update(sensor=sensor.model_dump_json(), key=np.uint64(7))


def _write_spikes(file: h5py.File, sensor: Any, film: _Film) -> None:
    bits = film.polls()
    flat = bits.reshape(len(bits), -1)
    file["spikes/packed"] = np.packbits(flat, axis=1, bitorder="little")
    frame_t = film.t[::SUB_FRAMES]
    file["spikes/frame_to_poll"] = (frame_t * RATE_HZ // 1e6).astype(np.uint64)
    file["spikes"].attrs.update(
        sensor=sensor.model_dump_json(), key=np.uint64(8), width=film.camera.width,
        height=film.camera.height, rate_hz=RATE_HZ, theta=1.0, alpha=ALPHA, bitorder="little",
    )  # fmt: skip


def _write_attributes(file: h5py.File, spec: JobSpec, index: int) -> None:
    segment, camera = spec.segments[index], spec.camera
    pinhole = camera.intrinsics
    file.attrs.update(
        format_version=FORMAT_VERSION, spec=spec.canonical_json(), spec_sha256=spec.digest(),
        versions=json.dumps({"tiny": "1"}), seed=np.uint64(spec.seed),
        renderer=spec.renderer.kind, verified=True, licence=spec.licence,
        segment_id=segment.segment_id, segment_name=segment.file_stem, split=segment.split,
    )  # fmt: skip
    file.require_group("calib").attrs.update(
        width=pinhole.width, height=pinhole.height, fx=pinhole.fx, fy=pinhole.fy,
        cx=pinhole.cx, cy=pinhole.cy, distortion="none", optics=camera.optics.canonical_json(),
        body_from_camera=camera.mount.body_from_camera(), exposure=1.0,
    )  # fmt: skip

"""One segment file as numpy arrays: labels per frame, poses, objects, streams, flow between frames.

Frames are numbered from 0; frame k was taken at `times[k]` microseconds after the segment's start.
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from datagen.dataset.h5_file import H5File
from datagen.dataset.streams import EventStream, SpikeStream, are_whole
from datagen.errors import InputError
from schemas.arrays import pose_matrices
from schemas.base import Split
from schemas.camera import Intrinsics
from schemas.job import JobSpec

Flow = tuple[NDArray[np.float32], NDArray[np.bool_]]
"""Flow (H, W, 2) [px] and where it is valid (H, W)."""


def flow_planes(flow: NDArray[np.float32], valid: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Flow as networks read it: shape (2, H, W), zero where it is not valid."""
    known = np.where(valid[..., None], flow, np.float32(0))
    return np.ascontiguousarray(known.transpose(2, 0, 1))


class Segment:
    """One uninterrupted take. Arrays are read when asked for; the file is never written to."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = H5File(path)

    def __repr__(self) -> str:
        return f"Segment({str(self.path)!r})"

    def __enter__(self) -> Segment:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file; a later read opens it again."""
        self._file.close()

    @cached_property
    def times(self) -> NDArray[np.int64]:
        """Frame times [us] since segment start, shape (N,)."""
        return self.read("frames/t")

    @property
    def frame_count(self) -> int:
        """Labelled frames, N."""
        return len(self.times)

    @property
    def t_offset(self) -> int:
        """Start of the segment on the job's clock [us]."""
        return int(self.read("t_offset"))

    @cached_property
    def segment_id(self) -> int:
        """Id of the segment, also stored with every frame."""
        return int(self.attribute("/", "segment_id"))

    @cached_property
    def name(self) -> str:
        """Name of the segment."""
        return str(self.attribute("/", "segment_name"))

    @cached_property
    def split(self) -> Split:
        """What the segment is for."""
        split: Split = self.attribute("/", "split")
        return split

    @cached_property
    def spec(self) -> JobSpec:
        """The job that made the file."""
        return JobSpec.model_validate_json(self.attribute("/", "spec"))

    @cached_property
    def intrinsics(self) -> Intrinsics:
        """The pinhole."""
        value = {n: self.attribute("calib", n) for n in ("width", "height", "fx", "fy", "cx", "cy")}
        return Intrinsics(
            width=int(value["width"]), height=int(value["height"]),
            fx=float(value["fx"]), fy=float(value["fy"]),
            cx=float(value["cx"]), cy=float(value["cy"]),
        )  # fmt: skip

    def rgb(self, k: int) -> NDArray[np.uint8]:
        """Picture of frame k, sRGB-encoded, shape (H, W, 3)."""
        return self._frame("frames/rgb", k)

    def luminance(self, k: int) -> NDArray[np.float32]:
        """Linear light of frame k, white = 1, shape (H, W)."""
        return self._frame("frames/luminance", k).astype(np.float32)

    def depth(self, k: int) -> NDArray[np.float32]:
        """z-depth of frame k [m], +inf where nothing is hit, shape (H, W)."""
        return self._frame("frames/depth", k)

    def instance(self, k: int) -> NDArray[np.uint16]:
        """Instance ids of frame k, 0 = background, shape (H, W)."""
        return self._frame("frames/instance", k)

    def flow_forward(self, k: int) -> Flow:
        """Stored flow from frame k to k + 1; zero and invalid on the last frame."""
        return self._frame("flow/forward", k), self._frame("flow/forward_valid", k).astype(np.bool_)

    def flow_backward(self, k: int) -> Flow:
        """Stored flow from frame k to k - 1; zero and invalid on the first frame."""
        return (
            self._frame("flow/backward", k),
            self._frame("flow/backward_valid", k).astype(np.bool_),
        )

    def flow(self, i: int, j: int) -> Flow:
        """Exact flow from frame i to any frame j of the segment, on frame i's grid.

        Made from stored depth, instance ids and poses; for neighbours it equals the stored flow.

        Raises:
            InputError: a frame is not in the segment.
            DatasetError: the file cannot be read.
        """
        from datagen.geometry.flow import flow_between  # compiles on import: only when needed

        return flow_between(
            self.depth(i),
            self.instance(i),
            self.depth(j),
            self.instance(j),
            self.world_from_camera[i],
            self.world_from_camera[j],
            self.object_ids,
            self.world_from_object[i],
            self.world_from_object[j],
            self.intrinsics,
        )

    def pose(self, k: int) -> NDArray[np.float64]:
        """`world_from_camera` of frame k, shape (4, 4)."""
        self._check(k)
        matrix: NDArray[np.float64] = self.world_from_camera[k]
        return matrix

    @cached_property
    def world_from_camera(self) -> NDArray[np.float64]:
        """Camera poses, OpenCV axes, shape (N, 4, 4)."""
        return pose_matrices(self.read("pose/position"), self.read("pose/quaternion_xyzw"))

    @cached_property
    def object_ids(self) -> NDArray[np.uint16]:
        """Instance ids of the objects that move, shape (M,)."""
        return self.read("objects/moving_id")

    @cached_property
    def world_from_object(self) -> NDArray[np.float64]:
        """Poses of the objects that move, shape (N, M, 4, 4)."""
        return self.read("objects/world_from_object")

    @cached_property
    def prim_paths(self) -> dict[int, str]:
        """USD prim path of every instance id."""
        paths = [path.decode() for path in self.read("objects/prim_path")]
        return dict(zip(self.read("objects/instance_id").tolist(), paths, strict=True))

    @cached_property
    def event_streams(self) -> tuple[EventStream, ...]:
        """All event streams, the first sensor's first."""
        return tuple(EventStream(self._file, g, self.times) for g in self._groups("events"))

    @cached_property
    def spike_streams(self) -> tuple[SpikeStream, ...]:
        """All spike streams, the first sensor's first."""
        return tuple(SpikeStream(self._file, g, self.times) for g in self._groups("spikes"))

    def events(self, name: str | None = None) -> EventStream:
        """The event stream of a sensor, by its name or group; the first one without a name.

        Raises:
            InputError: the segment has no such stream.
        """
        return _named(self.event_streams, name, "event", self.path)

    def spikes(self, name: str | None = None) -> SpikeStream:
        """The spike stream of a sensor, by its name or group; the first one without a name.

        Raises:
            InputError: the segment has no such stream.
        """
        return _named(self.spike_streams, name, "spike", self.path)

    def read(self, column: str) -> NDArray[Any]:
        """A whole column by its path, such as `pose/linear_velocity`.

        Raises:
            DatasetError: there is no such column, or it cannot be read.
        """
        return self._file.read(column)

    def attribute(self, group: str, name: str) -> Any:
        """An attribute of a group, such as ("calib", "exposure").

        Raises:
            DatasetError: there is no such attribute.
        """
        return self._file.attribute(group, name)

    def _frame(self, column: str, k: int) -> NDArray[Any]:
        self._check(k)
        return self._file.read(column, k)

    def _check(self, k: int) -> None:
        if not (are_whole(k) and 0 <= k < self.frame_count):
            raise InputError(
                f"{self.path}: frame {k}; the segment has frames 0 to {self.frame_count - 1}, one "
                "at a time (`read` gives whole columns)"
            )

    def _groups(self, sort: str) -> list[str]:
        return [g for g in self._file.groups() if g == sort or g.startswith(f"{sort}_")]


Stream = TypeVar("Stream", EventStream, SpikeStream)


def _named(streams: tuple[Stream, ...], name: str | None, sort: str, path: Path) -> Stream:
    if name is None and streams:
        return streams[0]
    # all names before any group: the second sensor may be called as the first one's group is
    for what in ("name", "group"):
        for stream in streams:
            if getattr(stream, what) == name:
                return stream
    held = ", ".join(stream.name for stream in streams) or "none"
    wanted = "" if name is None else f" named {name!r}"
    raise InputError(f"{path}: no {sort} stream{wanted}; the segment holds: {held}")

"""Sequences of DSEC -> segments, one per uninterrupted run of flow labels.

Layout and conventions as in `datagen.export.dsec`. Flow lives on rectified pixels and events on raw
ones: events are moved to the nearest rectified pixel, and those that leave the picture are dropped.
Flow backwards is offered where `flow/backward` is there.
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray

from datagen.dataset.h5_file import H5File
from datagen.dataset.segment import Flow
from datagen.errors import DatasetError
from datagen.export.flow_png import read_flow_png
from datagen.recordings.flow_along import flow_along
from datagen.recordings.segment import (
    RecordedEvents,
    RecordedSegment,
    empty_flow,
    no_backward_flow,
)
from schemas.arrays import EventArray
from schemas.camera import Intrinsics
from schemas.recording import DsecRecordingSpec

Labels = dict[tuple[int, int], Path]
"""Flow picture of every pair of times, from and to [us]."""


def open_dsec(spec: DsecRecordingSpec) -> list[RecordedSegment]:
    """The runs of labels of a sequence.

    Raises:
        DatasetError: files are missing or do not fit together.
    """
    labels = read_labels(spec.path / "flow", "forward")
    if not labels:
        raise DatasetError(f"{spec.path}: no flow labels; expected flow/forward_timestamps.txt")
    backward = read_labels(spec.path / "flow", "backward")
    return [
        _segment(spec, number, stamps, labels | backward)
        for number, stamps in enumerate(runs(sorted(labels)))
    ]


def runs(pairs: list[tuple[int, int]]) -> list[NDArray[np.int64]]:
    """Stamps of labels that join end to start, gaps between the runs."""
    found: list[list[int]] = []
    for start, stop in pairs:
        if not found or found[-1][-1] != start:
            found.append([start])
        found[-1].append(stop)
    return [np.array(stamps, np.int64) for stamps in found]


def read_labels(folder: Path, direction: str) -> Labels:
    """Flow pictures by the times they lead from and to; empty where there are none."""
    file = folder / f"{direction}_timestamps.txt"
    if not file.is_file():
        return {}
    rows = np.loadtxt(file, dtype=np.int64, delimiter=",", comments="#", ndmin=2)
    pictures = sorted((folder / direction).glob("*.png"))
    if len(rows) != len(pictures):
        raise DatasetError(
            f"{file}: {len(rows)} rows for {len(pictures)} pictures in {folder / direction}; "
            "expected one row per picture. Copy or download the sequence again."
        )
    return {(int(a), int(b)): path for (a, b, *_), path in zip(rows, pictures, strict=True)}


def _segment(
    spec: DsecRecordingSpec, number: int, stamps: NDArray[np.int64], labels: Labels
) -> RecordedSegment:
    name = spec.path.name if number == 0 else f"{spec.path.name}_{number}"
    folder = spec.path / "events" / "left"
    file = H5File(folder / "events.h5", native=False)
    flow = StoredFlow(name, stamps, labels)
    times = stamps - stamps[0]
    return RecordedSegment(
        file, name=name, split=spec.split, number=number, start_us=int(stamps[0]), times=times,
        intrinsics=read_intrinsics(spec.path, flow(0, 1)[1].shape),
        events=DsecEvents(file, int(stamps[0]), times, folder / "rectify_map.h5"),
        flow=flow,
    )  # fmt: skip


class StoredFlow:
    """Flow pictures by frames of one run."""

    def __init__(self, name: str, stamps: NDArray[np.int64], labels: Labels) -> None:
        self.name, self.stamps, self.labels = name, stamps, labels

    def __call__(self, i: int, j: int) -> Flow:
        """From frame i to frame j."""
        if i == j:
            return empty_flow(self(0, 1)[1].shape)
        step = 1 if j >= i else -1
        pairs = [(int(self.stamps[k]), int(self.stamps[k + step])) for k in range(i, j, step)]
        if any(pair not in self.labels for pair in pairs):
            raise no_backward_flow(self.name, i, j)
        if len(pairs) == 1:
            return read_flow_png(self.labels[pairs[0]])
        stored = [(read_flow_png(self.labels[pair]), 1.0) for pair in pairs]
        return flow_along(stored, stored[0][0][1].shape)


class DsecEvents(RecordedEvents):
    """Rectified events of a run."""

    def __init__(
        self, file: H5File, start_us: int, frame_t: NDArray[np.int64], rectify_map: Path
    ) -> None:
        super().__init__(file, "events", frame_t)
        self._start_us = start_us
        self._map = H5File(rectify_map, native=False)

    def slice_by_index(self, start: int, stop: int) -> EventArray:
        """Those of the file's events start .. stop - 1 that stay in the rectified picture."""
        t, x, y, p = (self._column(name, start, stop) for name in ("t", "x", "y", "p"))
        column, row = np.rint(self._rectified[y, x]).astype(np.int64).T
        height, width = self._rectified.shape[:2]
        inside = (column >= 0) & (column < width) & (row >= 0) & (row < height)
        moved = EventArray(t=t, x=column.astype(np.uint16), y=row.astype(np.uint16), p=p)
        return moved[inside]

    @cached_property
    def frame_to_idx(self) -> NDArray[np.int64]:
        """The file's events with t <= time of frame k, shape (N,)."""
        table = self._file.read("ms_to_idx").astype(np.int64)
        table = np.append(table, len(self))
        indices = []
        for t in self._frame_t:
            ms = min((int(t) + self._shift) // 1000, len(table) - 2)
            low, high = int(table[ms]), int(table[ms + 1])
            column = self._column("t", low, high)
            indices.append(low + int(np.searchsorted(column, t, side="right")))
        return np.array(indices, np.int64)

    @cached_property
    def _shift(self) -> int:
        """The run's start on the clock of the file's stamps [us]."""
        return self._start_us - int(self._file.read("t_offset"))

    @cached_property
    def _rectified(self) -> NDArray[np.float32]:
        return self._map.read("rectify_map")

    def _column(self, name: str, start: int, stop: int) -> NDArray[Any]:
        column = super()._column(name, start, stop)
        if name == "t":
            return column.astype(np.int64) - self._shift
        return column.astype(np.uint8 if name == "p" else np.uint16)


def read_intrinsics(folder: Path, shape: tuple[int, ...]) -> Intrinsics:
    """The rectified left event camera; without its calibration file, as wide as it is far."""
    height, width = shape
    file = folder / "calibration" / "cam_to_cam.yaml"
    if not file.is_file():
        return Intrinsics(width, height, width, width, width / 2, height / 2)
    content = yaml.safe_load(file.read_text(encoding="utf-8"))
    fx, fy, cx, cy = content["intrinsics"]["camRect0"]["camera_matrix"]
    return Intrinsics(width, height, fx, fy, cx + 0.5, cy + 0.5)

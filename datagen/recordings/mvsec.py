"""Sequences of MVSEC -> one segment whose frames are the grey pictures.

Layout and conventions as in `datagen.export.mvsec`. Windows go from picture to picture ("dt = 1",
or 4 with four frame intervals), as EV-FlowNet and its successors evaluate; the stored flow, which
comes at the lidar's pace, is followed along (flow_along.py). Exactly zero or not finite flow is not
known. The truth is read from `<sequence>_gt.hdf5`, picture by picture: the `.npz` would have to be
held in memory as a whole.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from datagen.dataset.h5_file import H5File
from datagen.dataset.segment import Flow
from datagen.errors import DatasetError
from datagen.recordings.flow_along import covered_intervals, flow_along
from datagen.recordings.segment import (
    RecordedEvents,
    RecordedSegment,
    empty_flow,
    no_backward_flow,
)
from schemas.arrays import EventArray
from schemas.camera import Intrinsics
from schemas.recording import MvsecRecordingSpec

FOCAL = 226.0
"""Of the left DAVIS, to a per cent [px]; pictures are not rectified."""
LEFT = "davis/left"


def open_mvsec(spec: MvsecRecordingSpec) -> list[RecordedSegment]:
    """The part of a sequence that has flow labels.

    Raises:
        DatasetError: files are missing, or fewer than two pictures have labels.
    """
    data = H5File(spec.path / f"{spec.sequence}_data.hdf5", native=False)
    truth = H5File(spec.path / f"{spec.sequence}_gt.hdf5", native=False)
    stamps = truth.read(f"{LEFT}/flow_dist_ts").astype(np.float64)
    images = data.read(f"{LEFT}/image_raw_ts").astype(np.float64)
    before = data.read(f"{LEFT}/image_raw_event_inds").astype(np.int64) + 1
    begin, end = stamps[0] + spec.from_s, stamps[-1]
    if spec.to_s is not None:
        end = min(end, stamps[0] + spec.to_s)
    used = np.flatnonzero((images >= begin) & (images <= end) & (before > 0))
    if len(used) < 2:
        raise DatasetError(
            f"{data.path}: {len(used)} pictures from {begin:.3f} to {end:.3f} s with events before "
            "them; expected at least two between the first and the last flow label"
        )
    seconds = images[used]
    times = np.rint((seconds - seconds[0]) * 1e6).astype(np.int64)
    height, width = data.read(f"{LEFT}/image_raw", used[0]).shape
    segment = MvsecSegment(
        data, name=spec.sequence, split=spec.split, number=0,
        start_us=int(np.rint(seconds[0] * 1e6)), times=times,
        intrinsics=Intrinsics(width, height, FOCAL, FOCAL, width / 2, height / 2),
        events=MvsecEvents(data, seconds[0], times, before[used]),
        flow=FollowedFlow(spec.sequence, truth, stamps, seconds, (height, width)),
    )  # fmt: skip
    segment.first_picture = int(used[0])
    return [segment]


class MvsecSegment(RecordedSegment):
    """A recording whose camera takes events and pictures with the same pixels."""

    first_picture = 0
    """The file's picture at frame 0."""

    def rgb(self, k: int) -> NDArray[Any]:
        """Grey picture of frame k in three equal channels, shape (H, W, 3)."""
        self._check(k)
        grey = self._file.read(f"{LEFT}/image_raw", self.first_picture + k)
        return np.repeat(grey[..., None], 3, axis=-1)


class FollowedFlow:
    """Stored flow brought to the times of pictures."""

    def __init__(
        self, name: str, truth: H5File, stamps: NDArray[np.float64],
        pictures: NDArray[np.float64], shape: tuple[int, int],
    ) -> None:  # fmt: skip
        self.name, self.truth, self.stamps = name, truth, stamps
        self.pictures, self.shape = pictures, shape

    def __call__(self, i: int, j: int) -> Flow:
        """From picture i to picture j."""
        if j < i:
            raise no_backward_flow(self.name, i, j)
        if i == j:
            return empty_flow(self.shape)
        covered = covered_intervals(self.stamps, self.pictures[i], self.pictures[j])
        return flow_along(((self._stored(k), share) for k, share in covered), self.shape)

    def _stored(self, k: int) -> Flow:
        flow = self.truth.read(f"{LEFT}/flow_dist", k).transpose(1, 2, 0)
        valid = np.isfinite(flow).all(axis=-1) & flow.any(axis=-1)
        return np.where(valid[..., None], flow, 0).astype(np.float32), valid


class MvsecEvents(RecordedEvents):
    """Events from the first picture on; rows of the file are x, y, seconds, polarity."""

    def __init__(
        self, file: H5File, start_s: float, frame_t: NDArray[np.int64], index: NDArray[np.int64]
    ) -> None:
        super().__init__(file, LEFT, frame_t)
        self._start_s = start_s
        self._index = index

    def __len__(self) -> int:
        return self._file.length(f"{LEFT}/events")

    @cached_property
    def frame_to_idx(self) -> NDArray[np.int64]:
        """The file's events before picture k, shape (N,)."""
        return self._index

    def slice_by_index(self, start: int, stop: int) -> EventArray:
        """The file's events start .. stop - 1."""
        rows = self._file.read(f"{LEFT}/events", slice(start, stop))
        return EventArray(
            t=self._microseconds(rows),
            x=rows[:, 0].astype(np.uint16),
            y=rows[:, 1].astype(np.uint16),
            p=(rows[:, 3] > 0).astype(np.uint8),
        )

    def _microseconds(self, rows: NDArray[np.float64]) -> NDArray[np.int64]:
        return np.rint((rows[:, 2] - self._start_s) * 1e6).astype(np.int64)

    def _column(self, name: str, start: int, stop: int) -> NDArray[Any]:
        column: NDArray[Any] = getattr(self.slice_by_index(start, stop), name)
        return column

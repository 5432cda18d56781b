"""Windows: frames i to j of one segment, with everything that happened in (t_i, t_j]."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from datagen.dataset.segment import Flow, Segment
from schemas.arrays import EventArray, SpikeArray

Sample = dict[str, NDArray[Any]]
"""Arrays by name."""


@dataclass(frozen=True, slots=True)
class Window:
    """Frames `start` to `stop` of one segment; it never reaches beyond it."""

    segment: Segment
    start: int
    stop: int

    @property
    def start_us(self) -> int:
        """Time of frame `start` [us]."""
        return int(self.segment.times[self.start])

    @property
    def stop_us(self) -> int:
        """Time of frame `stop` [us]."""
        return int(self.segment.times[self.stop])

    def events(self, name: str | None = None) -> EventArray:
        """A sensor's events in (start_us, stop_us]."""
        return self.segment.events(name).slice_by_frame(self.start, self.stop)

    def spikes(self, name: str | None = None) -> SpikeArray:
        """A sensor's polls that end in (start_us, stop_us]."""
        return self.segment.spikes(name).slice_by_frame(self.start, self.stop)

    def flow(self) -> Flow:
        """Exact flow from frame `start` to frame `stop` and where it is valid."""
        return self.segment.flow(self.start, self.stop)

    def backward_flow(self) -> Flow:
        """Exact flow from frame `stop` to frame `start` and where it is valid."""
        return self.segment.flow(self.stop, self.start)

    def pictures(self) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """The first and the last RGB picture, each (H, W, 3)."""
        return self.segment.rgb(self.start), self.segment.rgb(self.stop)


def windows_by_count(
    segment: Segment, count: int, *, longest: int, sensor: str | None = None
) -> list[Window]:
    """From every frame the shortest window with at least `count` events, if there is one.

    Windows end on frames too, so that their flow is exact.

    Args:
        segment: where to look.
        count: events per window, 1 or more.
        longest: most frame intervals per window.
        sensor: event stream; the first one if None.
    """
    until = segment.events(sensor).frame_to_idx
    stops = np.searchsorted(until, until + count, side="left")
    return [
        Window(segment, start, int(stop))
        for start, stop in enumerate(stops)
        if stop < segment.frame_count and stop - start <= longest
    ]


class WindowDataset:
    """Windows by index as dicts of arrays: what `torch.utils.data.DataLoader` wants, without torch.

    `encode` turns a window into arrays, such as `datagen.representations.samples.voxel_sample`.
    Files are opened by the process that reads, so loader workers may be forked or spawned.
    """

    def __init__(self, windows: Iterable[Window], encode: Callable[[Window], Sample]) -> None:
        self.windows = list(windows)
        self._encode = encode

    def __len__(self) -> int:
        return len(self.windows)

    def __getitem__(self, index: int) -> Sample:
        return self._encode(self.windows[index])

"""Event and spike streams of a segment, cut by time or by frame without reading the rest.

Frame interval (i, j) means (t_i, t_j]: what happened after frame i up to and with frame j.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from functools import cached_property
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter

from datagen.dataset.h5_file import H5File
from datagen.errors import InputError
from schemas.arrays import EventArray, SpikeArray
from schemas.sensor import SensorSpec

SENSOR: TypeAdapter[Any] = TypeAdapter(SensorSpec)
SLAB = 2**20
"""Events held at a time."""


class _Stream:
    def __init__(self, file: H5File, group: str, frame_t: NDArray[np.int64]) -> None:
        self._file = file
        self.group = group
        """HDF5 group."""
        self._frame_t = frame_t

    @cached_property
    def sensor(self) -> SensorSpec:
        """The sensor that made the stream."""
        spec: SensorSpec = SENSOR.validate_json(self._file.attribute(self.group, "sensor"))
        return spec

    @property
    def name(self) -> str:
        """Name of the sensor."""
        return self.sensor.name

    @property
    def key(self) -> int:
        """64-bit key of the sensor's randomness."""
        return int(self._file.attribute(self.group, "key"))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self._file.path)!r}, {self.group!r})"

    def _check_frames(self, i: int, j: int) -> None:
        last = len(self._frame_t) - 1
        if not (are_whole(i, j) and 0 <= i <= j <= last):
            raise InputError(
                f"{self._file.path}: frames {i} to {j}; expected 0 <= start <= stop <= {last}. "
                "A window never reaches beyond its segment."
            )

    def _check_times(self, t0_us: int, t1_us: int, latest: int) -> None:
        if not (are_whole(t0_us, t1_us) and 0 <= t0_us <= t1_us <= latest):
            raise InputError(
                f"{self._file.path}: {self.group} from {t0_us} to {t1_us} us; expected whole "
                f"microseconds, 0 <= start <= end <= {latest}. A slice never reaches beyond its segment."
            )


class EventStream(_Stream):
    """Events of one sensor over one segment."""

    def __len__(self) -> int:
        return self._file.length(f"{self.group}/t")

    def slice_by_time(self, t0_us: int, t1_us: int) -> EventArray:
        """Events with t0_us <= t < t1_us.

        Raises:
            InputError: the times are out of order or outside [0, last frame + 1 us].
            DatasetError: the file cannot be read.
        """
        self._check_times(t0_us, t1_us, int(self._frame_t[-1]) + 1)
        return self.slice_by_index(self.index_at(t0_us), self.index_at(t1_us))

    def slice_by_frame(self, i: int, j: int) -> EventArray:
        """Events with t_i < t <= t_j.

        Raises:
            InputError: not 0 <= i <= j < frames.
            DatasetError: the file cannot be read.
        """
        self._check_frames(i, j)
        return self.slice_by_index(int(self.frame_to_idx[i]), int(self.frame_to_idx[j]))

    def slice_by_index(self, start: int, stop: int) -> EventArray:
        """Events start .. stop - 1, with their noise labels where the sensor wrote them.

        Raises:
            DatasetError: the file cannot be read.
        """
        t, x, y, p = (self._column(name, start, stop) for name in ("t", "x", "y", "p"))
        noise = self._column("noise", start, stop) if self._labelled else None
        return EventArray(t=t, x=x, y=y, p=p, noise=noise)

    def slabs(self) -> Iterator[EventArray]:
        """All events in time order, at most `SLAB` at a time.

        Raises:
            DatasetError: the file cannot be read.
        """
        for start in range(0, len(self), SLAB):
            yield self.slice_by_index(start, min(start + SLAB, len(self)))

    @cached_property
    def _labelled(self) -> bool:
        return self._file.has(f"{self.group}/noise")

    @cached_property
    def frame_to_idx(self) -> NDArray[np.int64]:
        """Events with t <= time of frame k, shape (N,)."""
        return self._file.read(f"{self.group}/frame_to_idx").astype(np.int64)

    @cached_property
    def _ms_to_idx(self) -> NDArray[np.int64] | None:
        if self.group != "events":
            return None
        return self._file.read("ms_to_idx").astype(np.int64)

    def _column(self, name: str, start: int, stop: int) -> NDArray[Any]:
        return self._file.read(f"{self.group}/{name}", slice(start, stop))

    def index_at(self, t_us: int) -> int:
        """Index of the first event with t >= t_us; the number of events where there is none."""
        low, high = self._bracket(t_us)
        return low + int(np.searchsorted(self._column("t", low, high), t_us, side="left"))

    def _bracket(self, t_us: int) -> tuple[int, int]:
        """Indices between which the first event with t >= t_us lies, ends included."""
        table = self._ms_to_idx
        if table is not None and t_us // 1000 + 1 < len(table):
            return int(table[t_us // 1000]), int(table[t_us // 1000 + 1])
        after = int(np.searchsorted(self._frame_t, t_us, side="left"))
        low = int(self.frame_to_idx[after - 1]) if after > 0 else 0
        high = int(self.frame_to_idx[after]) if after < len(self._frame_t) else len(self)
        return low, high


class SpikeStream(_Stream):
    """Spikes of one sensor over one segment."""

    def __len__(self) -> int:
        return self._file.length(f"{self.group}/packed")

    @cached_property
    def rate_hz(self) -> float:
        """Polls per second; poll n ends (n + 1) / rate_hz seconds after the start."""
        return float(self._file.attribute(self.group, "rate_hz"))

    @cached_property
    def theta(self) -> float:
        """Charge of one spike."""
        return float(self._file.attribute(self.group, "theta"))

    @cached_property
    def alpha(self) -> float:
        """Spikes per poll at luminance 1."""
        return float(self._file.attribute(self.group, "alpha"))

    @cached_property
    def frame_to_poll(self) -> NDArray[np.int64]:
        """Polls that end at or before frame k, shape (N,)."""
        return self._file.read(f"{self.group}/frame_to_poll").astype(np.int64)

    def slice_by_time(self, t0_us: int, t1_us: int) -> SpikeArray:
        """Polls that end in (t0_us, t1_us].

        Raises:
            InputError: the times are out of order or outside [0, last frame].
            DatasetError: the file cannot be read.
        """
        self._check_times(t0_us, t1_us, int(self._frame_t[-1]))
        return self.slice_by_poll(self.polls_until(t0_us), self.polls_until(t1_us))

    def slice_by_frame(self, i: int, j: int) -> SpikeArray:
        """Polls that end in (t_i, t_j].

        Raises:
            InputError: not 0 <= i <= j < frames.
            DatasetError: the file cannot be read.
        """
        self._check_frames(i, j)
        return self.slice_by_poll(int(self.frame_to_poll[i]), int(self.frame_to_poll[j]))

    def polls_until(self, t_us: int) -> int:
        """Polls that end at or before a time, in exact arithmetic."""
        rate = Fraction(self.rate_hz)
        return int(t_us) * rate.numerator // (1_000_000 * rate.denominator)

    def slice_by_poll(self, start: int, stop: int) -> SpikeArray:
        """Polls start .. stop - 1.

        Raises:
            InputError: not 0 <= start <= stop <= polls.
            DatasetError: the file cannot be read.
        """
        if not 0 <= start <= stop <= len(self):
            raise InputError(
                f"{self._file.path}: polls {start} to {stop} of {self.group}; expected "
                f"0 <= start <= stop <= {len(self)}"
            )
        return SpikeArray(
            packed=self._file.read(f"{self.group}/packed", slice(start, stop)),
            height=int(self._file.attribute(self.group, "height")),
            width=int(self._file.attribute(self.group, "width")),
        )


def are_whole(*numbers: object) -> bool:
    """Whether all are whole numbers, Python's or numpy's."""
    return all(isinstance(number, Integral) for number in numbers)

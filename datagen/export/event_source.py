"""One event stream of a segment as an exporter reads it: in slabs, checked, on the clock asked for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from datagen.dataset import EventStream, Segment
from datagen.errors import DatasetError, InputError
from schemas.arrays import EventArray
from schemas.export import EventExportSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class EventSource:
    """Events of one sensor, to be read once."""

    title: str
    """What it is, for messages."""
    width: int
    height: int
    last_us: int
    """Time of the last event [us]; 0 without events."""
    slabs: Iterable[EventArray]
    """Parts in time order, a bounded number of events each, none empty."""

    def check_fits(self, form: str, *, columns: int, rows: int, end_us: int) -> None:
        """Refuse what a format cannot say, before anything is written.

        Args:
            form: name of the format.
            columns: widest sensor it can address [px].
            rows: highest sensor it can address [px].
            end_us: first time that it cannot say [us].

        Raises:
            InputError: the sensor is too large or the stream too long.
        """
        if self.width > columns or self.height > rows:
            raise InputError(
                f"{self.title}: a sensor of {self.width} x {self.height} px; {form} addresses at "
                f"most {columns} x {rows}. Choose another format (docs/export.md has the limits)."
            )
        if self.last_us >= end_us:
            raise InputError(
                f"{self.title}: the last event is at {self.last_us} us; {form} ends before "
                f"{end_us} us. Use the segment's clock, or another format."
            )


def event_source(segment: Segment, spec: EventExportSpec) -> EventSource:
    """The stream that `spec` names.

    Raises:
        InputError: the segment has no such event stream.
        DatasetError: the file cannot be read.
    """
    stream = segment.events(spec.sensor)
    offset = segment.t_offset if spec.clock == "job" else 0
    count = len(stream)
    last = int(stream.slice_by_index(count - 1, count).t[0]) + offset if count else 0
    camera = segment.intrinsics
    title = f"{segment.path}: {stream.group}"
    return EventSource(
        title=title, width=camera.width, height=camera.height, last_us=last,
        slabs=_slabs(stream, title, offset, camera.width, camera.height),
    )  # fmt: skip


def _slabs(
    stream: EventStream, title: str, offset: int, width: int, height: int
) -> Iterator[EventArray]:
    previous = 0
    for events in stream.slabs():
        _check(events, title, previous, width, height)
        previous = int(events.t[-1])
        yield EventArray(t=events.t + offset, x=events.x, y=events.y, p=events.p)


def _check(events: EventArray, title: str, previous: int, width: int, height: int) -> None:
    if events.x.max() >= width or events.y.max() >= height or events.p.max() > 1:
        raise DatasetError(
            f"{title}: holds an event at x {events.x.max()}, y {events.y.max()} or polarity "
            f"{events.p.max()}; expected x < {width}, y < {height} and polarity 0 or 1. The file "
            "is damaged: run `datagen validate`."
        )
    if events.t[0] < previous or np.any(events.t[1:] < events.t[:-1]):
        raise DatasetError(
            f"{title}: time goes back; expected stamps that never decrease, from 0 on. The file is "
            "damaged: run `datagen validate`."
        )

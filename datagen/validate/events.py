"""Event streams as columns: sorted, inside sensor and segment, indexed, and never too fast."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from datagen.dataset import EventStream, Segment
from datagen.validate.report import Check, at_most, no_faults, not_applicable
from schemas.arrays import EventArray
from schemas.sensor import EventCameraSpec, SensorSpec

NEVER_US = -(2**62)


def check_events(segment: Segment, stream: EventStream) -> Iterator[Check]:
    """Go once through a stream."""
    seen = _Pass(segment, stream)
    for events in stream.slabs():
        seen.block(events)
    name, group = segment.name, stream.group
    yield at_most(f"{group}/order", name, seen.disorder, 0, "events earlier than the one before")
    yield at_most(f"{group}/range", name, seen.outside, 0,
                  "events outside the sensor, the segment or polarity 0, 1")  # fmt: skip
    yield no_faults(f"{group}/index", name, seen.index_faults(),
                    f"{len(stream):,} events are found by frame and by millisecond")  # fmt: skip
    if moves_stamps(stream.sensor):
        yield not_applicable(f"{group}/dead_time", name, "the readout moves stamps")
    else:
        yield at_most(f"{group}/dead_time", name, seen.too_soon, 0,
                      f"events within {seen.dead_time_us} us of their pixel's last one")  # fmt: skip


def moves_stamps(sensor: SensorSpec) -> bool:
    """Whether the readout delays some events of a pixel more than others."""
    return isinstance(sensor, EventCameraSpec) and bool(
        sensor.latency_jitter_us or sensor.arbiter != "none"
    )


class _Pass:
    """What one pass over the blocks adds up."""

    def __init__(self, segment: Segment, stream: EventStream) -> None:
        self._segment, self._stream = segment, stream
        self._camera = segment.intrinsics
        self._last_t = NEVER_US
        self._pixel_t = np.full(self._camera.width * self._camera.height, NEVER_US, np.int64)
        frames = segment.times
        milliseconds = np.arange(0, frames[-1] + 2000, 1000, dtype=np.int64)
        self._stops = np.concatenate([frames, milliseconds - 1])
        self._found = np.zeros(len(self._stops), np.int64)
        self.dead_time_us = _dead_time_us(segment, stream)
        self.disorder = self.outside = self.too_soon = 0

    def block(self, events: EventArray) -> None:
        """Count the faults of a block and between it and the one before."""
        self.disorder += int(np.count_nonzero(np.diff(events.t, prepend=self._last_t) < 0))
        self._last_t = int(events.t[-1])
        inside = (
            (events.x < self._camera.width) & (events.y < self._camera.height) & (events.p <= 1)
            & (events.t > 0) & (events.t <= self._segment.times[-1])
        )  # fmt: skip
        self.outside += int(np.count_nonzero(~inside))
        self._found += np.searchsorted(np.sort(events.t), self._stops, side="right")
        self._see_dead_time(events, inside)

    def _see_dead_time(self, events: EventArray, inside: NDArray[np.bool_]) -> None:
        pixel = (events.y.astype(np.int64) * self._camera.width + events.x)[inside]
        order = np.argsort(pixel, kind="stable")
        pixel, t = pixel[order], events.t[inside][order]
        first = np.diff(pixel, prepend=-1) != 0
        before = np.where(first, self._pixel_t[pixel], np.roll(t, 1))
        self.too_soon += int(np.count_nonzero(t - before < self.dead_time_us))
        self._pixel_t[pixel] = t  # the last one of each pixel stays

    def index_faults(self) -> list[str]:
        """Entries of the two indices that do not point where they should."""
        frames = self._segment.frame_count
        group = self._stream.group
        tables = [(f"{group}/frame_to_idx", self._found[:frames])]
        if group == "events":
            tables.append(("ms_to_idx", self._found[frames:]))
        faults = []
        for column, wanted in tables:
            seen = self._segment.read(column)
            if len(seen) != len(wanted):
                faults.append(f"{column} has {len(seen)} entries; expected {len(wanted)}")
            elif wrong := np.count_nonzero(seen.astype(np.int64) != wanted):
                faults.append(f"{wrong} entries of {column} point to the wrong event")
        return faults


def _dead_time_us(segment: Segment, stream: EventStream) -> int:
    """Least time between two events of a pixel: a frame difference has one per frame."""
    if isinstance(stream.sensor, EventCameraSpec):
        return stream.sensor.refractory_period_us
    return int(np.diff(segment.times).min())

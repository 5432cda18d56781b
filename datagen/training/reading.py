"""What a network needs of a window, read from the file of its segment: streams, flow, pictures.

A window can be read as if its film ran backwards. A cache keeps what was read last.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from datagen.dataset import Window
from datagen.training.config import TrainConfig
from datagen.training.encoding import EventWindow, looks_back
from datagen.training.event_changes import reverse_polls, reverse_time
from datagen.training.objective import PhotometricSpec
from schemas.arrays import EventArray

CacheKey = tuple[Path, str, int, int, bool, str | None]
"""Segment, frames, direction and event stream."""


@dataclass(frozen=True, slots=True)
class WindowData:
    """What a file holds of a window."""

    window: EventWindow
    flow: NDArray[np.float32]
    """Shape (H, W, 2) [px]."""
    valid: NDArray[np.bool_]
    """Shape (H, W)."""
    pictures: NDArray[np.float32] | None = None
    """Grey, at start and end, shape (2, H, W)."""

    @property
    def nbytes(self) -> int:
        """Memory held."""
        parts = (self.window, self.window.before)
        events = sum(len(part.events) for part in parts if part is not None)
        spikes = sum(
            p.spikes.packed.nbytes for p in parts if p is not None and p.spikes is not None
        )
        pictures = 0 if self.pictures is None else self.pictures.nbytes
        return 13 * events + spikes + self.flow.nbytes + self.valid.nbytes + pictures


@dataclass(frozen=True, slots=True)
class Reading:
    """What to read of a window besides its flow."""

    sensor: str | None
    """Event stream; the first one if None."""
    look_back: bool
    """Whether to read the events of the window before."""
    pictures: bool = False
    """Whether to read the pictures at its ends."""
    spikes: str | None = None
    """Spike stream to read too."""

    @classmethod
    def of(cls, config: TrainConfig) -> Reading:
        """What a run's network and loss need."""
        return cls(
            sensor=config.window.sensor,
            look_back=looks_back(config.model),
            pictures=isinstance(config.objective, PhotometricSpec),
            spikes=config.window.spikes,
        )


def read_window(window: Window, what: Reading, *, reverse: bool = False) -> WindowData:
    """A window's events and exact flow, or those of the same film run backwards."""
    first, last = window.start, window.stop
    mirror = (window.start_us, window.stop_us) if reverse else None
    before = None
    if what.look_back:
        other = (last, 2 * last - first) if reverse else (2 * first - last, first)
        before = _read_streams(Window(window.segment, *other), what, mirror, None)
    flow, valid = window.backward_flow() if reverse else window.flow()
    pictures = None
    if what.pictures:
        pictures = _grey(window)[::-1] if reverse else _grey(window)
    return WindowData(_read_streams(window, what, mirror, before), flow, valid, pictures)


def _grey(window: Window) -> NDArray[np.float32]:
    """Both pictures, sRGB-encoded, in [0, 1], shape (2, H, W)."""
    return np.stack(window.pictures()).mean(axis=-1, dtype=np.float32) / np.float32(255)


def _read_streams(
    window: Window, what: Reading, mirror: tuple[int, int] | None, before: EventWindow | None
) -> EventWindow:
    """Streams of a window; reversed in time about the middle of `mirror` [us], if there is one."""
    events, start, stop = _read_events(window, what), window.start_us, window.stop_us
    spikes = None if what.spikes is None else window.spikes(what.spikes)
    if mirror is not None:
        events = reverse_time(events, *mirror)
        spikes = None if spikes is None else reverse_polls(spikes)
        start, stop = sum(mirror) - stop, sum(mirror) - start
    camera = window.segment.intrinsics
    return EventWindow(
        events=events, spikes=spikes, start_us=start, stop_us=stop,
        height=camera.height, width=camera.width, before=before,
    )  # fmt: skip


def _read_events(window: Window, what: Reading) -> EventArray:
    """Events of a window; none where a network that sees spikes has no event camera beside it."""
    if what.spikes is not None and what.sensor is None and not window.segment.event_streams:
        return EventArray.empty()
    return window.events(what.sensor)


class WindowCache:
    """Reads windows and keeps the most recently used ones, up to a number of bytes."""

    def __init__(self, what: Reading, limit: float) -> None:
        self.what = what
        self.limit = limit
        self.used = 0
        """Bytes held."""
        self._held: OrderedDict[CacheKey, WindowData] = OrderedDict()

    def __getstate__(self) -> dict[str, Any]:
        return {"what": self.what, "limit": self.limit}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(**state)  # type: ignore[misc]

    def read(
        self, window: Window, *, reverse: bool = False, sensor: str | None = None
    ) -> WindowData:
        """As `read_window`; `sensor` is another event stream than the usual one."""
        what = self.what if sensor is None else replace(self.what, sensor=sensor)
        segment = window.segment
        key = (segment.path, segment.name, window.start, window.stop, reverse, what.sensor)
        if key in self._held:
            self._held.move_to_end(key)
            return self._held[key]
        data = read_window(window, what, reverse=reverse)
        self._held[key] = data
        self.used += data.nbytes
        while self.used > self.limit:
            self.used -= self._held.popitem(last=False)[1].nbytes
        return data

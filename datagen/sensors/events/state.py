"""What an event camera knows between two pictures, and what a model of its pixels promises."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from datagen.sensors.events.records import Records
from datagen.sensors.light import Pictures
from datagen.sensors.workers import Workers

NEVER_US = -(2**62)


@dataclass(frozen=True, slots=True, kw_only=True)
class EventCameraState:
    """A value that can be saved; parts that the camera does without are empty."""

    t: NDArray[np.int64]
    """Time of the last picture [us], shape ()."""
    picture: Pictures
    """The last picture, shape (H, W)."""
    reference: NDArray[np.floating]
    """What each pixel compares with, shape (H, W). Clean pixels: log light at the last crossing,
    float64. Noisy pixels: voltage at the last event above that of middle grey, without leakage since
    `leak_start`, float32."""
    lag: NDArray[np.float32]
    """Noisy pixels: input minus output of each low-pass stage, shape (stages, H, W)."""
    leak: NDArray[np.float32]
    """Noisy pixels: leakage [log units/us], shape (H, W)."""
    leak_start: NDArray[np.int64]
    """Noisy pixels: common start of leakage [us], shape ()."""
    event_count: NDArray[np.uint32]
    """Noisy pixels with leak jitter: how many events each pixel has sent, shape (H, W)."""
    last_event: NDArray[np.int64]
    """Time of each pixel's last event [us], where a refractory period or labels ask for it; (H, W)."""
    waiting: NDArray[np.int64]
    """Readout: events that have not left yet (arrival [us], x, y, polarity, noise), shape (N, 5)."""
    bus_free: NDArray[np.float64]
    """Readout: when the bus is free again [us], shape ()."""
    last_arrival: NDArray[np.int64]
    """Readout: when each pixel's last event reached the arbiter [us], shape (H, W)."""


def new_state(t: int, picture: Pictures) -> EventCameraState:
    """A state without any pixel model's part."""
    nothing = (0, 0)
    return EventCameraState(
        t=np.array(t, np.int64),
        picture=picture,
        reference=np.empty(nothing),
        lag=np.empty((0, 0, 0), np.float32),
        leak=np.empty(nothing, np.float32),
        leak_start=np.array(t, np.int64),
        event_count=np.empty(nothing, np.uint32),
        last_event=np.empty(nothing, np.int64),
        waiting=np.empty((0, 5), np.int64),
        bus_free=np.array(t, np.float64),
        last_arrival=np.empty(nothing, np.int64),
    )


class PixelModel(Protocol):
    """Pixels of one kind."""

    def start(self, t: int, picture: Pictures) -> EventCameraState:
        """The state at the first picture (H, W)."""
        ...

    def sense(
        self, state: EventCameraState, t: NDArray[np.int64], pictures: Pictures, workers: Workers
    ) -> tuple[EventCameraState, list[Records]]:
        """Advance to the last of `pictures` (N, H, W) at times `t` (N,).

        Args:
            state: read only.
            t: [us].
            pictures: of the type of the state's picture.
            workers: take runs of tiles, which are independent.
        """
        ...

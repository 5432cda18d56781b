"""Event camera: luminance pictures -> events with interpolated microsecond stamps.

What a pixel does is written in `datagen.sensors.event_reference`. A stamp is the crossing time
rounded up, so an interval's events lie in (t0, t1] and intervals never interleave. Events are
ordered by time, then row, then column; events of one pixel and microsecond keep their order of
crossing. Thresholds differ from pixel to pixel by a normal deviate, drawn once from the key.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from datagen.sensors.event_kernel import emit_interval, set_guards
from datagen.sensors.hashing import normal_field, stream_key
from datagen.sensors.light import first_luminance, log_picture, next_luminance
from datagen.sensors.ordering import stable_order
from schemas.arrays import EventArray, LightBatch
from schemas.sensor import EventCameraSpec

SMALLEST_THRESHOLD = 0.01
"""Mismatch never brings a threshold below this [log units]."""
NEVER_US = -(2**62)
EVENTS_PER_PIXEL = 2
"""First size of the emission buffers; they grow when an interval has more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventCameraState:
    """What an event camera knows between two pictures."""

    t: NDArray[np.int64]
    """Time of the last picture [us], shape ()."""
    luminance: NDArray[np.float32]
    """The last picture, shape (H, W)."""
    reference: NDArray[np.float64]
    """Log light at each pixel's last crossing, shape (H, W)."""
    last_event: NDArray[np.int64]
    """Time of each pixel's last event [us], shape (H, W); (0, 0) without a refractory period."""


class EventCamera:
    """A deterministic function of (spec, size, key, light)."""

    state_type = EventCameraState

    def __init__(self, spec: EventCameraSpec, *, width: int, height: int, key: int) -> None:
        self._spec = spec
        self._shape = (height, width)
        self._on = self._thresholds(spec.threshold_on, stream_key(key, 0))
        self._off = self._thresholds(spec.threshold_off, stream_key(key, 1))

    def _thresholds(self, nominal: float, key: np.uint64) -> NDArray[np.float64]:
        mismatch = self._spec.threshold_sigma * normal_field(key, self._shape)
        return np.maximum(nominal + mismatch, SMALLEST_THRESHOLD)

    @property
    def thresholds(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """ON and OFF threshold of every pixel [log units], each (H, W)."""
        return self._on.copy(), self._off.copy()

    def init(self, first: LightBatch) -> EventCameraState:
        """The state at the first picture: no pixel owes an event.

        Raises:
            InputError: not exactly one picture, another size, or light that is negative or not
                finite.
        """
        luminance = first_luminance(first, height=self._shape[0], width=self._shape[1])
        shape = self._shape if self._spec.refractory_period_us else (0, 0)
        return EventCameraState(
            t=np.array(first.t[0]),
            luminance=luminance,
            reference=log_picture(luminance, self._spec.log_eps),
            last_event=np.full(shape, NEVER_US, np.int64),
        )

    def step(
        self, state: EventCameraState, light: LightBatch
    ) -> tuple[EventCameraState, EventArray]:
        """Events in (time of the state, time of the last picture].

        Raises:
            InputError: times that stand still or go back, another size, or light that is negative
                or not finite.
        """
        if len(light.t) == 0:
            return state, EventArray.empty()
        pictures = next_luminance(
            light, after_us=int(state.t), height=self._shape[0], width=self._shape[1]
        )
        pixels = _Pixels(self._spec, state, self._on, self._off)
        before, t0 = state.luminance, int(state.t)
        parts = []
        for after, t1 in zip(pictures, light.t.tolist(), strict=True):
            parts.append(pixels.interval(before, after, t0, t1))
            before, t0 = after, t1
        new = EventCameraState(
            t=np.array(t0, np.int64),
            luminance=pictures[-1].copy(),
            reference=pixels.reference.reshape(self._shape),
            last_event=pixels.last_event.reshape(state.last_event.shape),
        )
        return new, EventArray.concatenate(parts)


class _Pixels:
    """The working copy of a state during one step, flat."""

    def __init__(
        self,
        spec: EventCameraSpec,
        state: EventCameraState,
        on: NDArray[np.float64],
        off: NDArray[np.float64],
    ) -> None:
        self._spec = spec
        self._width = state.reference.shape[1]
        self.reference = state.reference.ravel().copy()
        self.last_event = state.last_event.ravel().copy()
        self._on, self._off = on.ravel(), off.ravel()
        self._low, self._high = (np.empty(self.reference.size, np.float32) for _ in range(2))
        set_guards(self.reference, self._on, self._off, self._low, self._high, spec.log_eps)
        self._room(EVENTS_PER_PIXEL * self.reference.size)

    def _room(self, events: int) -> None:
        self._offset, self._code = np.empty(events, np.int32), np.empty(events, np.int64)

    def interval(
        self, before: NDArray[np.float32], after: NDArray[np.float32], t0: int, t1: int
    ) -> EventArray:
        """Events in (t0, t1], in order."""
        pixel = count = 0
        while True:
            pixel, count = emit_interval(
                pixel, before.ravel(), after.ravel(), t1 - t0, t0, self.reference, self.last_event,
                self._on, self._off, self._low, self._high, self._spec.log_eps,
                self._spec.refractory_period_us, self._offset, self._code, count,
            )  # fmt: skip
            if pixel == after.size:
                return self._ordered(count, t0, t1)
            self._grow(count)

    def _grow(self, count: int) -> None:
        offset, code = self._offset[:count], self._code[:count]
        self._room(2 * self._offset.size)
        self._offset[:count], self._code[:count] = offset, code

    def _ordered(self, count: int, t0: int, t1: int) -> EventArray:
        offset, code = stable_order(self._offset[:count], self._code[:count], largest=t1 - t0)
        pixel = code >> 1
        return EventArray(
            t=offset + np.int64(t0),
            x=(pixel % self._width).astype(np.uint16),
            y=(pixel // self._width).astype(np.uint16),
            p=(code & 1).astype(np.uint8),
        )

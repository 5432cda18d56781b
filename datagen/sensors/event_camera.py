"""Event camera: luminance pictures -> events with interpolated microsecond stamps.

What a pixel does is written in `datagen.sensors.events.reference`; docs/physics/event_camera.md
has it with sources and measured curves. A stamp is the crossing time rounded up, so an interval's
events lie in (t0, t1] and intervals never interleave. Events are ordered by time, then row, then
column; events of one pixel and microsecond keep their order of crossing. Whatever differs from
pixel to pixel is drawn once from the key.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from datagen.errors import InputError
from datagen.sensors.events.brownian_pixels import BrownianPixels
from datagen.sensors.events.clean_pixels import CleanPixels
from datagen.sensors.events.noisy_pixels import NoisyModel
from datagen.sensors.events.order import ColumnMemory, to_events
from datagen.sensors.events.readout import Readout
from datagen.sensors.events.state import NEVER_US, EventCameraState, PixelModel
from datagen.sensors.hashing import normal_field, stream_key
from datagen.sensors.light import Pictures, check_single, check_times, check_values, luminance, rggb
from datagen.sensors.workers import Workers
from schemas.arrays import EventArray, LightBatch
from schemas.sensor import EventCameraSpec

READOUT = 7
"""Stream of randomness; the pixels have 0 to 6 and 8."""
LARGEST_SIDE = 65_535
SMALLEST_THRESHOLD = 0.01
"""Mismatch never brings a threshold below this [log units]."""


class EventCamera:
    """A deterministic function of (spec, size, key, light)."""

    state_type = EventCameraState

    def __init__(
        self, spec: EventCameraSpec, *, width: int, height: int, key: int, threads: int = 1
    ) -> None:
        if not 1 <= min(width, height) <= max(width, height) <= LARGEST_SIDE:
            raise InputError(
                f"an event camera of {width} x {height} px; expected 1 to {LARGEST_SIDE} px a side, "
                "what 16-bit addresses tell apart"
            )
        self._spec = spec
        self._size = {"height": height, "width": width}
        self._on = self._thresholds(spec.threshold_on, stream_key(key, 0))
        self._off = self._thresholds(spec.threshold_off, stream_key(key, 1))
        self._pixels = self._model(key)
        self._readout = self._wire(key)
        self._workers = Workers(threads)
        self._memory = ColumnMemory()

    def _thresholds(self, nominal: float, key: np.uint64) -> NDArray[np.float64]:
        shape = (self._size["height"], self._size["width"])
        if self._spec.threshold_sigma == 0.0:
            return np.broadcast_to(np.float64(max(nominal, SMALLEST_THRESHOLD)), shape)
        threshold = normal_field(key, shape)
        threshold *= self._spec.threshold_sigma
        threshold += nominal
        return np.maximum(threshold, SMALLEST_THRESHOLD, out=threshold)

    def _model(self, key: int) -> PixelModel:
        spec = self._spec
        if spec.brownian_parameters is not None:
            return BrownianPixels(spec.brownian_parameters, self._on.shape, key)
        leaks = spec.leak_rate_hz > 0 or spec.hot_pixel_fraction > 0
        if spec.cutoff_hz > 0 or spec.shot_noise_rate_hz > 0 or leaks:
            return NoisyModel(spec, self._on, self._off, key)
        return CleanPixels(spec, self._on, self._off)

    def _wire(self, key: int) -> Readout | None:
        spec = self._spec
        if spec.arbiter == "none" and not (spec.latency_us or spec.latency_jitter_us):
            return None
        return Readout(spec, key=stream_key(key, READOUT), labelled=spec.labels)

    def _seen(self, light: LightBatch) -> NDArray[np.float32]:
        return luminance(light) if self._spec.bayer is None else rggb(light)

    @property
    def thresholds(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """ON and OFF threshold of every pixel [log units], each (H, W)."""
        return self._on.copy(), self._off.copy()

    def init(self, first: LightBatch) -> EventCameraState:
        """The state at the first picture.

        Raises:
            InputError: not exactly one picture, another size, or light that is negative or not
                finite.
        """
        return self.init_pictures(first.t, self._seen(first))

    def step(
        self, state: EventCameraState, light: LightBatch
    ) -> tuple[EventCameraState, EventArray]:
        """Events in (time of the state, time of the last picture].

        Raises:
            InputError: times that stand still or go back, another size, or light that is negative
                or not finite.
        """
        return self.step_pictures(state, light.t, self._seen(light))

    def init_pictures(self, t: NDArray[np.int64], pictures: Pictures) -> EventCameraState:
        """`init` from luminance (1, H, W), float32 with white = 1 or uint8 with white = 255."""
        check_single(t)
        check_values(pictures, t, **self._size)
        state = self._pixels.start(int(t[0]), pictures[0].copy())
        if self._readout is None:
            return state
        never = np.full(pictures.shape[1:], NEVER_US, np.int64)
        return dataclasses.replace(state, last_arrival=never)

    def step_pictures(
        self, state: EventCameraState, t: NDArray[np.int64], pictures: Pictures
    ) -> tuple[EventCameraState, EventArray]:
        """`step` from luminance (N, H, W) at times `t` [us] (N,), of the type given to `init`."""
        if len(t) == 0:
            return state, EventArray.empty()
        check_times(t, int(state.t))
        check_values(pictures, t, **self._size)
        if pictures.dtype != state.picture.dtype:
            raise InputError(
                f"pictures are {pictures.dtype}, those before were {state.picture.dtype}; expected "
                "one type in a stream"
            )
        new, records = self._pixels.sense(state, t, pictures, self._workers)
        times = np.concatenate([[state.t], t])
        events = to_events(
            records, times, labelled=self._spec.labels, memory=self._memory, workers=self._workers
        )
        return (new, events) if self._readout is None else _sent(self._readout, new, events)


def _sent(
    readout: Readout, state: EventCameraState, events: EventArray
) -> tuple[EventCameraState, EventArray]:
    out, waiting, bus_free, last_arrival = readout.send(
        events,
        int(state.t),
        waiting=state.waiting,
        bus_free=float(state.bus_free),
        last_arrival=state.last_arrival,
    )
    new = dataclasses.replace(
        state, waiting=waiting, bus_free=np.array(bus_free), last_arrival=last_arrival
    )
    return new, out

"""Noisy pixels: low-pass, leakage, hot pixels, shot noise; exact in time, states in float32."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
from numpy.typing import NDArray

from datagen.sensors.elementary import exponentials
from datagen.sensors.events.noisy_filter import NoisyPixels
from datagen.sensors.events.noisy_kernel import Intervals, Noise, new_workspace, noisy_tiles
from datagen.sensors.events.records import RecordBuffers, Records
from datagen.sensors.events.response import WHITE, log_picture_f32, response_of, single
from datagen.sensors.events.shot_noise import shot_noise
from datagen.sensors.events.state import NEVER_US, EventCameraState, new_state
from datagen.sensors.events.tiles import TILE, tiles_of
from datagen.sensors.hashing import normal_field, stream_key, uniform_field
from datagen.sensors.light import Pictures
from datagen.sensors.workers import Workers
from schemas.sensor import EventCameraSpec

LEAK_SPREAD, LEAK_PHASE, HOT_PIXELS, SHOT_NOISE, LEAK_JITTER = range(2, 7)
"""Streams of randomness; the thresholds have 0 and 1."""
LEAK_RESTART_BITS = 20
"""The leak's common start is renewed about every 2^20 us."""
US = 1e-6


class NoisyModel:
    """Pixels with filter and noise (`datagen.sensors.events.noisy_kernel`)."""

    def __init__(
        self, spec: EventCameraSpec, on: NDArray[np.float64], off: NDArray[np.float64], key: int
    ) -> None:
        self._spec = spec
        self._shape = on.shape
        self._on, self._off = on.astype(np.float32), off.astype(np.float32)
        self._key = key
        self._leak = self._mean_leak(on)
        self._noise = self._settings()
        self._responses = {
            kind: single(response_of(spec, white=white), white=white)
            for kind, white in WHITE.items()
        }
        self._buffers = RecordBuffers()

    def _mean_leak(self, on: NDArray[np.float64]) -> NDArray[np.float32]:
        """Leakage of every pixel [log units/us]."""
        spec = self._spec
        rate = np.full(self._shape, spec.leak_rate_hz)
        if spec.noise_rate_cov_decades > 0:
            power = normal_field(stream_key(self._key, LEAK_SPREAD), self._shape)
            power *= math.log(10.0) * spec.noise_rate_cov_decades
            rate *= exponentials(power.ravel()).reshape(self._shape)
        if spec.hot_pixel_fraction > 0:
            hot = uniform_field(stream_key(self._key, HOT_PIXELS), self._shape)
            rate[hot < spec.hot_pixel_fraction] = spec.hot_pixel_rate_hz
        rate *= on
        rate *= US
        return rate.astype(np.float32)

    def _settings(self) -> Noise:
        spec = self._spec
        return Noise(
            order=spec.filter_order if spec.cutoff_hz else 1,
            shots=shot_noise(
                spec.shot_noise_rate_hz,
                stream_key(self._key, SHOT_NOISE),
                spec.threshold_on,
                spec.threshold_off,
            ),
            leak_key=stream_key(self._key, LEAK_JITTER),
            leak_jitter=spec.leak_jitter_fraction,
            refractory_us=spec.refractory_period_us,
            tracked=bool(spec.refractory_period_us or spec.labels),
        )

    def start(self, t: int, picture: Pictures) -> EventCameraState:
        """The filter has settled; a leaking pixel is anywhere on its way to its next event."""
        phase = uniform_field(stream_key(self._key, LEAK_PHASE), self._shape)
        moved = (phase * self._on).astype(np.float32)
        moved[self._leak == 0.0] = 0.0
        level = log_picture_f32(picture.ravel(), self._responses[picture.dtype])
        counted = self._shape if self._spec.leak_jitter_fraction else (0, 0)
        return dataclasses.replace(
            new_state(t, picture),
            reference=level.reshape(self._shape) - moved,
            lag=np.zeros((self._noise.order, *self._shape), np.float32),
            leak=self._leak.copy(),
            last_event=self._last_event(t, moved)
            if self._noise.tracked
            else np.empty((0, 0), np.int64),
            event_count=np.zeros(counted, np.uint32),
        )

    def _last_event(self, t: int, moved: NDArray[np.float32]) -> NDArray[np.int64]:
        """When leakage alone would have begun to move every pixel this far [us]."""
        waited = np.full(self._shape, float(-NEVER_US))
        np.divide(moved, self._leak, out=waited, where=self._leak > 0)
        return t - np.minimum(waited, -NEVER_US).astype(np.int64)

    def sense(
        self, state: EventCameraState, t: NDArray[np.int64], pictures: Pictures, workers: Workers
    ) -> tuple[EventCameraState, list[Records]]:
        """See `PixelModel`."""
        unit = np.float32(1.0 / WHITE[pictures.dtype])
        response = self._responses[pictures.dtype]
        pixels = self._pixels(state)
        advanced = self._to_advance(pixels)
        flat = np.ascontiguousarray(pictures).reshape(len(pictures), -1)
        times = np.concatenate([[state.t], t])
        intervals, leak_start = self._intervals(times, int(state.leak_start), float(unit))

        def sense_run(run: tuple[int, int]) -> Records:
            many = (run[1] - run[0]) * TILE * len(t)
            records, bounds = noisy_tiles(
                *run, state.picture.ravel(), flat, unit, intervals, pixels, advanced,
                self._shape[1], self._noise, response,
                workers.own(new_workspace), self._buffers.lend(run, many),
            )  # fmt: skip
            return self._buffers.keep(run, records, bounds)

        records = workers.map(sense_run, workers.runs(tiles_of(flat.shape[1])))
        new = dataclasses.replace(
            state,
            t=times[-1:].reshape(()).copy(),
            picture=pictures[-1].copy(),
            reference=advanced.reference.reshape(self._shape),
            lag=advanced.lag.reshape(state.lag.shape),
            leak=advanced.leak.reshape(self._shape),
            leak_start=np.array(leak_start, np.int64),
            last_event=advanced.last_event.reshape(state.last_event.shape),
            event_count=advanced.event_count.reshape(state.event_count.shape),
        )
        return new, records

    def _pixels(self, state: EventCameraState) -> NoisyPixels:
        """The pixels in a state, without copies."""
        return NoisyPixels(
            reference=state.reference.ravel(),
            lag=state.lag.reshape(len(state.lag), -1),
            leak=state.leak.ravel(),
            last_event=state.last_event.ravel(),
            event_count=state.event_count.ravel(),
            mean_leak=self._leak.ravel(),
            on=self._on.ravel(),
            off=self._off.ravel(),
        )

    def _to_advance(self, pixels: NoisyPixels) -> NoisyPixels:
        """Room for the same pixels later; what is never touched is shared."""
        return pixels._replace(
            reference=np.empty_like(pixels.reference),
            lag=np.empty_like(pixels.lag),
            leak=np.empty_like(pixels.leak),
            last_event=pixels.last_event.copy() if self._noise.tracked else pixels.last_event,
            event_count=pixels.event_count.copy(),
        )

    def _intervals(
        self, t: NDArray[np.int64], leak_start: int, unit: float
    ) -> tuple[Intervals, int]:
        """What the intervals share, and the leak's common start after the last.

        `unit` is the luminance of one unit of the pictures.
        """
        ramp = np.empty((len(t) - 1, 2), np.float32)
        settle = np.empty(len(t) - 1, np.bool_)
        for k, (start, stop) in enumerate(zip(t[:-1].tolist(), t[1:].tolist(), strict=True)):
            ramp[k] = start - leak_start, stop - leak_start
            settle[k] = leak_start >> LEAK_RESTART_BITS != stop >> LEAK_RESTART_BITS
            leak_start = stop if settle[k] else leak_start
        rate = self._rates(np.diff(t), unit)
        return Intervals(t=t, rate=rate, ramp=ramp, settle=settle), leak_start

    def _rates(self, duration_us: NDArray[np.int64], unit: float) -> NDArray[np.float32]:
        """X as a linear function of light: 2 pi corner (255 luminance + 20) / 275 times the time."""
        spec = self._spec
        if spec.cutoff_hz == 0.0:
            return np.tile(np.array([np.inf, 0.0], np.float32), (len(duration_us), 1))
        share = (20 / 275, 0.5 * 255 / 275 * unit) if spec.cutoff_follows_light else (1.0, 0.0)
        at_white = 2.0 * math.pi * spec.cutoff_hz * US * duration_us
        return np.outer(at_white, share).astype(np.float32)

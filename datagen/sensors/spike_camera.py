"""Spike camera: luminance pictures -> one bit per pixel and poll, packed.

What a pixel does is written in `datagen.sensors.spikes.reference`; docs/physics/spike_camera.md
has it with sources and measured curves. Polls are tens of thousands per second, pictures are not:
light between two pictures is integrated exactly where it is needed, and the charge of an unfinished
poll is kept. Poll n ends (n + 1) / rate seconds after the first picture.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from datagen.sensors.hashing import normal_field, stream_key, uniform_field
from datagen.sensors.light import first_luminance, next_luminance
from datagen.sensors.spikes.clean_kernel import BLOCK, clean_blocks
from datagen.sensors.spikes.noisy_kernel import SpikeNoise, noisy_blocks
from datagen.sensors.spikes.poll_clock import Pieces, PollClock
from datagen.sensors.workers import Workers
from schemas.arrays import LightBatch, SpikeArray
from schemas.sensor import SpikeCameraSpec

START, GAIN, DARK, THRESHOLD, NOISE = range(5)
"""Streams of randomness."""
SMALLEST_THRESHOLD = 0.1
"""Mismatch never brings a threshold below this part of the nominal one."""
US = 1e6


@dataclass(frozen=True, slots=True, kw_only=True)
class SpikeCameraState:
    """What a spike camera knows between two pictures."""

    start: NDArray[np.int64]
    """Time of the first picture [us], shape ()."""
    t: NDArray[np.int64]
    """Time of the last picture [us], shape ()."""
    luminance: NDArray[np.float32]
    """The last picture, shape (H, W)."""
    charge: NDArray[np.float64]
    """Charge of every pixel, shape (H, W): unfinished poll included, in units of the spec's
    threshold, without noise; else without it and in units of the nominal threshold."""
    gathered: NDArray[np.float64]
    """With noise: charge of the unfinished poll, shape (H, W); else (0, 0)."""
    fired: NDArray[np.uint8]
    """With noise: spikes of the last poll, shape (H, W); else (0, 0)."""
    saturated: NDArray[np.int64]
    """How many times so far a pixel was brighter than one threshold per poll, shape ()."""


class SpikeCamera:
    """A deterministic function of (spec, size, key, light)."""

    state_type = SpikeCameraState

    def __init__(
        self, spec: SpikeCameraSpec, *, width: int, height: int, key: int, threads: int = 1
    ) -> None:
        self._spec = spec
        self._height, self._width = height, width
        self._key = key
        self._clock = PollClock(spec.rate_hz)
        self._workers = Workers(threads)
        self._noise = self._draw_maps() if spec.noisy else None

    def _draw_maps(self) -> SpikeNoise:
        spec = self._spec
        gain = 1.0 + spec.gain_sigma * self._normal(GAIN)
        threshold = 1.0 + spec.threshold_sigma * self._normal(THRESHOLD)
        dark = spec.dark_current + spec.dark_current_sigma * self._normal(DARK)
        return SpikeNoise(
            key=stream_key(self._key, NOISE),
            electrons=spec.electrons_per_spike,
            reset_sigma=spec.reset_noise_sigma,
            dead=spec.dead_time_us * spec.rate_hz / US,
            to_zero=spec.reset == "zero",
            ceiling=math.inf if spec.windup else 1.0,
            gain=np.maximum(gain, 0.0),
            dark=np.maximum(dark, 0.0),
            threshold=np.maximum(threshold, SMALLEST_THRESHOLD),
        )

    def _normal(self, stream: int) -> NDArray[np.float64]:
        return normal_field(stream_key(self._key, stream), (self._height, self._width)).ravel()

    def init(self, first: LightBatch) -> SpikeCameraState:
        """The state at the first picture, with which the first poll begins.

        Raises:
            InputError: not exactly one picture, another size, or light that is negative or not
                finite.
        """
        luminance = first_luminance(first, height=self._height, width=self._width)
        t = np.array(first.t[0])
        aside = (0, 0) if self._noise is None else luminance.shape
        return SpikeCameraState(
            start=t, t=t, luminance=luminance, charge=self._start_charge(),
            gathered=np.zeros(aside), fired=np.zeros(aside, np.uint8),
            saturated=np.array(0, np.int64),
        )  # fmt: skip

    def _start_charge(self) -> NDArray[np.float64]:
        shape = (self._height, self._width)
        if self._spec.start == "zero":
            return np.zeros(shape)
        if self._noise is not None:
            return self._noise.threshold.reshape(shape) * self._uniform(shape)
        return self._spec.threshold * self._uniform(shape)

    def _uniform(self, shape: tuple[int, int]) -> NDArray[np.float64]:
        return uniform_field(stream_key(self._key, START), shape)

    def step(
        self, state: SpikeCameraState, light: LightBatch
    ) -> tuple[SpikeCameraState, SpikeArray]:
        """The polls that end in (time of the state, time of the last picture].

        Raises:
            InputError: times that stand still or go back, another size, or light that is negative
                or not finite.
        """
        size = {"height": self._height, "width": self._width}
        if len(light.t) == 0:
            return state, SpikeArray.concatenate([], **size)
        pictures = next_luminance(light, after_us=int(state.t), **size)
        start, t0 = int(state.start), int(state.t)
        first, last = (self._clock.polls_until(t - start) for t in (t0, int(light.t[-1])))
        packed = np.empty((last - first, -(-self._height * self._width // 8)), np.uint8)
        work = _Work(state)
        before = state.luminance
        for after, t1 in zip(pictures, light.t.tolist(), strict=True):
            poll = self._clock.polls_until(t0 - start)
            pieces = self._clock.pieces(t0 - start, t1 - start)
            held = after if self._spec.interpolation == "hold" else before
            self._interval(held, after, pieces, poll, work, packed[poll - first :])
            before, t0 = after, t1
        new = dataclasses.replace(
            state, t=np.array(t0, np.int64), luminance=before.copy(), **work.columns(before.shape)
        )
        return new, SpikeArray(packed=packed, **size)

    def _interval(
        self,
        before: NDArray[np.float32],
        after: NDArray[np.float32],
        pieces: Pieces,
        poll: int,
        work: _Work,
        rows: NDArray[np.uint8],
    ) -> None:
        """Advance `work` to the later of two pictures and fill one row per poll end."""
        noise = self._noise
        gain = self._spec.alpha * (self._spec.threshold if noise is None else 1.0)
        light = (
            before.ravel(), after.ravel(), gain * pieces.weight, gain * pieces.weight_change,
            pieces.ends_poll,
        )  # fmt: skip
        ceiling = math.inf if self._spec.windup else self._spec.threshold

        def advance(run: tuple[int, int]) -> int:
            if noise is None:
                threshold = self._spec.threshold
                return int(clean_blocks(*run, *light, threshold, ceiling, work.charge, rows))
            return int(
                noisy_blocks(
                    *run, poll, *light, noise, work.charge, work.gathered, work.fired, rows
                )
            )

        blocks = -(-len(work.charge) // BLOCK)
        work.saturated += sum(self._workers.map(advance, self._workers.runs(blocks)))


class _Work:
    """The working copy of a state during one step, flat."""

    def __init__(self, state: SpikeCameraState) -> None:
        self.charge, self.gathered = state.charge.flatten(), state.gathered.flatten()
        self.fired = state.fired.flatten()
        self.saturated = int(state.saturated)

    def columns(self, shape: tuple[int, ...]) -> dict[str, Any]:
        aside = shape if len(self.gathered) else (0, 0)
        return {
            "charge": self.charge.reshape(shape),
            "gathered": self.gathered.reshape(aside),
            "fired": self.fired.reshape(aside),
            "saturated": np.array(self.saturated, np.int64),
        }

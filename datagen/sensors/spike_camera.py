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

from datagen.errors import InputError
from datagen.sensors.hashing import stream_key, uniform_field
from datagen.sensors.light import (
    check_light,
    check_single,
    check_size,
    check_times,
    luminance,
)
from datagen.sensors.spikes.clean_kernel import BLOCK, clean_blocks
from datagen.sensors.spikes.noisy_kernel import SpikeNoise, noisy_blocks, surplus
from datagen.sensors.spikes.normals import normal_map
from datagen.sensors.spikes.poll_clock import PollClock
from datagen.sensors.workers import Workers
from schemas.arrays import LightBatch, SpikeArray
from schemas.sensor import SpikeCameraSpec

START, GAIN, DARK, THRESHOLD, NOISE, FIRST_SPIKE = range(6)
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
    """Charge of every pixel, unfinished poll included, shape (H, W): as the spec's `threshold`
    counts it without noise, in thresholds with noise."""
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
        threshold = np.maximum(threshold, SMALLEST_THRESHOLD)
        dark = spec.dark_current + spec.dark_current_sigma * self._normal(DARK)
        electrons = np.maximum(spec.electrons_per_spike * threshold, 1.0)
        return SpikeNoise(
            key=stream_key(self._key, NOISE),
            shot=spec.electrons_per_spike > 0.0,
            reset_sigma=np.float32(spec.reset_noise_sigma),
            awake=np.float32(1.0 - spec.dead_time_us * spec.rate_hz / US),
            to_zero=spec.reset == "zero",
            ceiling=math.inf if spec.windup else 1.0,
            gain=np.maximum(gain, 0.0),
            dark=np.maximum(dark, 0.0),
            threshold=threshold,
            grain=1.0 / (3.0 * np.sqrt(electrons)),
        )

    def _normal(self, stream: int) -> NDArray[np.float32]:
        return normal_map(stream_key(self._key, stream), self._height * self._width)

    def init(self, first: LightBatch) -> SpikeCameraState:
        """The state at the first picture, with which the first poll begins.

        Raises:
            InputError: not exactly one picture, another size, or light that is negative or not
                finite.
        """
        return self.init_pictures(first.t, luminance(first))

    def _start_charge(self) -> NDArray[np.float64]:
        shape = (self._height, self._width)
        drawn = self._spec.start == "random"
        part = uniform_field(stream_key(self._key, START), shape) if drawn else np.zeros(shape)
        if self._noise is None:
            return self._spec.threshold * part
        threshold = self._noise.threshold.astype(np.float64).reshape(shape)
        if not self._noise.shot:
            return threshold * part
        more = surplus.py_func(self._normal(FIRST_SPIKE), self._noise.grain).reshape(shape)
        return threshold - threshold * (1.0 - part) * (1.0 + more)

    def step(
        self, state: SpikeCameraState, light: LightBatch
    ) -> tuple[SpikeCameraState, SpikeArray]:
        """The polls that end in (time of the state, time of the last picture].

        Raises:
            InputError: times that stand still or go back, another size, or light that is negative
                or not finite.
        """
        return self.step_pictures(state, light.t, luminance(light))

    def init_pictures(
        self, t: NDArray[np.int64], pictures: NDArray[np.float32]
    ) -> SpikeCameraState:
        """`init` from luminance (1, H, W), white = 1."""
        check_single(t)
        self._check(t, pictures)
        check_light(pictures, t)
        start = np.array(t[0], np.int64)
        aside = (0, 0) if self._noise is None else pictures.shape[1:]
        return SpikeCameraState(
            start=start, t=start, luminance=pictures[0].copy(), charge=self._start_charge(),
            fired=np.zeros(aside, np.uint8),
            saturated=np.array(0, np.int64),
        )  # fmt: skip

    def step_pictures(
        self, state: SpikeCameraState, t: NDArray[np.int64], pictures: NDArray[np.float32]
    ) -> tuple[SpikeCameraState, SpikeArray]:
        """`step` from luminance (N, H, W), white = 1, at times `t` [us] (N,)."""
        if len(t) == 0:
            return state, SpikeArray.concatenate([], height=self._height, width=self._width)
        check_times(t, int(state.t))
        return self._expose(state, t, pictures)

    def _check(self, t: NDArray[np.int64], pictures: NDArray[np.float32]) -> None:
        check_size(pictures, t, height=self._height, width=self._width)
        if pictures.dtype != np.float32:
            raise InputError(f"pictures are {pictures.dtype}; expected float32, white = 1")

    def _expose(
        self, state: SpikeCameraState, t: NDArray[np.int64], pictures: NDArray[np.float32]
    ) -> tuple[SpikeCameraState, SpikeArray]:
        self._check(t, pictures)
        start = int(state.start)
        times = [int(state.t) - start, *(t - start).tolist()]
        first, last = (self._clock.polls_until(end) for end in (times[0], times[-1]))
        packed = np.empty((last - first, -(-self._height * self._width // 8)), np.uint8)
        work = _Work(state)
        flat = np.ascontiguousarray(pictures).reshape(len(pictures), -1)
        if self._integrate(state, flat, times, first, work, packed):
            check_light(pictures, t)
        new = dataclasses.replace(
            state,
            t=t[-1:].reshape(()).copy(),
            luminance=pictures[-1].copy(),
            **work.columns(pictures.shape[1:]),
        )
        return new, SpikeArray(packed=packed, height=self._height, width=self._width)

    def _integrate(
        self,
        state: SpikeCameraState,
        pictures: NDArray[np.float32],
        times: list[int],
        poll: int,
        work: _Work,
        packed: NDArray[np.uint8],
    ) -> bool:
        """Advance `work` to the last picture and fill one row per poll end.

        Returns:
            Whether light may be negative or not finite.
        """
        spec, noise = self._spec, self._noise
        light = (
            state.luminance.ravel(), pictures, spec.interpolation == "hold",
            self._clock.schedule(times),
        )  # fmt: skip
        ceiling = math.inf if spec.windup else spec.threshold

        def advance(run: tuple[int, int]) -> tuple[int, bool]:
            if noise is None:
                gain = spec.alpha * spec.threshold
                return clean_blocks(
                    *run, *light, gain, spec.threshold, ceiling, work.charge, packed
                )
            return noisy_blocks(
                *run, poll, *light, spec.alpha, noise, work.charge, work.fired, packed
            )

        runs = self._workers.runs(-(-len(work.charge) // BLOCK))
        saturated, suspicious = zip(*self._workers.map(advance, runs), strict=True)
        work.saturated += sum(saturated)
        return any(suspicious)


class _Work:
    """The working copy of a state during one step, flat."""

    def __init__(self, state: SpikeCameraState) -> None:
        self.charge, self.fired = state.charge.flatten(), state.fired.flatten()
        self.saturated = int(state.saturated)

    def columns(self, shape: tuple[int, ...]) -> dict[str, Any]:
        aside = shape if len(self.fired) else (0, 0)
        return {
            "charge": self.charge.reshape(shape),
            "fired": self.fired.reshape(aside),
            "saturated": np.array(self.saturated, np.int64),
        }

"""Spike camera: luminance pictures -> one bit per pixel and poll, packed.

What a pixel does is written in `datagen.sensors.spike_reference`. Polls are tens of thousands per
second, pictures are not: light between two pictures is integrated exactly where it is needed, and
the charge of an unfinished poll stays in the accumulator. Poll n ends (n + 1) / rate seconds after
the first picture.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from datagen.sensors.hashing import stream_key, uniform_field
from datagen.sensors.light import first_luminance, next_luminance
from datagen.sensors.poll_clock import PollClock
from datagen.sensors.spike_kernel import integrate_interval
from schemas.arrays import LightBatch, SpikeArray
from schemas.sensor import SpikeCameraSpec


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
    """Charge of every pixel, unfinished poll included, shape (H, W)."""
    saturated: NDArray[np.int64]
    """How many times so far a pixel lost charge at a poll end, shape ()."""


class SpikeCamera:
    """A deterministic function of (spec, size, key, light)."""

    state_type = SpikeCameraState

    def __init__(self, spec: SpikeCameraSpec, *, width: int, height: int, key: int) -> None:
        self._spec = spec
        self._height, self._width = height, width
        self._key = key
        self._clock = PollClock(spec.rate_hz)

    def init(self, first: LightBatch) -> SpikeCameraState:
        """The state at the first picture, with which the first poll begins.

        Raises:
            InputError: not exactly one picture, another size, or light that is negative or not
                finite.
        """
        luminance = first_luminance(first, height=self._height, width=self._width)
        t = np.array(first.t[0])
        return SpikeCameraState(
            start=t, t=t, luminance=luminance, charge=self._start_charge(),
            saturated=np.array(0, np.int64),
        )  # fmt: skip

    def _start_charge(self) -> NDArray[np.float64]:
        shape = (self._height, self._width)
        if self._spec.start == "zero":
            return np.zeros(shape)
        return self._spec.threshold * uniform_field(stream_key(self._key, 0), shape)

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
        charge, before = state.charge.ravel().copy(), state.luminance
        saturated = int(state.saturated)
        for after, t1 in zip(pictures, light.t.tolist(), strict=True):
            rows = packed[self._clock.polls_until(t0 - start) - first :]
            saturated += self._interval(before, after, t0 - start, t1 - start, charge, rows)
            before, t0 = after, t1
        new = SpikeCameraState(
            start=state.start, t=np.array(t0, np.int64), luminance=before.copy(),
            charge=charge.reshape(state.charge.shape), saturated=np.array(saturated, np.int64),
        )  # fmt: skip
        return new, SpikeArray(packed=packed, **size)

    def _interval(
        self,
        before: NDArray[np.float32],
        after: NDArray[np.float32],
        from_us: int,
        to_us: int,
        charge: NDArray[np.float64],
        rows: NDArray[np.uint8],
    ) -> int:
        pieces = self._clock.pieces(from_us, to_us)
        gain = self._spec.alpha * self._spec.threshold
        lost = integrate_interval(
            before.ravel(), after.ravel(), gain * pieces.weight, gain * pieces.weight_change,
            pieces.ends_poll, self._spec.threshold, charge, rows,
        )  # fmt: skip
        return int(lost)

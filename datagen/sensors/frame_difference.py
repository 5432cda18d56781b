"""Frame difference: the plain emulator of the field's first experiments, kept as a baseline.

At every frame a pixel whose log light differs from the last frame's by more than the threshold
sends one event, stamped with the frame's time: no memory beyond one frame, no interpolation, never
more than one event per frame.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from datagen.sensors.elementary import natural_logs
from datagen.sensors.light import first_luminance, next_luminance
from schemas.arrays import EventArray, LightBatch
from schemas.sensor import FrameDifferenceSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameDifferenceState:
    """The last frame."""

    t: NDArray[np.int64]
    """Its time [us], shape ()."""
    log_luminance: NDArray[np.float64]
    """Shape (H, W)."""


class FrameDifference:
    """Events where a frame differs from the one before; the key is not used."""

    state_type = FrameDifferenceState

    def __init__(self, spec: FrameDifferenceSpec, *, width: int, height: int, key: int) -> None:
        del key
        self._spec = spec
        self._size = {"height": height, "width": width}

    def init(self, first: LightBatch) -> FrameDifferenceState:
        """The state at the first frame.

        Raises:
            InputError: not exactly one frame, another size, or light that is negative or not
                finite.
        """
        luminance = first_luminance(first, **self._size)
        return FrameDifferenceState(
            t=np.array(first.t[0]),
            log_luminance=self._log(luminance),
        )

    def step(
        self, state: FrameDifferenceState, light: LightBatch
    ) -> tuple[FrameDifferenceState, EventArray]:
        """Events of the frames in `light`; ordered by time, then row, then column.

        Raises:
            InputError: times that stand still or go back, another size, or light that is negative
                or not finite.
        """
        frames = next_luminance(light, after_us=int(state.t), **self._size)
        parts = []
        for frame, t in zip(frames, light.t, strict=True):
            now = self._log(frame)
            parts.append(self._difference(now - state.log_luminance, t))
            state = FrameDifferenceState(t=np.array(t), log_luminance=now)
        return state, EventArray.concatenate(parts)

    def _log(self, luminance: NDArray[np.float32]) -> NDArray[np.float64]:
        log: NDArray[np.float64] = natural_logs(
            luminance.ravel().astype(float) + self._spec.log_eps
        )
        return log.reshape(luminance.shape)

    def _difference(self, change: NDArray[np.float64], t: np.int64) -> EventArray:
        y, x = np.nonzero(np.abs(change) > self._spec.threshold)
        return EventArray(
            t=np.full(len(y), t, np.int64),
            x=x.astype(np.uint16),
            y=y.astype(np.uint16),
            p=(change[y, x] > 0).astype(np.uint8),
        )

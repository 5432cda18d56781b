"""Frame difference: the plain emulator of the field's first experiments, kept as a baseline.

At every frame a pixel whose log light differs from the last frame's by more than the threshold
sends one event, stamped with the frame's time: no memory beyond one frame, no interpolation, never
more than one event per frame. `decaying_pictures` shows such events as a film.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from datagen.sensors.elementary import natural_log
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
        log: NDArray[np.float64] = natural_log.py_func(luminance.astype(float) + self._spec.log_eps)
        return log

    def _difference(self, change: NDArray[np.float64], t: np.int64) -> EventArray:
        y, x = np.nonzero(np.abs(change) > self._spec.threshold)
        return EventArray(
            t=np.full(len(y), t, np.int64),
            x=x.astype(np.uint16),
            y=y.astype(np.uint16),
            p=(change[y, x] > 0).astype(np.uint8),
        )


def decaying_pictures(
    events: EventArray, frame_t: NDArray[np.int64], *, decay: float, height: int, width: int
) -> Iterator[NDArray[np.float32]]:
    """Signed events summed per pixel, fading by `decay` from frame to frame.

        S_k = decay S_{k-1} + sum of (+-1) over events in (t_{k-1}, t_k]

    Args:
        events: in nondecreasing time; read only.
        frame_t: times of the pictures [us], increasing, shape (N,).
        decay: factor per frame in [0, 1].
        height: rows [px].
        width: columns [px].

    Yields:
        One picture (H, W) per frame; events after the last frame are left out.
    """
    picture = np.zeros((height, width), np.float32)
    stops = np.searchsorted(events.t, frame_t, side="right")
    start = 0
    for stop in stops:
        picture = np.float32(decay) * picture
        y, x, p = (column[start:stop] for column in (events.y, events.x, events.p))
        np.add.at(picture, (y, x), np.where(p == 1, np.float32(1), np.float32(-1)))
        yield picture
        start = stop

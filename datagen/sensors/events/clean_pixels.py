"""Clean pixels: log light, thresholds with mismatch, refractory period; exact in float64."""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from datagen.sensors.events.clean_kernel import clean_tiles, set_guards
from datagen.sensors.events.records import Records, addresses
from datagen.sensors.events.response import log_picture, response_of
from datagen.sensors.events.state import NEVER_US, EventCameraState, new_state
from datagen.sensors.events.tiles import tiles_of
from datagen.sensors.light import Pictures
from datagen.sensors.workers import Workers
from schemas.sensor import EventCameraSpec


class CleanPixels:
    """Pixels without filter and noise (`datagen.sensors.events.clean_kernel`)."""

    def __init__(
        self, spec: EventCameraSpec, on: NDArray[np.float64], off: NDArray[np.float64]
    ) -> None:
        self._spec = spec
        self._shape = on.shape
        self._on, self._off = on.ravel(), off.ravel()
        self._address = addresses(*on.shape)

    def start(self, t: int, picture: Pictures) -> EventCameraState:
        """No pixel owes an event."""
        level = log_picture(picture.ravel(), self._response(picture))
        resting = self._shape if self._spec.refractory_period_us else (0, 0)
        return dataclasses.replace(
            new_state(t, picture),
            reference=level.reshape(self._shape),
            last_event=np.full(resting, NEVER_US, np.int64),
        )

    def sense(
        self, state: EventCameraState, t: NDArray[np.int64], pictures: Pictures, workers: Workers
    ) -> tuple[EventCameraState, list[Records]]:
        """See `PixelModel`."""
        response = self._response(pictures)
        reference, last_event = state.reference.flatten(), state.last_event.flatten()
        low, high = (np.empty(len(reference), pictures.dtype) for _ in range(2))
        set_guards(reference, self._on, self._off, response, low, high)
        flat = np.ascontiguousarray(pictures).reshape(len(pictures), -1)
        times = np.concatenate([[state.t], t])

        def sense_run(run: tuple[int, int]) -> Records:
            records, bounds = clean_tiles(
                *run, state.picture.ravel(), flat, times, reference, low, high, last_event,
                self._on, self._off, self._address, response, self._spec.refractory_period_us,
            )  # fmt: skip
            return Records(records, bounds)

        records = workers.map(sense_run, workers.runs(tiles_of(len(reference))))
        new = dataclasses.replace(
            state,
            t=times[-1:].reshape(()).copy(),
            picture=pictures[-1].copy(),
            reference=reference.reshape(self._shape),
            last_event=last_event.reshape(state.last_event.shape),
        )
        return new, records

    def _response(self, pictures: Pictures):  # type: ignore[no-untyped-def]
        return response_of(self._spec, white=255.0 if pictures.dtype == np.uint8 else 1.0)

"""Clean pixels: log light, thresholds with mismatch, refractory period; exact in float64."""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from datagen.sensors.events.clean_kernel import TILE, clean_tiles, set_guards
from datagen.sensors.events.code_tables import code_tables
from datagen.sensors.events.records import RecordBuffers, Records
from datagen.sensors.events.response import WHITE, log_picture, response_of
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
        one = spec.threshold_sigma == 0.0
        self._on, self._off = (a[:1, :1].flatten() if one else a.ravel() for a in (on, off))
        self._responses = {kind: response_of(spec, white=white) for kind, white in WHITE.items()}
        self._tables = code_tables(self._responses[np.dtype(np.uint8)])
        self._guarded: tuple[NDArray[np.floating], Pictures, Pictures] | None = None
        self._buffers = RecordBuffers()

    def start(self, t: int, picture: Pictures) -> EventCameraState:
        """No pixel owes an event."""
        level = log_picture(picture.ravel(), self._responses[picture.dtype])
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
        known, last_event = state.reference.ravel(), state.last_event.flatten()
        reference = np.empty_like(known)
        low, high = self._guards(state, pictures)
        flat = np.ascontiguousarray(pictures).reshape(len(pictures), -1)
        times = np.concatenate([[state.t], t])

        def sense_run(run: tuple[int, int]) -> Records:
            pixels = (run[1] - run[0]) * TILE * len(t)
            records, bounds = clean_tiles(
                *run, state.picture.ravel(), flat, times, known, reference, low, high, last_event,
                self._on, self._off, self._shape[1], self._responses[pictures.dtype],
                self._tables, self._spec.refractory_period_us, self._buffers.lend(run, pixels),
            )  # fmt: skip
            return self._buffers.keep(run, records, bounds)

        records = workers.map(sense_run, workers.runs(tiles_of(len(reference), TILE)))
        new = dataclasses.replace(
            state,
            t=times[-1:].reshape(()).copy(),
            picture=pictures[-1].copy(),
            reference=reference.reshape(self._shape),
            last_event=last_event.reshape(state.last_event.shape),
        )
        self._guarded = new.reference, low, high
        return new, records

    def _guards(self, state: EventCameraState, pictures: Pictures) -> tuple[Pictures, Pictures]:
        """Guards of a state; those of the state that was returned last need no new logarithms."""
        guarded, self._guarded = self._guarded, None
        if guarded is not None and guarded[0] is state.reference:
            return guarded[1:]
        low, high = (np.empty(state.reference.size, pictures.dtype) for _ in range(2))
        response = self._responses[pictures.dtype]
        reference = state.reference.ravel()
        set_guards(reference, self._on, self._off, response, self._tables, low, high)
        return low, high

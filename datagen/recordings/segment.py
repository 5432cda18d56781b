"""What a recording offers as a segment: events, flow between labelled times, pictures if aligned.

A real camera has no exact depth or pose per pixel, so flow exists only where the recording stores
it: from a frame to the next, and over several frames by following it along (flow_along.py).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from datagen.dataset import EventStream, Segment
from datagen.dataset.h5_file import H5File
from datagen.dataset.segment import Flow
from datagen.errors import InputError
from schemas.base import Split
from schemas.camera import Intrinsics


class RecordedEvents(EventStream):
    """Events of a recording on the clock of its segment; subclasses read the columns."""

    @property
    def name(self) -> str:
        """Recordings have one event camera."""
        return "events"

    @property
    def _ms_to_idx(self) -> None:
        """Indices of other projects are on another clock; frames bracket well enough."""
        return None


class RecordedSegment(Segment):
    """One uninterrupted take of a recording."""

    def __init__(
        self,
        file: H5File,
        *,
        name: str,
        split: Split,
        number: int,
        start_us: int,
        times: NDArray[np.int64],
        intrinsics: Intrinsics,
        events: RecordedEvents,
        flow: Callable[[int, int], Flow],
    ) -> None:
        super().__init__(file.path)
        self._file = file
        self.name, self.split, self.segment_id = name, split, number
        self.times = times
        self.intrinsics = intrinsics
        self._start_us = start_us
        self._stream = events
        self._flow_between = flow

    @property
    def t_offset(self) -> int:
        """The segment's start on the recording's clock [us]."""
        return self._start_us

    def events(self, name: str | None = None) -> RecordedEvents:
        """The events; there is one camera, so no other name than `events`.

        Raises:
            InputError: another name.
        """
        if name not in (None, "events"):
            raise InputError(f"{self.name}: no event stream {name!r}; a recording has `events`")
        return self._stream

    def flow(self, i: int, j: int) -> Flow:
        """Flow from frame i to frame j as the recording has it.

        Raises:
            InputError: a frame is not there, or the recording has no flow backwards.
            DatasetError: a file cannot be read.
        """
        self._check(i)
        self._check(j)
        return self._flow_between(i, j)

    def rgb(self, k: int) -> NDArray[Any]:
        """Not here: the pictures of this recording are not aligned with its events.

        Raises:
            InputError: always.
        """
        raise InputError(
            f"{self.name}: has no pictures on the grid of the events (frame {k}); expected a loss "
            "that needs none, such as `supervised` or `contrast`."
        )


def no_backward_flow(name: str, i: int, j: int) -> InputError:
    """The error for flow into the past that is not stored."""
    return InputError(
        f"{name}: stores no flow from frame {i} back to frame {j}; expected forward windows only. "
        "Set `augment: {reverse_time: 0.0}`."
    )


def empty_flow(shape: tuple[int, int]) -> Flow:
    """No motion, known nowhere."""
    return np.zeros((*shape, 2), np.float32), np.zeros(shape, np.bool_)

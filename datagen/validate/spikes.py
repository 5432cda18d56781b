"""Spike streams: as many polls as time allows, padding empty, and a rate that follows the light.

Light between two frames is taken as the trapezoid of the two; how far it may be off is taken from
their difference, added up over intervals as independent errors are.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from datagen.dataset import Segment, SpikeStream
from datagen.validate.frames import Frame
from datagen.validate.report import Check, at_most, no_faults
from schemas.arrays import SpikeArray

TOTAL_LIMIT = 0.03
"""Relative error of all spikes together, one per pixel aside: what trapezoids over frames leave."""
ROUNDING = 0.02
"""Share of a pixel's count by which stored luminance may be off."""
POLLS_AT_ONCE = 512


def check_polls(segment: Segment, stream: SpikeStream) -> Iterator[Check]:
    """Count, index, size and padding."""
    name, camera = segment.name, segment.intrinsics
    ended = np.array([stream.polls_until(int(t)) for t in segment.times])
    faults = []
    if len(stream) != ended[-1]:
        faults.append(f"{len(stream)} polls; expected {ended[-1]} until the last frame")
    if wrong := np.count_nonzero(stream.frame_to_poll != ended):
        faults.append(f"{wrong} entries of frame_to_poll are wrong")
    size = tuple(int(segment.attribute(stream.group, n)) for n in ("width", "height"))
    if size != (camera.width, camera.height):
        faults.append(f"attributes say {size}; calib says {(camera.width, camera.height)}")
    if (bitorder := segment.attribute(stream.group, "bitorder")) != "little":
        faults.append(f"bitorder is {bitorder!r}; expected 'little'")
    yield no_faults(f"{stream.group}/polls", name, faults,
                    f"{len(stream):,} polls, each where its time is")  # fmt: skip


class RateCheck:
    """Spikes are `alpha` times luminance per poll; a pixel brighter than 1 / alpha is saturated."""

    def __init__(self, segment: Segment, stream: SpikeStream) -> None:
        self._segment, self._stream = segment, stream
        shape = (segment.intrinsics.height, segment.intrinsics.width)
        self._seen, self._expected, self._doubt = (np.zeros(shape) for _ in range(3))
        self._padding = 0

    def see(self, before: Frame | None, now: Frame) -> None:
        """Count the spikes of an interval beside the trapezoid of its two pictures."""
        if before is None:
            return
        stream = self._stream
        first, last = int(stream.frame_to_poll[before.k]), int(stream.frame_to_poll[now.k])
        last = min(last, len(stream))
        for poll in range(first, last, POLLS_AT_ONCE):
            part = stream.slice_by_poll(poll, min(poll + POLLS_AT_ONCE, last))
            self._seen += spikes_per_pixel(part)
            self._padding += _padding(part)
        start, end = (
            np.minimum(stream.alpha * f.luminance.astype(float), 1) for f in (before, now)
        )
        self._expected += (last - first) * 0.5 * (start + end)
        self._doubt += ((last - first) * 0.5 * (start - end)) ** 2

    def results(self) -> Iterator[Check]:
        """The checks."""
        name, group = self._segment.name, self._stream.group
        yield at_most(f"{group}/padding", name, self._padding, 0, "bits set beyond the last pixel")
        seen, expected = self._seen, self._expected
        total = max(abs(seen.sum() - expected.sum()) - seen.size, 0.0) / max(expected.sum(), 1.0)
        yield at_most(f"{group}/total", name, float(total), TOTAL_LIMIT,
                      "relative error of the count of spikes against the light")  # fmt: skip
        explained = 1 + ROUNDING * expected + np.sqrt(self._doubt)
        error = np.abs(seen - expected) / explained
        yield at_most(f"{group}/rate", name, float(np.median(error)), 1,
                      "median error of a pixel's count in units of what its two pictures explain")  # fmt: skip


def spikes_per_pixel(spikes: SpikeArray) -> NDArray[np.int64]:
    """Spikes of every pixel, shape (H, W)."""
    counts: NDArray[np.int64] = spikes.unpack().sum(axis=0)
    return counts


def _padding(spikes: SpikeArray) -> int:
    """Bits that are set beyond the last pixel."""
    used = spikes.height * spikes.width % 8
    return int(np.count_nonzero(spikes.packed[:, -1] >> used)) if used else 0

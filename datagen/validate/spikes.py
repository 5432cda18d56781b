"""Spike streams: as many polls as time allows, padding empty, and a rate that follows the light.

Light between two frames is taken as the trapezoid of the two, or as the stairs of as many pictures
where the camera holds them; how far it may be off is taken from their difference, added up over
intervals as independent errors are. A camera with noise, dead time or a reset to zero gives another
rate for the same light, so there only the correlation of counts with light is checked.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from datagen.dataset import Segment, SpikeStream
from datagen.validate.correlation import LEAST, Correlation, Picture
from datagen.validate.frames import Frame, FrameCheck
from datagen.validate.motion import sways
from datagen.validate.report import Check, at_least, at_most, no_faults, not_applicable
from schemas.arrays import SpikeArray
from schemas.sensor import SpikeCameraSpec

TOTAL_LIMIT = 0.03
"""Relative error of all spikes together, one per pixel and what trapezoids over frames leave aside."""
ROUNDING = 0.02
"""Share of a pixel's count by which stored luminance may be off."""
POLLS_AT_ONCE = 512


def check_polls(segment: Segment, stream: SpikeStream) -> Iterator[Check]:
    """Count, index and order of bits."""
    name = segment.name
    ended = np.array([stream.polls_until(int(t)) for t in segment.times])
    faults = []
    if len(stream) != ended[-1]:
        faults.append(f"{len(stream)} polls; expected {ended[-1]} until the last frame")
    if wrong := np.count_nonzero(stream.frame_to_poll != ended):
        faults.append(f"{wrong} entries of frame_to_poll are wrong")
    if (bitorder := segment.attribute(stream.group, "bitorder")) != "little":
        faults.append(f"bitorder is {bitorder!r}; expected 'little'")
    yield no_faults(f"{stream.group}/polls", name, faults,
                    f"{len(stream):,} polls, each where its time is")  # fmt: skip


def spike_check(segment: Segment, stream: SpikeStream) -> FrameCheck:
    """The strictest check that a camera allows."""
    assert isinstance(stream.sensor, SpikeCameraSpec)
    if stream.sensor.noisy:
        return LightCheck(segment, stream, stream.sensor)
    return RateCheck(segment, stream)


class _Light(NamedTuple):
    """What the light of an interval's two frames gives."""

    polls: int
    expected: Picture
    """Spikes of every pixel."""
    doubt: Picture
    """Half of the spikes by which the two frames differ."""


class _CountCheck:
    """Counts the spikes of every interval beside the light of its two pictures."""

    def __init__(self, segment: Segment, stream: SpikeStream) -> None:
        self._segment, self._stream = segment, stream
        self._shape = (segment.intrinsics.height, segment.intrinsics.width)
        self._pictures = segment.read("frames/sub_frame_count")
        assert isinstance(stream.sensor, SpikeCameraSpec)
        self._held = stream.sensor.interpolation == "hold"
        self._padding = 0

    def see(self, before: Frame | None, now: Frame) -> None:
        """Count the spikes of an interval."""
        if before is None:
            return
        stream = self._stream
        ends = np.clip(stream.frame_to_poll[[before.k, now.k]], 0, len(stream))  # may be damaged
        first, last = ends.tolist()
        seen = np.zeros(self._shape)
        for poll in range(first, last, POLLS_AT_ONCE):
            part = stream.slice_by_poll(poll, min(poll + POLLS_AT_ONCE, last))
            seen += spikes_per_pixel(part)
            self._padding += _padding(part)
        self._add(seen, self._light(before, now, last - first))

    def _light(self, before: Frame, now: Frame, polls: int) -> _Light:
        alpha, pictures = self._stream.alpha, max(int(self._pictures[now.k]), 1)  # may be damaged
        start, end = (np.minimum(alpha * f.luminance.astype(float), 1) for f in (before, now))
        change = 0.5 * (end - start)
        middle = start + change * (1 + 1 / pictures if self._held else 1)
        return _Light(polls, expected=polls * middle, doubt=polls * change)

    def results(self) -> Iterator[Check]:
        """The checks."""
        yield at_most(f"{self._stream.group}/padding", self._segment.name, self._padding, 0,
                      "bits set beyond the last pixel")  # fmt: skip
        yield from self._verdict()

    def _add(self, seen: Picture, light: _Light) -> None:
        """Take the spikes of an interval by pixel, and what the light gives of them."""
        raise NotImplementedError

    def _verdict(self) -> Iterator[Check]:
        raise NotImplementedError


class RateCheck(_CountCheck):
    """Spikes are `alpha` times luminance per poll; a pixel brighter than 1 / alpha is saturated."""

    def __init__(self, segment: Segment, stream: SpikeStream) -> None:
        super().__init__(segment, stream)
        self._seen, self._expected, self._doubt = (np.zeros(self._shape) for _ in range(3))

    def _add(self, seen: Picture, light: _Light) -> None:
        self._seen += seen
        self._expected += light.expected
        self._doubt += light.doubt**2

    def _verdict(self) -> Iterator[Check]:
        name, group = self._segment.name, self._stream.group
        if sways(self._segment):
            for what in ("total", "rate"):
                yield not_applicable(
                    f"{group}/{what}", name, "the camera goes to and fro between frames"
                )
            return
        seen, expected = self._seen, self._expected
        unexplained = abs(seen.sum() - expected.sum()) - seen.size - np.sqrt(self._doubt.sum())
        total = max(unexplained, 0.0) / max(expected.sum(), 1.0)
        yield at_most(f"{group}/total", name, float(total), TOTAL_LIMIT,
                      "relative error of the count of spikes against the light")  # fmt: skip
        explained = 1 + ROUNDING * expected + np.sqrt(self._doubt)
        error = np.abs(seen - expected) / explained
        yield at_most(f"{group}/rate", name, float(np.median(error)), 1,
                      "median error of a pixel's count in units of what its two pictures explain")  # fmt: skip


class LightCheck(_CountCheck):
    """Brighter pixels fire more often, whatever else happens."""

    def __init__(self, segment: Segment, stream: SpikeStream, sensor: SpikeCameraSpec) -> None:
        super().__init__(segment, stream)
        self._sensor = sensor
        self._correlation = Correlation()
        """Of the light of an interval with its spikes."""
        self._noise: list[float] = []

    def _add(self, seen: Picture, light: _Light) -> None:
        self._correlation.add(light.expected, seen)
        self._noise.append(self._variance(light.expected, light.polls))

    def _variance(self, expected: Picture, polls: int) -> float:
        """Variance that noise and whole numbers leave of the counts of an interval."""
        sensor = self._sensor
        relative = sensor.gain_sigma**2 + sensor.threshold_sigma**2
        per_spike = sensor.reset_noise_sigma**2
        if sensor.electrons_per_spike:
            per_spike += 1 / max(sensor.electrons_per_spike, 1)
        dark = (polls * sensor.dark_current_sigma) ** 2
        return float(1 / 3 + dark + per_spike * expected.mean() + relative * (expected**2).mean())

    def _verdict(self) -> Iterator[Check]:
        name, promise = self._segment.name, f"{self._stream.group}/correlation"
        if self._correlation.variance_of_x < np.mean(self._noise):
            yield not_applicable(promise, name, "the light varies less than noise does")
            return
        yield at_least(promise, name, self._correlation.value, LEAST,
                       "correlation of spikes with light")  # fmt: skip


def spikes_per_pixel(spikes: SpikeArray) -> NDArray[np.int64]:
    """Spikes of every pixel, shape (H, W)."""
    counts: NDArray[np.int64] = spikes.unpack().sum(axis=0)
    return counts


def _padding(spikes: SpikeArray) -> int:
    """Bits that are set beyond the last pixel."""
    used = spikes.height * spikes.width % 8
    return int(np.count_nonzero(spikes.packed[:, -1] >> used)) if used else 0

"""Events against light: what the events of a pixel add up to is the change of its log luminance.

A clean event camera keeps |ln(L_k + eps) - ln(L_0 + eps) - sum of +-C| below the pixel's threshold
C at every frame; the thresholds of all pixels follow from the file's key. Dead time, noise and a
low-pass break that equality, so there only the correlation over frame intervals is checked, with what
the low-pass makes of the light. A frame difference must hold exactly the events of its definition.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from datagen.dataset import EventStream, Segment
from datagen.preview.stream_color import polarity_counts
from datagen.validate.correlation import LEAST, Correlation, Picture
from datagen.validate.frames import Frame, FrameCheck
from datagen.validate.report import Check, at_least, at_most, not_applicable
from schemas.sensor import EventCameraSpec, FrameDifferenceSpec

BEYOND_SHARE = 1e-3
WRONG_SHARE = 1e-4
WHITE = 255.0
"""White in the codes that Brownian pixels are calibrated for."""
TO_AND_FRO = 0.5
"""Events per pixel and interval that others take back, from which on the net change is what errors of
both leave."""
BUSY = 0.5
"""Share of what the readout can send from which on events may have waited long."""
FREE = frozenset(
    {
        "kind",
        "name",
        "preset",
        "threshold_on",
        "threshold_off",
        "threshold_sigma",
        "log_eps",
        "labels",
    }
)
"""Settings of an ideal sensor. All others are off by default, and events follow light exactly."""


def contrast_check(segment: Segment, stream: EventStream) -> FrameCheck:
    """The strictest check that a sensor allows."""
    sensor = stream.sensor
    if isinstance(sensor, FrameDifferenceSpec):
        return DifferenceCheck(segment, stream, sensor)
    assert isinstance(sensor, EventCameraSpec)
    if is_ideal(sensor):
        return BalanceCheck(segment, stream, sensor)
    return CorrelationCheck(segment, stream, sensor)


def is_ideal(sensor: EventCameraSpec) -> bool:
    """No dead time, noise, low-pass, latency or other response than ln(L + eps)."""
    return all(
        getattr(sensor, name) == field.default
        for name, field in EventCameraSpec.model_fields.items()
        if name not in FREE
    )


class _Log:
    """Log luminance of stored pictures, and how far their rounding may move it."""

    def __init__(self, eps: float) -> None:
        self._eps = eps

    def __call__(self, luminance: NDArray[np.float32]) -> tuple[Picture, Picture]:
        light = luminance.astype(np.float64)
        rounding = light * 2.0**-11 + 2.0**-25  # of a float16, and of the smallest ones
        return np.log(light + self._eps), rounding / (light + self._eps)


def _counts(segment: Segment, stream: EventStream, i: int, j: int) -> tuple[Picture, Picture]:
    camera = segment.intrinsics
    events = stream.slice_by_frame(i, j)
    inside = (events.x < camera.width) & (events.y < camera.height)
    if not inside.all():  # counted by another check
        events = events[inside]
    on, off = polarity_counts(events, height=camera.height, width=camera.width)
    return on.astype(np.float64), off.astype(np.float64)


class BalanceCheck:
    """A clean sensor owes no pixel an event."""

    def __init__(self, segment: Segment, stream: EventStream, sensor: EventCameraSpec) -> None:
        self._segment, self._stream = segment, stream
        self._on, self._off = _thresholds(segment, stream, sensor)
        self._log = _Log(sensor.log_eps)
        self._start: tuple[Picture, Picture] | None = None
        self._sum = np.zeros(self._on.shape)
        self._beyond = self._pixels = 0

    def see(self, before: Frame | None, now: Frame) -> None:
        """Add the events of an interval and compare."""
        level, rounding = self._log(now.luminance)
        if before is None or self._start is None:
            self._start = level, rounding
            return
        on, off = _counts(self._segment, self._stream, before.k, now.k)
        self._sum += on * self._on - off * self._off
        owed = level - self._start[0] - self._sum
        room = rounding + self._start[1] + 1e-6
        self._beyond += int(np.count_nonzero((owed > self._on + room) | (owed < -self._off - room)))
        self._pixels += owed.size

    def results(self) -> Iterator[Check]:
        """The check."""
        yield at_most(f"{self._stream.group}/balance", self._segment.name,
                      self._beyond / self._pixels, BEYOND_SHARE,
                      "share of pixels whose events are a threshold or more away from their light")  # fmt: skip


def _thresholds(
    segment: Segment, stream: EventStream, sensor: EventCameraSpec
) -> tuple[Picture, Picture]:
    from datagen.sensors.event_camera import EventCamera  # compiled: only when there are events

    camera = segment.intrinsics
    return EventCamera(sensor, width=camera.width, height=camera.height, key=stream.key).thresholds


class _LowPass:
    """What the photoreceptor makes of log light that is linear from frame to frame."""

    def __init__(self, sensor: EventCameraSpec) -> None:
        self._sensor = sensor
        self._levels: list[Picture] = []
        """Input of the first stage and output of every stage, at the last frame."""

    def __call__(self, level: Picture, luminance: Picture, interval_us: int) -> Picture:
        sensor, out = self._sensor, [level]
        share = (255 * luminance + 20) / 275 if sensor.cutoff_follows_light else 1.0
        x = 2 * np.pi * sensor.cutoff_hz * share * interval_us * 1e-6
        kept = np.exp(-x)
        for before, reached in itertools.pairwise(self._levels):
            change = out[-1] - before
            out.append(out[-1] - (before - reached) * kept - change * (1 - kept) / x)
        stages = sensor.filter_order if sensor.cutoff_hz else 0
        self._levels = out if self._levels else [level] * (1 + stages)
        return self._levels[-1]


class CorrelationCheck:
    """Brighter pixels send ON events and darker ones OFF, whatever else happens."""

    def __init__(self, segment: Segment, stream: EventStream, sensor: EventCameraSpec) -> None:
        self._segment, self._stream, self._sensor = segment, stream, sensor
        self._walk = sensor.brownian_parameters
        eps = sensor.log_eps if self._walk is None else self._walk[1] / WHITE
        self._log, self._low_pass = _Log(eps), _LowPass(sensor)
        self._interval_us = int(np.diff(segment.times).min())
        self._level: Picture | None = None
        self._correlation = Correlation()
        """Of the change of light with that of the events."""
        self._returns = 0.0
        """Mean over pixels of events that others of the interval take back, summed over intervals."""
        self._intervals = 0
        self._brightness = 0.0
        """Mean luminance of the last frame."""

    def see(self, before: Frame | None, now: Frame) -> None:
        """Add the pixels of an interval."""
        level, _ = self._log(now.luminance)
        self._brightness = float(now.luminance.mean())
        level = self._low_pass(level, now.luminance.astype(np.float64), self._interval_us)
        if before is not None and self._level is not None:
            on, off = _counts(self._segment, self._stream, before.k, now.k)
            seen = on * self._sensor.threshold_on - off * self._sensor.threshold_off
            self._correlation.add(level - self._level, seen)
            self._returns += float(np.minimum(on, off).mean())
            self._intervals += 1
        self._level = level

    def results(self) -> Iterator[Check]:
        """The check."""
        name, promise = self._segment.name, f"{self._stream.group}/correlation"
        if self._correlation.variance_of_x < self._noise():
            yield not_applicable(promise, name, "the light changes less than noise does")
            return
        if self._late():
            yield not_applicable(promise, name, "the readout delays events by a frame or more")
            return
        if self._returns > TO_AND_FRO * self._intervals:
            yield not_applicable(promise, name, "the light goes to and fro between frames")
            return
        yield at_least(promise, name, self._correlation.value, LEAST,
                       "correlation of events with the change of light")  # fmt: skip

    def _noise(self) -> float:
        """Variance that noise events and thresholds leave per pixel and interval [log units^2]."""
        sensor = self._sensor
        if self._walk is not None:
            k, codes = self._walk, WHITE * self._brightness
            sigma = k[2] * np.sqrt(codes) / (codes + k[1]) + k[5]
            return float((1.0 / 3.0 + sigma**2 * self._interval_us) / k[0] ** 2)
        rate = (
            sensor.leak_rate_hz + sensor.shot_noise_rate_hz
            + sensor.hot_pixel_fraction * sensor.hot_pixel_rate_hz
        )  # fmt: skip
        interval = self._interval_us * 1e-6
        step = max(sensor.threshold_on, sensor.threshold_off)
        return step**2 * (1.0 / 3.0 + rate * interval)

    def _late(self) -> bool:
        """Whether events may come in other intervals than the light that caused them."""
        sensor = self._sensor
        most = sensor.readout_rate * 1e-6 * self._segment.times[-1]
        jammed = sensor.arbiter != "none" and len(self._stream) > BUSY * most
        return jammed or sensor.latency_us + sensor.latency_jitter_us > self._interval_us


class DifferenceCheck:
    """One event, of the right sign, where log light moved by more than the threshold."""

    def __init__(self, segment: Segment, stream: EventStream, sensor: FrameDifferenceSpec) -> None:
        self._segment, self._stream = segment, stream
        self._threshold = sensor.threshold
        self._log = _Log(sensor.log_eps)
        self._last: tuple[Picture, Picture] | None = None
        self._wrong = self._pixels = 0

    def see(self, before: Frame | None, now: Frame) -> None:
        """Compare the events of an interval with its two pictures."""
        level, rounding = self._log(now.luminance)
        if before is not None and self._last is not None:
            on, off = _counts(self._segment, self._stream, before.k, now.k)
            change, room = level - self._last[0], rounding + self._last[1] + 1e-6
            must = np.where(np.abs(change) > self._threshold + room, np.sign(change), 0)
            may = np.where(np.abs(change) > self._threshold - room, np.sign(change), 0)
            net = on - off
            wrong = ((net != must) & (net != may)) | (on + off > 1)
            self._wrong += int(np.count_nonzero(wrong))
            self._pixels += net.size
        self._last = level, rounding

    def results(self) -> Iterator[Check]:
        """The check."""
        yield at_most(f"{self._stream.group}/difference", self._segment.name,
                      self._wrong / self._pixels, WRONG_SHARE,
                      "share of pixels with an event too many, too few or of the wrong sign")  # fmt: skip

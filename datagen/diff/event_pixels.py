"""The event camera: light -> events, with gradients for light, thresholds and bandwidth.

Events are those of `datagen.sensors.event_camera.EventCamera`, to the bit. Their number is discrete:
its derivative is zero almost everywhere. Its expectation over the pixel's unknown reference level R is
not. With R spread evenly over a threshold about a level y, light that rises by D from y gives on
average D / C_on - 1/2 events and leaves R spread about the light minus C_on / 2; falling light leaves it
about the light plus C_off / 2. So y follows a play (backlash) operator, and its steps count events:

    y_k = min(max(y_(k-1), V_k - C_on / 2), V_k + C_off / 2),   y_0 = V_0,
    E[ON in interval k] = max(0, y_k - y_(k-1)) / C_on,   E[OFF] = max(0, y_(k-1) - y_k) / C_off.

For equal thresholds that is exact (tests compare with differences of the exact camera), for unequal
ones nearly so. V is the voltage of the photoreceptor as in `datagen.sensors.events.reference`. Events
of noise, and what a refractory period or a full bus drops, are in the value and not in the gradient.
For a loss that is not linear in the counts the gradient is a straight-through estimate.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import ValidationError
from torch import nn

from datagen.diff.exact import exact_value
from datagen.diff.film import US, seen_film
from datagen.diff.positive import Positive
from datagen.errors import InputError
from datagen.representations.voxel_grid import voxel_grid
from datagen.sensors.event_camera import EventCamera
from datagen.sensors.events.response import response_of
from datagen.sensors.events.state import EventCameraState
from schemas.arrays import EventArray
from schemas.sensor import EventCameraSpec


@dataclass(frozen=True, slots=True)
class EventFilm:
    """What the pixels sent between the first and the last of N pictures."""

    events: EventArray
    """In (t[0], t[-1]]."""
    t: NDArray[np.int64]
    """Times of the pictures [us], shape (N,)."""
    on: torch.Tensor
    """ON events by interval between pictures and pixel, shape (N - 1, H, W); gets gradients."""
    off: torch.Tensor
    """OFF events, likewise."""

    def rate(self) -> torch.Tensor:
        """Events per pixel and second [Hz], shape ()."""
        seconds = float(self.t[-1] - self.t[0]) * US
        return (self.on + self.off).sum() / (self.on[0].numel() * seconds)

    def voxel_grid(self, bins: int) -> torch.Tensor:
        """`datagen.representations.voxel_grid` of the window, float32 (bins, H, W).

        The gradient has an interval's events in its middle: keep intervals short beside a bin.
        """
        start, stop = int(self.t[0]), int(self.t[-1])
        height, width = self.on.shape[1:]
        exact = voxel_grid(
            self.events, start_us=start, end_us=stop, bins=bins, height=height, width=width
        )
        middle = (self.t[:-1] + self.t[1:]) / 2
        at = torch.as_tensor((middle - start) * (bins - 1) / (stop - start))
        share = (1 - (torch.arange(bins)[:, None] - at).abs()).clamp_min(0).to(self.on.dtype)
        return exact_value(exact, torch.einsum("bk,khw->bhw", share, self.on - self.off))


class EventPixels(nn.Module):
    """An event camera whose thresholds and bandwidth are parameters."""

    def __init__(
        self, spec: EventCameraSpec, *, height: int, width: int, key: int, dither: bool = False
    ) -> None:
        """Start from a camera.

        Args:
            spec: of a pixel with a threshold, not Brownian, without a colour filter.
            height: rows [px].
            width: columns [px].
            key: seed of what differs from pixel to pixel.
            dither: start every film with references that lie anywhere within half a threshold of
                the light, drawn from the global state of torch, instead of at the light. A camera
                that has been running is like that, and the gradient is then unbiased pixel by pixel.

        Raises:
            InputError: the spec names a Brownian pixel or a colour filter.
        """
        super().__init__()
        if spec.brownian is not None or spec.bayer is not None:
            raise InputError(
                "an event camera with `brownian` or `bayer`; expected one with a threshold that sees "
                "luminance, for the others have no gradient here. Leave the field out."
            )
        self._spec, self._key, self._dither = spec, key, dither
        self._size = {"height": height, "width": width}
        self.threshold_on = Positive(spec.threshold_on)
        """Nominal contrast threshold for ON events [log units]."""
        self.threshold_off = Positive(spec.threshold_off)
        """Nominal contrast threshold for OFF events [log units]."""
        self.cutoff_hz = Positive(spec.cutoff_hz) if spec.cutoff_hz else None
        """Corner of the photoreceptor's low-pass at white [Hz]; None without one."""

    def spec(self) -> EventCameraSpec:
        """The camera as it is now, for a job.

        Raises:
            InputError: a threshold has left its range.
        """
        now = {name: getattr(self, name).value() for name in ("threshold_on", "threshold_off")}
        if self.cutoff_hz is not None:
            now["cutoff_hz"] = self.cutoff_hz.value()
        try:
            return EventCameraSpec.model_validate({**self._spec.model_dump(), **now})
        except ValidationError as error:
            raise InputError(
                f"the event camera has become {now}; expected thresholds from 0.01 to 100. Lower the "
                "learning rate, or charge for events."
            ) from error

    def forward(self, light: torch.Tensor, t_us: NDArray[np.int64]) -> EventFilm:
        """The events that a film of N pictures makes.

        Args:
            light: linear, white = 1, shape (N, H, W, 3), or luminance (N, H, W).
            t_us: times of the pictures [us], increasing, shape (N,).

        Raises:
            InputError: fewer than two pictures, or times, sizes or light that no camera takes.
        """
        seen, pictures = seen_film(light, t_us)
        camera = EventCamera(self.spec(), **self._size, key=self._key)
        state = self._start(camera, t_us, pictures)
        _, events = camera.step_pictures(state, t_us[1:], pictures[1:])
        on, off = self._expected(camera, seen.double(), t_us)
        counts = _count(events, t_us, **self._size)
        dtype = seen.dtype
        return EventFilm(
            events,
            t_us,
            exact_value(counts[1], on.to(dtype)),
            exact_value(counts[0], off.to(dtype)),
        )

    def _start(
        self, camera: EventCamera, t_us: NDArray[np.int64], pictures: NDArray[np.float32]
    ) -> EventCameraState:
        state = camera.init_pictures(t_us[:1], pictures[:1])
        if not self._dither:
            return state
        on, off = camera.thresholds
        offset = (torch.rand(on.shape).double().numpy() - 0.5) * (on + off) / 2
        reference = (state.reference - offset).astype(state.reference.dtype)
        return dataclasses.replace(state, reference=reference)

    def _expected(
        self, camera: EventCamera, seen: torch.Tensor, t_us: NDArray[np.int64]
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Expected ON and OFF events by interval, each (N - 1, H, W)."""
        nominal = (self.threshold_on(), self.threshold_off())
        thresholds = [
            torch.as_tensor(pixel) + (value - value.detach())
            for pixel, value in zip(camera.thresholds, nominal, strict=True)
        ]
        voltage = self._voltage(seen, t_us)
        level = [voltage[0]]
        for v in voltage[1:]:
            level.append(torch.clamp(level[-1], v - thresholds[0] / 2, v + thresholds[1] / 2))
        step = torch.stack(level).diff(dim=0)
        return step.clamp_min(0) / thresholds[0], (-step).clamp_min(0) / thresholds[1]

    def _voltage(self, seen: torch.Tensor, t_us: NDArray[np.int64]) -> torch.Tensor:
        """The photoreceptor's output at each picture, shape (N, H, W)."""
        log = log_light(seen, self._spec)
        if self.cutoff_hz is None:
            return log
        follows = self._spec.cutoff_follows_light
        mean = (seen[1:] + seen[:-1]) / 2
        share = (255 * mean + 20) / 275 if follows else torch.ones_like(mean)
        seconds = torch.as_tensor(np.diff(t_us) * US)[:, None, None]
        rate = 2 * math.pi * self.cutoff_hz() * share * seconds
        return log - lag_of(log, rate, order=self._spec.filter_order)


def log_light(seen: torch.Tensor, spec: EventCameraSpec) -> torch.Tensor:
    """`datagen.sensors.events.response` of luminance, white = 1."""
    curve = response_of(spec)
    y = curve.scale * seen + curve.offset
    return y.clamp_min(curve.knee).log() + y.clamp_max(curve.knee) * curve.slope


def lag_of(log: torch.Tensor, rate: torch.Tensor, *, order: int) -> torch.Tensor:
    """Input minus output of one or two low-pass stages that have settled on the first picture.

    Input is linear between pictures, so that with X the rate, D = G / X and e = exp(-X)

        lag_1' = D + (lag_1 - D) e,   lag_2' = D + ((lag_2 - D) + (lag_1 - D) X) e.

    Args:
        log: input at N instants, shape (N, H, W).
        rate: X = 2 pi corner times the interval, shape (N - 1, H, W).
        order: stages, 1 or 2.

    Returns:
        Shape (N, H, W), zeros first.
    """
    first = second = torch.zeros_like(log[0])
    lags = [first]
    for change, x in zip(log.diff(dim=0), rate, strict=True):
        settled, faded = change / x, torch.exp(-x)
        if order == 2:
            second = settled + ((second - settled) + (first - settled) * x) * faded
        first = settled + (first - settled) * faded
        lags.append(first + second)
    return torch.stack(lags)


def _count(
    events: EventArray, t_us: NDArray[np.int64], *, height: int, width: int
) -> NDArray[np.float64]:
    """Events by polarity, interval between pictures and pixel, shape (2, N - 1, H, W)."""
    interval = np.searchsorted(t_us, events.t, side="left") - 1
    shape = (2, len(t_us) - 1, height, width)
    cell = np.ravel_multi_index((events.p, interval, events.y, events.x), shape)
    return np.bincount(cell, minlength=math.prod(shape)).reshape(shape).astype(np.float64)

"""The spike camera: light -> spikes, with gradients for light and gain.

Spikes are those of `datagen.sensors.spike_camera.SpikeCamera`, to the bit. A pixel whose charge starts
anywhere below the threshold sends on average as many spikes as thresholds of charge arrive, one per
poll at most: alpha Y per poll at luminance Y. That expectation has the gradient; a pixel that is
brighter than one threshold per poll gives none. Noise is in the value and not in the gradient.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from datagen.diff.exact import exact_value
from datagen.diff.film import US, seen_film
from datagen.diff.positive import Positive
from datagen.representations.short_windows import short_windows
from datagen.sensors.spike_camera import SpikeCamera
from schemas.arrays import SpikeArray
from schemas.sensor import SpikeCameraSpec


@dataclass(frozen=True, slots=True)
class SpikeFilm:
    """What the pixels sent between the first and the last of N pictures."""

    spikes: SpikeArray
    """Polls that end in (t[0], t[-1]]."""
    charge: torch.Tensor
    """Thresholds of charge since the first picture, one per poll at most, at each picture,
    (N, H, W); gets gradients."""
    seconds: torch.Tensor
    """Times of the pictures since the first one [s], shape (N,)."""
    rate_hz: float
    """Polls per second."""

    def rates(self, windows: int) -> torch.Tensor:
        """Spikes per poll in short windows side by side, float32 (windows, H, W).

        The value is that of `datagen.representations.short_windows` with alpha 1.

        Raises:
            InputError: fewer polls than windows.
        """
        exact = short_windows(self.spikes, windows=windows, alpha=1.0)
        length = len(self.spikes) // windows
        starts = np.arange(windows) * (len(self.spikes) - length) // max(windows - 1, 1)
        start, stop = (torch.as_tensor(polls / self.rate_hz) for polls in (starts, starts + length))
        grown = at_times(self.charge, self.seconds, stop) - at_times(
            self.charge, self.seconds, start
        )
        return exact_value(exact, (grown / length).float())


class SpikePixels(nn.Module):
    """A spike camera whose gain is a parameter."""

    def __init__(self, spec: SpikeCameraSpec, *, height: int, width: int, key: int) -> None:
        """Start from a camera.

        Args:
            spec: with `start: random`, as by default; with `zero` pixels spike in step and the
                expectation is off by half a spike per film.
            height: rows [px].
            width: columns [px].
            key: seed of charges and noise.
        """
        super().__init__()
        self._spec, self._key = spec, key
        self._size = {"height": height, "width": width}
        self.alpha = Positive(spec.alpha)
        """Spikes per poll at luminance 1."""

    def spec(self) -> SpikeCameraSpec:
        """The camera as it is now, for a job."""
        return self._spec.model_copy(update={"alpha": self.alpha.value()})

    def forward(self, light: torch.Tensor, t_us: NDArray[np.int64]) -> SpikeFilm:
        """The spikes that a film of N pictures makes.

        Args:
            light: linear, white = 1, shape (N, H, W, 3), or luminance (N, H, W).
            t_us: times of the pictures [us], increasing, shape (N,).

        Raises:
            InputError: fewer than two pictures, or times, sizes or light that no camera takes.
        """
        seen, pictures = seen_film(light, t_us)
        camera = SpikeCamera(self.spec(), **self._size, key=self._key)
        state = camera.init_pictures(t_us[:1], pictures[:1])
        _, spikes = camera.step_pictures(state, t_us[1:], pictures[1:])
        seconds = torch.as_tensor((t_us - t_us[0]) * US)
        arriving = (self.alpha() * seen.double()).clamp_max(1.0) * self._spec.rate_hz
        grown = (arriving[1:] + arriving[:-1]) / 2 * seconds.diff()[:, None, None]
        charge = torch.cat([torch.zeros_like(grown[:1]), grown.cumsum(0)])
        return SpikeFilm(spikes, charge, seconds, self._spec.rate_hz)


def at_times(values: torch.Tensor, times: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
    """Values (N, H, W) at times (N,), interpolated at other times (K,): shape (K, H, W)."""
    after = torch.searchsorted(times, wanted).clamp(1, len(times) - 1)
    share = ((wanted - times[after - 1]) / times.diff()[after - 1])[:, None, None]
    return values[after - 1] + share * (values[after] - values[after - 1])

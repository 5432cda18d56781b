"""Learnt spike cameras: exact spikes, and the derivative of their expected number."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from datagen.diff.spike_pixels import SpikePixels
from datagen.errors import InputError
from datagen.representations.short_windows import short_windows
from datagen.sensors.spike_camera import SpikeCamera
from schemas.sensor import SpikeCameraSpec

SIDE = 110
T = np.arange(17) * 2000
SPEC = SpikeCameraSpec(rate_hz=5000.0)


def brightening(gain: torch.Tensor | float = 1.0) -> torch.Tensor:
    """Luminance (17, SIDE, SIDE): steady ramps, one for each pixel."""
    generator = torch.manual_seed(2)
    start, stop = torch.rand(2, SIDE, SIDE, generator=generator)
    share = torch.linspace(0, 1, len(T))[:, None, None]
    return (start + share * (stop - start)) * gain


def test_spikes_are_those_of_the_data_set() -> None:
    """Return the camera's spikes to the bit, and their rates."""
    film = SpikePixels(SPEC, height=SIDE, width=SIDE, key=3)(brightening(), T)
    camera, light = SpikeCamera(SPEC, height=SIDE, width=SIDE, key=3), brightening().numpy()
    _, spikes = camera.step_pictures(camera.init_pictures(T[:1], light[:1]), T[1:], light[1:])
    np.testing.assert_array_equal(film.spikes.packed, spikes.packed)
    rates = short_windows(spikes, windows=3, alpha=1.0)
    np.testing.assert_array_equal(film.rates(3).detach().numpy(), rates)


@pytest.mark.parametrize("gain", [1.0, 4.0], ids=["within range", "partly saturated"])
def test_gradients_are_differences_of_exact_spikes(gain: float) -> None:
    """Agree within 2 % with the exact camera for its gain and for the light."""
    pixels = SpikePixels(SPEC, height=SIDE, width=SIDE, key=3)
    weights = torch.rand(4, SIDE, SIDE, generator=torch.manual_seed(5))

    def found(light: torch.Tensor | float, alpha: float) -> torch.Tensor:
        with torch.no_grad():
            pixels.alpha.log_ratio.fill_(alpha)
        return (pixels(brightening(light), T).rates(4) * weights).mean()

    def difference(a: torch.Tensor, b: torch.Tensor) -> float:
        return (a - b).item() / 0.06

    value = torch.tensor(gain, requires_grad=True)
    by_light, by_alpha = torch.autograd.grad(found(value, 0.0), [value, pixels.alpha.log_ratio])
    up, down = gain * 1.03, gain * 0.97
    assert (by_light * gain).item() == pytest.approx(
        difference(found(up, 0.0), found(down, 0.0)), rel=0.02
    )
    assert by_alpha.item() == pytest.approx(
        difference(found(gain, 0.03), found(gain, -0.03)), rel=0.02
    )


def test_too_few_polls_are_told() -> None:
    """Refuse more windows than polls."""
    film = SpikePixels(SPEC, height=SIDE, width=SIDE, key=3)(brightening()[:2], T[:2])
    with pytest.raises(InputError, match="short windows"):
        film.rates(11)

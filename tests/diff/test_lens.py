"""The learnt lens: the data set's own light, and the derivative of its kernel."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from datagen.diff.lens import Lens
from datagen.errors import InputError
from datagen.optics import sensor_light
from schemas.camera import PinholeOptics


def radiance() -> torch.Tensor:
    return torch.rand(2, 24, 32, 3, generator=torch.manual_seed(3))


def exact(sigma: float, exposure: float) -> np.ndarray:
    optics = PinholeOptics(psf_sigma=sigma)
    return sensor_light(radiance().numpy(), optics, oversample=2, exposure=exposure)


@pytest.mark.parametrize("sigma", [0.3, 0.5, 2.2])
def test_light_is_that_of_the_data_set(sigma: float) -> None:
    """Return the kernel's light to the bit, and the same from differentiable operations."""
    lens = Lens(PinholeOptics(psf_sigma=sigma), exposure=1.3)
    scene = radiance().requires_grad_()
    light = lens(scene)
    np.testing.assert_array_equal(light.detach().numpy(), exact(sigma, 1.3))
    [total] = torch.autograd.grad((light * light.detach()).sum(), scene)
    # light is linear in radiance: its gradient, weighed with radiance, gives light back
    assert (total * scene).sum().item() == pytest.approx(
        np.square(exact(sigma, 1.3)).sum(), rel=1e-5
    )


@pytest.mark.parametrize("sigma", [0.5, 1.4])
def test_gradients_of_blur_and_exposure_are_differences_of_the_kernel(sigma: float) -> None:
    """Agree within 1e-3 with a central difference of the data set's optics."""
    lens = Lens(PinholeOptics(psf_sigma=sigma), exposure=1.3)
    weights = torch.randn(2, 12, 16, 3, generator=torch.manual_seed(4))
    (lens(radiance()) * weights).sum().backward()

    def difference(d_sigma: float, d_exposure: float) -> float:
        up, down = (
            exact(sigma * np.exp(s * d_sigma), 1.3 * np.exp(s * d_exposure)) for s in (1, -1)
        )
        return float(((up.astype(np.float64) - down) * weights.numpy()).sum() / 0.02)

    assert lens.psf_sigma.log_ratio.grad == pytest.approx(difference(0.01, 0.0), rel=1e-3, abs=1e-3)
    assert lens.exposure.log_ratio.grad == pytest.approx(difference(0.0, 0.01), rel=1e-3)


def test_a_lens_without_blur_has_nothing_to_learn_from() -> None:
    """Ask for a start above zero."""
    with pytest.raises(InputError, match="psf_sigma is 0"):
        Lens(PinholeOptics(psf_sigma=0.0), exposure=1.0)

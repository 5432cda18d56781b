"""The lens: scene radiance -> light on the pixels, with gradients for its blur and its exposure.

The value is that of `datagen.optics.sensor_light`. The point-spread function is a Gaussian of standard
deviation sigma [px], whose share of a sub-pixel is a difference of error functions: smooth in sigma.
"""

from __future__ import annotations

import math

import torch
from torch import nn
from torch.nn import functional

from datagen.diff.exact import exact_value
from datagen.diff.positive import Positive
from datagen.errors import InputError
from datagen.optics.sensor_plane import REACH, sensor_light
from schemas.camera import PinholeOptics


class Lens(nn.Module):
    """Point-spread function and exposure as parameters."""

    def __init__(self, spec: PinholeOptics, *, exposure: float, oversample: int = 2) -> None:
        """Start from a lens.

        Args:
            spec: its point-spread function must not be zero: a learnt one shrinks and grows by
                factors.
            exposure: factor from radiance to sensor units, where 1 is white.
            oversample: sub-pixels per pixel side of the radiance.

        Raises:
            InputError: the point-spread function is zero.
        """
        super().__init__()
        if spec.psf_sigma == 0.0:
            raise InputError("psf_sigma is 0; expected more to start from, such as 0.3")
        self.oversample = oversample
        self.psf_sigma = Positive(spec.psf_sigma)
        """Standard deviation of the Gaussian [px]."""
        self.exposure = Positive(exposure)
        """Factor from radiance to sensor units."""

    def spec(self) -> PinholeOptics:
        """The lens as it is now, for a job."""
        return PinholeOptics(psf_sigma=self.psf_sigma.value())

    def forward(self, radiance: torch.Tensor) -> torch.Tensor:
        """Linear light, (N, H, W, 3), from radiance (N, H * oversample, W * oversample, 3)."""
        light = sensor_light(
            radiance.detach().numpy(), self.spec(), oversample=self.oversample,
            exposure=self.exposure.value(),
        )  # fmt: skip
        weights = pixel_filter(self.psf_sigma(), self.oversample).to(radiance.dtype)
        smooth = radiance.movedim(-1, 1)
        for axis in (2, 3):
            smooth = _filtered(smooth, weights, self.oversample, axis)
        return exact_value(light, smooth.movedim(1, -1) * self.exposure().to(radiance.dtype))


def pixel_filter(sigma: torch.Tensor, oversample: int) -> torch.Tensor:
    """`datagen.optics.sensor_plane.pixel_filter` of a sigma above zero that gets gradients."""
    width = sigma * oversample
    reach = math.ceil(REACH * float(width.detach()))
    edges = torch.arange(-reach, reach + 2, dtype=sigma.dtype) - 0.5
    share = torch.erf(edges / (width * math.sqrt(2))).diff()
    box = torch.full((1, 1, oversample), 1.0 / oversample, dtype=sigma.dtype)
    spread = functional.conv1d((share / share.sum())[None, None], box, padding=oversample - 1)
    return spread[0, 0]


def _filtered(
    picture: torch.Tensor, weights: torch.Tensor, oversample: int, axis: int
) -> torch.Tensor:
    """Filter one axis of (N, 3, H, W) and keep one of `oversample`; the edge goes on beyond it."""
    reach = (len(weights) - oversample) // 2
    beyond = (reach, reach, 0, 0) if axis == 3 else (0, 0, reach, reach)
    size, stride = ([1, 1], [1, 1])
    size[axis - 2], stride[axis - 2] = len(weights), oversample
    padded = functional.pad(picture.flatten(0, 1)[:, None], beyond, mode="replicate")
    return functional.conv2d(padded, weights.reshape(1, 1, *size), stride=stride)[:, 0].unflatten(
        0, picture.shape[:2]
    )

"""What both sensors take: a film, pictures of light with their times, seen as luminance."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from datagen.errors import InputError
from datagen.sensors.light import BLUE, GREEN, RED

US = 1e-6


def seen_film(
    light: torch.Tensor, t_us: NDArray[np.int64]
) -> tuple[torch.Tensor, NDArray[np.float32]]:
    """The luminance of a film with gradients, and without as sensors take it, both (N, H, W).

    Args:
        light: linear, white = 1, shape (N, H, W, 3), or luminance (N, H, W).
        t_us: times of the pictures [us], shape (N,).

    Raises:
        InputError: fewer than two pictures, or not as many times.
    """
    if len(light) < 2 or len(light) != len(t_us):
        raise InputError(
            f"{len(light)} pictures and {len(t_us)} times; expected as many, and at least two"
        )
    seen = luminance(light) if light.ndim == 4 else light
    return seen, np.ascontiguousarray(seen.detach().numpy(), np.float32)


def luminance(light: torch.Tensor) -> torch.Tensor:
    """Rec. 709 luminance, (N, H, W), of linear light (N, H, W, 3), as sensors see it."""
    red, green, blue = (light[..., i] * float(w) for i, w in enumerate((RED, GREEN, BLUE)))
    return red + green + blue

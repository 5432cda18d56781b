"""PSNR and SSIM with the convention in the name, since published figures use several.

    psnr_u8    8-bit codes, cut off (not rounded) from [0, 1]
    psnr_f     codes as floats, not rounded
    ssim_k7    8-bit codes, 7 x 7 uniform windows, sample covariance (scikit-image's default)
    ssim_g11   codes as floats, 11 x 11 Gaussian windows of deviation 1.5 (Wang et al., "Image
               Quality Assessment: From Error Visibility to Structural Similarity", 2004)

Pictures are luminance (H, W) with white = 1, clipped to [0, 1]; the peak is 255. SSIM is the mean
over windows that lie wholly inside.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import correlate1d, uniform_filter

from datagen.errors import InputError

PEAK = 255.0
C1, C2 = (0.01 * PEAK) ** 2, (0.03 * PEAK) ** 2
Picture = NDArray[np.float32]
Mean = Callable[[NDArray[np.float64]], NDArray[np.float64]]


def psnr_u8(picture: Picture, truth: Picture) -> float:
    """Peak signal to noise ratio of 8-bit codes [dB]; infinite for equal pictures."""
    return _psnr(_codes(picture), _codes(truth))


def psnr_f(picture: Picture, truth: Picture) -> float:
    """Peak signal to noise ratio without rounding [dB]; infinite for equal pictures."""
    return _psnr(_levels(picture), _levels(truth))


def ssim_k7(picture: Picture, truth: Picture) -> float:
    """Structural similarity of 8-bit codes, 7 x 7 uniform windows, sample covariance."""
    return _ssim(_codes(picture), _codes(truth), lambda a: uniform_filter(a, 7), 3, 49 / 48)


def ssim_g11(picture: Picture, truth: Picture) -> float:
    """Structural similarity without rounding, 11 x 11 Gaussian windows."""
    at = np.arange(-5, 6)
    weights = np.exp(-(at**2) / (2 * 1.5**2))
    weights /= weights.sum()

    def mean(a: NDArray[np.float64]) -> NDArray[np.float64]:
        return correlate1d(correlate1d(a, weights, axis=0), weights, axis=1)

    return _ssim(_levels(picture), _levels(truth), mean, 5, 1.0)


def _levels(picture: Picture) -> NDArray[np.float64]:
    return np.clip(picture.astype(np.float64), 0.0, 1.0) * PEAK


def _codes(picture: Picture) -> NDArray[np.float64]:
    return np.floor(_levels(picture))


def _psnr(a: NDArray[Any], b: NDArray[Any]) -> float:
    _check_sizes(a, b, 1)
    error = float(np.mean((a - b) ** 2))
    return float("inf") if error == 0.0 else 10.0 * float(np.log10(PEAK**2 / error))


def _ssim(a: NDArray[Any], b: NDArray[Any], mean: Mean, border: int, sample: float) -> float:
    _check_sizes(a, b, 2 * border + 1)
    mean_a, mean_b = mean(a), mean(b)
    var_a, var_b = sample * (mean(a * a) - mean_a**2), sample * (mean(b * b) - mean_b**2)
    both = sample * (mean(a * b) - mean_a * mean_b)
    light = (2 * mean_a * mean_b + C1) / (mean_a**2 + mean_b**2 + C1)
    structure = (2 * both + C2) / (var_a + var_b + C2)
    inside = slice(border, -border)
    return float(np.mean((light * structure)[inside, inside]))


def _check_sizes(a: NDArray[Any], b: NDArray[Any], smallest: int) -> None:
    if a.shape != b.shape or a.ndim != 2 or min(a.shape) < smallest:
        raise InputError(
            f"pictures have shapes {a.shape} and {b.shape}; expected two of one size (H, W), at "
            f"least {smallest} px each way"
        )

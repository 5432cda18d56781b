"""PSNR and SSIM against their definitions, window by window."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from datagen.errors import InputError
from datagen.representations.picture_quality import psnr_f, psnr_u8, ssim_g11, ssim_k7

RNG = np.random.default_rng(0)
TRUTH = RNG.random((18, 23)).astype(np.float32)
NOISY = np.clip(TRUTH + 0.1 * RNG.standard_normal(TRUTH.shape), -0.1, 1.1).astype(np.float32)


def test_psnr_of_a_known_error() -> None:
    """Give 20 log10(255 / e) for pictures that differ by e codes everywhere."""
    a = np.full((8, 9), 100 / 255, np.float32)
    b = np.full((8, 9), 110.6 / 255, np.float32)
    assert psnr_f(a, b) == pytest.approx(20 * np.log10(255 / 10.6), abs=1e-4)
    assert psnr_u8(a + np.float32(1e-4), b) == pytest.approx(20 * np.log10(25.5), abs=1e-6)
    assert psnr_u8(a, a) == float("inf")


def windowed(a: Any, b: Any, weights: Any, sample: float) -> float:
    """SSIM by going through all windows."""
    n = len(weights)
    scores = []
    for y in range(a.shape[0] - n + 1):
        for x in range(a.shape[1] - n + 1):
            p, q = a[y : y + n, x : x + n], b[y : y + n, x : x + n]
            mp, mq = (weights * p).sum(), (weights * q).sum()
            vp, vq = (
                sample * (weights * (p - mp) ** 2).sum(),
                sample * (weights * (q - mq) ** 2).sum(),
            )
            both = sample * (weights * (p - mp) * (q - mq)).sum()
            light = (2 * mp * mq + 6.5025) / (mp**2 + mq**2 + 6.5025)
            scores.append(light * (2 * both + 58.5225) / (vp + vq + 58.5225))
    return float(np.mean(scores))


def test_uniform_windows() -> None:
    """Equal the definition with 7 x 7 uniform windows on codes."""
    codes = [np.floor(np.clip(p.astype(float), 0, 1) * 255) for p in (NOISY, TRUTH)]
    expected = windowed(*codes, np.full((7, 7), 1 / 49), 49 / 48)
    assert ssim_k7(NOISY, TRUTH) == pytest.approx(expected, abs=1e-10)


def test_gaussian_windows() -> None:
    """Equal the definition with 11 x 11 Gaussian windows."""
    at = np.arange(-5, 6)
    weights = np.exp(-(at[:, None] ** 2 + at**2) / 4.5)
    levels = [np.clip(p.astype(float), 0, 1) * 255 for p in (NOISY, TRUTH)]
    expected = windowed(*levels, weights / weights.sum(), 1.0)
    assert ssim_g11(NOISY, TRUTH) == pytest.approx(expected, abs=1e-10)


def test_equal_pictures_score_one() -> None:
    """Give 1 for a picture and itself."""
    assert ssim_k7(TRUTH, TRUTH) == pytest.approx(1.0)
    assert ssim_g11(TRUTH, TRUTH) == pytest.approx(1.0)


def test_sizes_that_do_not_fit_are_refused() -> None:
    """Refuse two sizes and pictures smaller than a window."""
    with pytest.raises(InputError, match="one size"):
        psnr_f(TRUTH, TRUTH[:-1])
    with pytest.raises(InputError, match="at least 11 px"):
        ssim_g11(TRUTH[:9], NOISY[:9])

"""Elementary functions against those of numpy, and the numbers drawn with them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from numba import njit

from datagen.sensors.elementary import (
    GENTLE,
    decayed,
    decayed_f32,
    exponentials,
    fma,
    mean_decay_f32,
    natural_log_f32,
    natural_logs,
)
from datagen.sensors.hashing import normal, normal_f32, normal_field, stream_key

SPREAD = np.concatenate([np.logspace(-300, 300, 4001), np.linspace(0.5, 2.0, 4001)])


def of_singles(function: Any, x: Any) -> Any:
    return np.vectorize(function, otypes=[np.float64])(x.astype(np.float32))


def test_fma_rounds_once() -> None:
    """Keep what a product's rounding would lose."""
    fused = njit(lambda a, b, c: fma(a, b, c))
    tiny = 2.0**-30
    assert fused(1.0 + tiny, 1.0 - tiny, -1.0) == -(2.0**-60)


def test_logarithm() -> None:
    """Be right to 1e-15 for all positive numbers."""
    np.testing.assert_allclose(natural_logs(SPREAD), np.log(SPREAD), rtol=2e-15, atol=1e-16)


def test_exponential() -> None:
    """Be right to rounding, and hold powers beyond what a number can be."""
    x = np.linspace(-690.0, 690.0, 20_001)
    np.testing.assert_allclose(exponentials(x), np.exp(x), rtol=3e-14)
    near = np.linspace(-1.0, 1.0, 2001)
    np.testing.assert_allclose(exponentials(near), np.exp(near), rtol=1e-15)
    assert np.all(np.isfinite(exponentials(np.array([-1e9, 1e9]))))


def test_decay() -> None:
    """Be right to 1e-15 also where 1 - exp(-x) is tiny."""
    x = np.concatenate([[0.0], np.logspace(-300, 3, 4001)])
    found = np.vectorize(decayed)(x)
    np.testing.assert_allclose(found, -np.expm1(-x), rtol=2e-15)


def test_single_precision() -> None:
    """Be right to a single's rounding, a few units in its last place."""
    x = np.logspace(-20, 20, 4001).astype(np.float32).astype(float)
    np.testing.assert_allclose(of_singles(natural_log_f32, x), np.log(x), rtol=1e-7, atol=1e-7)
    gentle = np.linspace(1e-6, float(GENTLE), 4001).astype(np.float32).astype(float)
    share = -np.expm1(-gentle) / gentle
    np.testing.assert_allclose(of_singles(mean_decay_f32, gentle), share, rtol=2e-7)
    wide = np.logspace(-30, 4, 4001).astype(np.float32).astype(float)
    np.testing.assert_allclose(of_singles(decayed_f32, wide), -np.expm1(-wide), rtol=2e-7)
    assert decayed_f32(np.float32(np.inf)) == 1.0


def test_normal_numbers() -> None:
    """Have the normal distribution to 4 sigma, tails included, whoever asks for them."""
    n = 1_000_000
    key = stream_key(5, 1)
    drawn = normal_field(key, (1000, 1000)).ravel()
    assert drawn[123] == pytest.approx(normal(key, 123), rel=0, abs=0)
    for moment, expected, variance in ((1, 0, 1), (2, 1, 2), (3, 0, 15), (4, 3, 96)):
        assert np.mean(drawn**moment) == pytest.approx(expected, abs=4 * (variance / n) ** 0.5)
    for edge in (-4.0, -2.5, -1.0, 0.0, 0.3, 1.7, 3.0, 4.2):
        share = 0.5 * math.erfc(edge / 2**0.5)
        assert np.mean(drawn > edge) == pytest.approx(
            share, abs=4 * (share * (1 - share) / n) ** 0.5
        )
    assert abs(np.corrcoef(drawn[:-1], drawn[1:])[0, 1]) < 4 / n**0.5


def test_normal_numbers_in_single_precision() -> None:
    """Draw the same number from the same word, to a single's rounding."""
    key = stream_key(5, 2)
    both = np.array([(normal(key, i), normal_f32(key, i)) for i in range(20_000)])
    np.testing.assert_allclose(both[:, 1], both[:, 0], rtol=1e-5, atol=3e-6)

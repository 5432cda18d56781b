"""Crossings of many noisy pixels at once, against halving each by itself."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from datagen.sensors.events.noisy_solver import (
    AT,
    BASE,
    GAIN,
    LEVEL,
    ROW,
    ROWS,
    SIDE,
    TURN,
    U0,
    A,
    G,
    X,
    solve,
)

N = 1000
HALVINGS = 60


def paths(rng: np.random.Generator, rates: tuple[float, float]) -> Any:
    """u0, g, a and x of paths that turn, and of as many that do not."""
    x = np.exp(rng.uniform(*np.log(rates), N))
    g, turn = rng.normal(0.0, 0.5, N), rng.uniform(0.0, 1.0, N)
    a = np.where(np.arange(N) % 2, -g * np.exp(x * turn) / x, np.abs(rng.normal(0.0, 0.5, N)) * g)
    return rng.normal(0.0, 0.1, N), g, a, x


def height(path: Any, s: Any) -> Any:
    u0, g, a, x = path
    return u0 + g * s - a * np.expm1(-x * s)


def halved(path: Any, level: Any, start: Any, stop: Any) -> Any:
    rising = height(path, stop) > height(path, start)
    for _ in range(HALVINGS):
        middle = 0.5 * (start + stop)
        beyond = (height(path, middle) > level) == rising
        start, stop = np.where(beyond, start, middle), np.where(beyond, middle, stop)
    return 0.5 * (start + stop)


@pytest.mark.parametrize("rates", [(1e-3, 2.0), (2.0, 60.0), (60.0, 300.0)])
def test_crossings_are_where_halving_finds_them(rates: tuple[float, float]) -> None:
    """Find any level on either side of a turning point, slow filters and fast ones."""
    rng = np.random.default_rng(3)
    path = u0, g, a, x = paths(rng, rates)
    turns = (np.arange(N) % 2 == 1) & (np.abs(a) < 1e3)
    a[~turns & (np.abs(a) >= 1e3)] = 0.0
    with np.errstate(divide="ignore", invalid="ignore"):
        turn = np.where(turns, np.log(-a * x / g) / x, 1.0)
    side = np.where(turns, rng.choice([-1.0, 1.0], N), 0.0)
    start, stop = np.where(side > 0, turn, 0.0), np.where(side < 0, turn, 1.0)
    share = rng.uniform(0.02, 0.98, N)
    level = (1 - share) * height(path, start) + share * height(path, stop)
    rise = height(path, np.ones(N)) - u0
    slowed = -a * x * np.expm1(-x)
    z = np.full(ROWS * ROW, np.nan)
    for row, values in {
        U0: u0, G: g, A: a, X: x, LEVEL: level, SIDE: side,
        TURN: np.where(turns, turn, 0.5 * slowed / rise),
        BASE: np.where(turns, height(path, turn), u0),
        GAIN: np.where(turns, 2.0 / (g * x), 1.0 / rise),
    }.items():  # fmt: skip
        z[row : row + N] = values
    solve(N, z)
    found = z[AT : AT + N]
    assert np.all((found > start - 1e-5) & (found < stop + 1e-5))
    error = np.abs(height(path, found) - level)
    steep = np.abs(height(path, stop) - height(path, start))
    np.testing.assert_allclose(error / steep, 0.0, atol=1e-9)
    np.testing.assert_allclose(found, halved(path, level, start, stop), rtol=0, atol=2e-6)

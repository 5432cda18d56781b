"""Truncated Taylor series against derivatives known in closed form."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trajectories.jet import Jet
from trajectories.vector import Rotation, Vector

T = np.linspace(-1.0, 1.0, 9)
TIME = Jet.time(T, 3)


def derivatives(jet: Jet) -> np.ndarray:
    """f, f', f'', f'''."""
    return jet.c * np.array([math.factorial(k) for k in range(len(jet.c))])[:, None]


@pytest.mark.parametrize(
    ("jet", "expected"),
    [
        (TIME * TIME * TIME - 2.0 * TIME + 1.0,
         [T**3 - 2 * T + 1, 3 * T**2 - 2, 6 * T, 6 + 0 * T]),
        (TIME.constant(1.0) / (TIME + 2.0),
         [1 / (T + 2), -1 / (T + 2) ** 2, 2 / (T + 2) ** 3, -6 / (T + 2) ** 4]),
        ((TIME + 2.0).sqrt(),
         [(T + 2) ** 0.5, 0.5 * (T + 2) ** -0.5, -0.25 * (T + 2) ** -1.5, 0.375 * (T + 2) ** -2.5]),
        ((3.0 * TIME).sin(),
         [np.sin(3 * T), 3 * np.cos(3 * T), -9 * np.sin(3 * T), -27 * np.cos(3 * T)]),
        ((TIME * TIME).cos(),
         [np.cos(T**2), -2 * T * np.sin(T**2), -2 * np.sin(T**2) - 4 * T**2 * np.cos(T**2),
          -12 * T * np.cos(T**2) + 8 * T**3 * np.sin(T**2)]),
        ((1.0 - TIME) / 4.0, [(1 - T) / 4, -0.25 + 0 * T, 0 * T, 0 * T]),
    ],
    ids=["polynomial", "reciprocal", "sqrt", "sin", "cos of a square", "constants"],
)  # fmt: skip
def test_derivatives_are_those_of_calculus(jet: Jet, expected: list[np.ndarray]) -> None:
    """Equal hand-made derivatives up to the third."""
    np.testing.assert_allclose(derivatives(jet), np.array(expected), atol=1e-13)


@given(st.lists(st.floats(0.5, 2.0), min_size=4, max_size=4))
def test_division_and_sqrt_undo_multiplication(coefficients: list[float]) -> None:
    """Give back a series after a product is divided, or a square is rooted."""
    a = Jet(np.array(coefficients)[:, None])
    b = Jet(np.array(coefficients[::-1])[:, None])
    np.testing.assert_allclose((a * b / b).c, a.c, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose((a * a).sqrt().c, a.c, rtol=1e-9, atol=1e-9)


def test_derivative_is_one_order_shorter() -> None:
    """Shift the series of t^3 to that of 3 t^2."""
    shifted = (TIME * TIME * TIME).derivative()
    np.testing.assert_allclose(shifted.c, (3.0 * TIME * TIME).c[:3], atol=1e-14)


def test_angular_velocity_of_a_spin_about_z() -> None:
    """Find omega = (0, 0, f') and alpha = (0, 0, f'') for a turn by f = t^2 about z."""
    sine, cosine = (TIME * TIME).sin_cos()
    zero, one = TIME.constant(0.0), TIME.constant(1.0)
    spin = Rotation(
        Vector(cosine, sine, zero), Vector(-sine, cosine, zero), Vector(zero, zero, one)
    )
    omega = spin.angular_velocity()
    np.testing.assert_allclose(omega.value, np.stack([0 * T, 0 * T, 2 * T], axis=1), atol=1e-14)
    np.testing.assert_allclose(omega.first, np.stack([0 * T, 0 * T, 2 + 0 * T], axis=1), atol=1e-13)

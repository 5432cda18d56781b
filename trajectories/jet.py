"""Truncated Taylor series in time: write a formula once, get its exact derivatives.

A jet holds c[k] = f^(k)(t) / k! for k = 0 .. order at N times. Arithmetic and elementary functions
follow from their power-series recurrences (A. Griewank and A. Walther, Evaluating Derivatives,
2nd ed., SIAM 2008, chapter 13). All operations act element by element, so a result at one time
does not depend on the others in the batch.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Jet:
    """A scalar function of time at N times, with its derivatives."""

    c: Floats
    """Taylor coefficients, shape (order + 1, N)."""

    __array_ufunc__: ClassVar[None] = None  # numpy scalars on the left defer to the jet

    @staticmethod
    def time(t: Floats, order: int) -> Jet:
        """Time itself: value t, rate 1."""
        c = np.zeros((order + 1, len(t)))
        c[0], c[1] = t, 1.0
        return Jet(c)

    @staticmethod
    def from_derivatives(derivatives: list[Floats]) -> Jet:
        """From f, f', f'', ... at N times."""
        c = np.array(derivatives)
        factorial = 1.0
        for k in range(2, len(c)):
            factorial *= k
            c[k] /= factorial
        return Jet(c)

    def constant(self, value: float | Floats) -> Jet:
        """A constant at the same times and of the same order."""
        c = np.zeros_like(self.c)
        c[0] = value
        return Jet(c)

    @property
    def value(self) -> Floats:
        """f, shape (N,)."""
        out: Floats = self.c[0]
        return out

    @property
    def first(self) -> Floats:
        """f', shape (N,)."""
        out: Floats = self.c[1]
        return out

    @property
    def second(self) -> Floats:
        """f'', shape (N,)."""
        out: Floats = 2.0 * self.c[2]
        return out

    def derivative(self) -> Jet:
        """f', one order shorter."""
        return Jet(self.c[1:] * np.arange(1.0, len(self.c))[:, None])

    def __neg__(self) -> Jet:
        return Jet(-self.c)

    def __add__(self, other: Jet | float) -> Jet:
        if not isinstance(other, Jet):
            return self + self.constant(other)
        n = min(len(self.c), len(other.c))
        return Jet(self.c[:n] + other.c[:n])

    def __sub__(self, other: Jet | float) -> Jet:
        return self + (-other)

    def __mul__(self, other: Jet | float) -> Jet:
        """Cauchy product."""
        if not isinstance(other, Jet):
            return Jet(self.c * other)
        a, b = self.c, other.c
        return _series(min(len(a), len(b)), lambda k, _: _convolve(a, b, k, range(k + 1)))

    def __truediv__(self, other: Jet | float) -> Jet:
        """From (self / other) * other = self, coefficient by coefficient."""
        if not isinstance(other, Jet):
            return Jet(self.c / other)
        a, b = self.c, other.c
        return _series(
            min(len(a), len(b)),
            lambda k, q: (a[k] - _convolve(b, q, k, range(1, k + 1))) / b[0],
        )

    __radd__ = __add__
    __rmul__ = __mul__

    def __rsub__(self, other: float) -> Jet:
        return -self + other

    def sqrt(self) -> Jet:
        """From r * r = self; the value must be above zero."""
        a = self.c
        root = np.sqrt(a[0])
        return _series(
            len(a),
            lambda k, r: (a[k] - _convolve(r, r, k, range(1, k))) / (2.0 * root) if k else root,
        )

    def sin_cos(self) -> tuple[Jet, Jet]:
        """Sine and cosine, from s' = f' c and c' = -f' s."""
        a = self.derivative().c
        sine, cosine = [np.sin(self.c[0])], [np.cos(self.c[0])]
        for k in range(1, len(self.c)):
            ds = _convolve(a, cosine, k - 1, range(k))
            dc = _convolve(a, sine, k - 1, range(k))
            sine.append(ds / k)
            cosine.append(-dc / k)
        return Jet(np.array(sine)), Jet(np.array(cosine))

    def sin(self) -> Jet:
        """Sine."""
        return self.sin_cos()[0]

    def cos(self) -> Jet:
        """Cosine."""
        return self.sin_cos()[1]


def _convolve(a: Floats | list[Floats], b: Floats | list[Floats], k: int, rows: range) -> Floats:
    """The sum of a[i] b[k - i] over i in rows."""
    total = np.zeros_like(a[0])
    for i in rows:
        total = total + a[i] * b[k - i]
    return total


def _series(length: int, coefficient: Callable[[int, list[Floats]], Floats]) -> Jet:
    """Coefficients in order, each from its index and those before it."""
    c: list[Floats] = []
    for k in range(length):
        c.append(coefficient(k, c))
    return Jet(np.array(c))

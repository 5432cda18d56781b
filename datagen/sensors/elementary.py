"""Logarithm, exponential and decay whose bits are the same on every processor.

Vendors' libraries round these functions differently, which would move an event now and then. Here
they are plain arithmetic: argument reduction by powers of two, then a short series. They take scalars
inside compiled loops, and vectorise there.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit
from numba.extending import intrinsic

LN2 = 0.6931471805599453
LOG2_E = 1.4426950408889634
MANTISSA_BITS = np.int64(52)
EXPONENT_BIAS = np.int64(1023)
SQRT_HALF = np.int64(0x3FE6A09E667F3BCD)
"""Bits of sqrt(1/2)."""

F32_ONE = np.float32(1.0)
F32_LN2 = np.float32(LN2)
F32_LOG2_E = np.float32(LOG2_E)
F32_LOG = tuple(
    np.float32(c)
    for c in (
        0.333333307, -0.250003064, 0.200010451, -0.166412815, 0.142144959, -0.129981838, 0.126223198,
        -0.0790274377,
    )
)  # fmt: skip
"""Of (ln(1 + f) - f + f^2 / 2) / f^3, which they interpolate at the Chebyshev nodes between
sqrt(1/2) - 1 and sqrt(2) - 1."""
F32_SHARE = tuple(
    np.float32(c)
    for c in (
        1.0, -0.499999364, 0.166659933, -0.0416392819, 0.00827802891, -0.00132712135, 0.00015883984,
        -1.04743493e-05,
    )
)  # fmt: skip
"""Of (1 - exp(-x)) / x, likewise between 0 and `GENTLE`."""
GENTLE = np.float32(2.0)
F32_FACTORIALS = tuple(np.float32(c) for c in (1 / 2, 1 / 6, 1 / 24, 1 / 120, 1 / 720, 1 / 5040))
F32_MANTISSA_BITS = np.int32(23)
F32_EXPONENT_BIAS = np.int32(127)
F32_SQRT_HALF = np.int32(0x3F3504F3)
F32_DECAYED = np.float32(80.0)
"""exp(-80) is nothing beside 1."""
F32_HALF = np.float32(0.5)


@intrinsic
def fma(typingctx, a, b, c):  # type: ignore[no-untyped-def]  # noqa: ARG001
    """a b + c, rounded once, which is one instruction on every processor of the last ten years."""
    return a(a, a, a), _build_fma


def _build_fma(context: Any, builder: ir.IRBuilder, signature: Any, args: Any) -> Any:  # noqa: ARG001
    return builder.fma(*args)


@njit(cache=True, nogil=True, error_model="numpy")
def natural_log(x):  # type: ignore[no-untyped-def]
    """ln x of a normal positive float64, to 1e-15: 2 artanh((m - 1) / (m + 1)) + exponent ln 2."""
    bits = np.float64(x).view(np.int64)
    exponent = (bits - SQRT_HALF) >> MANTISSA_BITS
    m = np.int64(bits - (exponent << MANTISSA_BITS)).view(np.float64)
    s = (m - 1.0) / (m + 1.0)
    z = s * s
    z2 = z * z
    z4 = z2 * z2
    low = fma(z2, fma(z, 1 / 9, 1 / 7), fma(z, 1 / 5, 1 / 3))
    high = fma(z2, fma(z, 1 / 17, 1 / 15), fma(z, 1 / 13, 1 / 11))
    high = fma(z4, fma(z, 1 / 21, 1 / 19), high)
    return fma(np.float64(exponent), LN2, 2.0 * fma(s * z, fma(z4, high, low), s))


@njit(cache=True, nogil=True, error_model="numpy")
def exponential(x):  # type: ignore[no-untyped-def]
    """exp x of a float64, to a relative 1e-15 near 1 and 3e-14 at the ends; |x| is held below 700."""
    x = np.minimum(np.maximum(x, -700.0), 700.0)
    n = np.floor(x * LOG2_E + 0.5)
    r = fma(n, -LN2, x)
    r2 = r * r
    r4 = r2 * r2
    low = fma(r2, fma(r, 1 / 6, 1 / 2), 1.0 + r)
    middle = fma(r2, fma(r, 1 / 5040, 1 / 720), fma(r, 1 / 120, 1 / 24))
    high = fma(r2, fma(r, 1 / 39916800, 1 / 3628800), fma(r, 1 / 362880, 1 / 40320))
    highest = fma(r, 1 / 6227020800, 1 / 479001600)
    power = np.int64((np.int64(n) + EXPONENT_BIAS) << MANTISSA_BITS).view(np.float64)
    return power * fma(r4, fma(r4, fma(r4, highest, high), middle), low)


@njit(cache=True, nogil=True, error_model="numpy")
def decayed(x):  # type: ignore[no-untyped-def]
    """1 - exp(-x) of a float64 x >= 0, to a relative 1e-15 also where x is tiny."""
    x = np.minimum(x, 700.0)
    n = np.floor(x * LOG2_E + 0.5)
    r = fma(n, LN2, -x)
    r2 = r * r
    r4 = r2 * r2
    low = fma(r2, fma(r, 1 / 120, 1 / 24), fma(r, 1 / 6, 1 / 2))
    middle = fma(r2, fma(r, 1 / 362880, 1 / 40320), fma(r, 1 / 5040, 1 / 720))
    high = fma(r2, fma(r, 1 / 6227020800, 1 / 479001600), fma(r, 1 / 39916800, 1 / 3628800))
    grown = fma(r2, fma(r4, fma(r4, high, middle), low), r)
    halved = np.int64((EXPONENT_BIAS - np.int64(n)) << MANTISSA_BITS).view(np.float64)
    return (1.0 - halved) - halved * grown


@njit(cache=True, nogil=True, error_model="numpy")
def exponentials(x):  # type: ignore[no-untyped-def]
    """`exponential` of every element of a flat array."""
    out = np.empty(x.size, np.float64)
    for i in range(x.size):
        out[i] = exponential(x[i])
    return out


@njit(cache=True, nogil=True, error_model="numpy")
def natural_logs(x):  # type: ignore[no-untyped-def]
    """`natural_log` of every element of a flat array."""
    out = np.empty(x.size, np.float64)
    for i in range(x.size):
        out[i] = natural_log(x[i])
    return out


@njit(cache=True, nogil=True, error_model="numpy")
def natural_log_f32(x):  # type: ignore[no-untyped-def]
    """ln x of a normal positive float32, to 1e-7 of the larger of ln x and 1."""
    bits = np.float32(x).view(np.int32)
    exponent = np.int32(bits - F32_SQRT_HALF) >> F32_MANTISSA_BITS
    m = np.int32(bits - np.int32(exponent << F32_MANTISSA_BITS)).view(np.float32)
    f = m - F32_ONE
    f2 = f * f
    a, b, c, d, e, g, h, i = F32_LOG
    low = fma(f2, fma(f, d, c), fma(f, b, a))
    high = fma(f2, fma(f, i, h), fma(f, g, e))
    series = fma(f2 * f2, high, low)
    return fma(np.float32(exponent), F32_LN2, fma(f2, fma(f, series, -F32_HALF), f))


@njit(cache=True, nogil=True, error_model="numpy")
def decayed_f32(x):  # type: ignore[no-untyped-def]
    """1 - exp(-x) of a float32 x >= 0, to a relative 2e-7 also where x is tiny."""
    x = np.minimum(np.float32(x), F32_DECAYED)
    n = np.floor(x * F32_LOG2_E + F32_HALF)
    r = fma(n, F32_LN2, -x)
    a, b, c, d, e, f = F32_FACTORIALS
    r2 = r * r
    grown = fma(r2, fma(r2, fma(r2, fma(r, f, e), fma(r, d, c)), fma(r, b, a)), r)
    halved = np.int32((F32_EXPONENT_BIAS - np.int32(n)) << F32_MANTISSA_BITS).view(np.float32)
    return (F32_ONE - halved) - halved * grown


@njit(cache=True, nogil=True, error_model="numpy")
def mean_decay_f32(x):  # type: ignore[no-untyped-def]
    """(1 - exp(-x)) / x of a float32 x from 0 to `GENTLE`, to a relative 2e-7."""
    x = np.float32(x)
    x2 = x * x
    a, b, c, d, e, f, g, h = F32_SHARE
    low = fma(x2, fma(x, d, c), fma(x, b, a))
    high = fma(x2, fma(x, h, g), fma(x, f, e))
    return fma(x2 * x2, high, low)

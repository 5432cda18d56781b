"""Light as sensors take it: checked luminance pictures, and the logarithm that all of them share.

The logarithm is our own so that its bits are the same on every processor: argument reduction to
m in [sqrt(1/2), sqrt(2)) and log m = 2 artanh((m - 1) / (m + 1)) as a series; within 2 ulp or
1e-15 of the true value.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from datagen.errors import InputError
from schemas.arrays import LightBatch

LN2 = 0.6931471805599453
SQRT_HALF_BITS = np.int64(0x3FE6A09E667F3BCD)
MANTISSA_BITS = np.int64(52)


def first_luminance(light: LightBatch, *, height: int, width: int) -> NDArray[np.float32]:
    """The one picture that a sensor starts from, shape (H, W).

    Raises:
        InputError: not exactly one picture, another size, or light that is negative or not finite.
    """
    if len(light.t) != 1:
        raise InputError(f"a sensor starts from one picture; got {len(light.t)}")
    return _checked(light, height, width)[0]


def next_luminance(
    light: LightBatch, *, after_us: int, height: int, width: int
) -> NDArray[np.float32]:
    """The pictures that follow `after_us`, shape (N, H, W).

    Raises:
        InputError: times that stand still or go back, another size, or light that is negative or
            not finite.
    """
    gaps = np.diff(light.t, prepend=after_us)
    if np.any(gaps <= 0):
        k = int(np.argmax(gaps <= 0))
        raise InputError(
            f"picture {k} is at {int(light.t[k])} us, {int(gaps[k])} us after the one before it; "
            "expected times that increase. Drop or re-stamp repeated pictures."
        )
    if np.any(gaps >= 2**31):
        k = int(np.argmax(gaps >= 2**31))
        raise InputError(
            f"picture {k} comes {int(gaps[k])} us after the one before it; expected less than "
            "2^31 us (35 minutes) between pictures"
        )
    return _checked(light, height, width)


def _checked(light: LightBatch, height: int, width: int) -> NDArray[np.float32]:
    if light.rgb.shape[1:3] != (height, width):
        raise InputError(
            f"pictures have {light.rgb.shape[1]} rows and {light.rgb.shape[2]} columns; the sensor "
            f"has {height} and {width}"
        )
    luminance = light.luminance()
    if luminance.size and not (luminance.min() >= 0 and luminance.max() < np.inf):
        bad = ~((luminance >= 0) & (luminance < np.inf))
        k, y, x = (int(i) for i in np.argwhere(bad)[0])
        raise InputError(
            f"luminance at {int(light.t[k])} us, row {y}, column {x} is {luminance[k, y, x]} "
            f"({np.count_nonzero(bad)} such pixels); expected finite light, zero or above"
        )
    return luminance


@njit(cache=True, nogil=True)
def natural_log(x):  # type: ignore[no-untyped-def]
    """ln x of a normal positive float64, the same bits everywhere."""
    bits = np.float64(x).view(np.int64)
    exponent = (bits - SQRT_HALF_BITS) >> MANTISSA_BITS
    m = np.int64(bits - (exponent << MANTISSA_BITS)).view(np.float64)
    s = (m - 1.0) / (m + 1.0)
    z = s * s
    series = 1.0 / 21.0
    series = series * z + 1.0 / 19.0
    series = series * z + 1.0 / 17.0
    series = series * z + 1.0 / 15.0
    series = series * z + 1.0 / 13.0
    series = series * z + 1.0 / 11.0
    series = series * z + 1.0 / 9.0
    series = series * z + 1.0 / 7.0
    series = series * z + 1.0 / 5.0
    series = series * z + 1.0 / 3.0
    return exponent * LN2 + 2.0 * (s + s * z * series)


@njit(cache=True, nogil=True)
def log_picture(luminance, eps):  # type: ignore[no-untyped-def]
    """ln(luminance + eps) of a picture, float64."""
    flat = luminance.ravel()
    out = np.empty(flat.size, np.float64)
    for i in range(flat.size):
        out[i] = natural_log(np.float64(flat[i]) + eps)
    return out.reshape(luminance.shape)

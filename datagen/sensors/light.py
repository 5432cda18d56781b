"""Light as sensors take it: pictures of checked size, time and value.

A picture is linear luminance, float32 with white = 1 or uint8 with white = 255.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from datagen.errors import InputError
from schemas.arrays import REC_709, LightBatch

Pictures = NDArray[np.float32] | NDArray[np.uint8]
LONGEST_GAP_US = 2**30 - 1
INFINITY_BITS = np.uint32(0x7F800000)
RED, GREEN, BLUE = (np.float32(w) for w in REC_709)


def first_luminance(light: LightBatch, *, height: int, width: int) -> NDArray[np.float32]:
    """The one picture that a sensor starts from, shape (H, W).

    Raises:
        InputError: not exactly one picture, another size, or light that is negative or not finite.
    """
    check_single(light.t)
    pictures = luminance(light)
    check_values(pictures, light.t, height=height, width=width)
    return pictures[0]


def next_luminance(
    light: LightBatch, *, after_us: int, height: int, width: int
) -> NDArray[np.float32]:
    """The pictures that follow `after_us`, shape (N, H, W).

    Raises:
        InputError: times that stand still or go back, another size, or light that is negative or
            not finite.
    """
    check_times(light.t, after_us)
    pictures = luminance(light)
    check_values(pictures, light.t, height=height, width=width)
    return pictures


def luminance(light: LightBatch) -> NDArray[np.float32]:
    """`light.luminance()`, the same bits in one pass."""
    n, height, width, _ = light.rgb.shape
    out = np.empty((n, height, width), np.float32)
    _weigh(np.ascontiguousarray(light.rgb).reshape(-1, 3), out.reshape(-1))
    return out


@njit(cache=True, nogil=True)
def _weigh(rgb, out):  # type: ignore[no-untyped-def]
    for i in range(out.size):
        out[i] = (rgb[i, 0] * RED + rgb[i, 1] * GREEN) + rgb[i, 2] * BLUE


def rggb(light: LightBatch) -> NDArray[np.float32]:
    """What pixels under a Bayer filter see, shape (N, H, W): R, G / G, B from the top left."""
    out = light.rgb[..., 1].copy()
    out[:, ::2, ::2] = light.rgb[:, ::2, ::2, 0]
    out[:, 1::2, 1::2] = light.rgb[:, 1::2, 1::2, 2]
    return out


def check_single(t: NDArray[np.int64]) -> None:
    """Refuse anything but one picture."""
    if len(t) != 1:
        raise InputError(f"a sensor starts from one picture; got {len(t)}")


def check_times(t: NDArray[np.int64], after_us: int) -> None:
    """Refuse times that stand still, go back or leave a gap of 17 minutes."""
    gaps = t.copy()
    gaps[:1] -= after_us
    gaps[1:] -= t[:-1]
    if gaps.min(initial=1) > 0 and gaps.max(initial=1) <= LONGEST_GAP_US:
        return
    if np.any(gaps <= 0):
        k = int(np.argmax(gaps <= 0))
        raise InputError(
            f"picture {k} is at {int(t[k])} us, {int(gaps[k])} us after the one before it; "
            "expected times that increase. Drop or re-stamp repeated pictures."
        )
    k = int(np.argmax(gaps > LONGEST_GAP_US))
    raise InputError(
        f"picture {k} comes {int(gaps[k])} us after the one before it; expected at most "
        f"{LONGEST_GAP_US} us (17 minutes) between pictures"
    )


def check_values(pictures: Any, t: NDArray[np.int64], *, height: int, width: int) -> None:
    """Refuse pictures of another type, number or size, and impossible light."""
    check_size(pictures, t, height=height, width=width)
    check_light(pictures, t)


def check_size(pictures: Any, t: NDArray[np.int64], *, height: int, width: int) -> None:
    """Refuse pictures of another type, number or size."""
    if pictures.dtype not in (np.float32, np.uint8):
        raise InputError(f"pictures are {pictures.dtype}; expected float32 or uint8 luminance")
    if pictures.shape != (len(t), height, width):
        raise InputError(
            f"pictures have shape {pictures.shape}; expected {len(t)} times {height} rows times "
            f"{width} columns"
        )


def check_light(pictures: Any, t: NDArray[np.int64]) -> None:
    """Refuse light that is negative or not finite."""
    if pictures.dtype == np.uint8 or not pictures.size:
        return
    # as unsigned words, negative and non-finite numbers come after all others: one quick pass
    if pictures.view(np.uint32).max() >= INFINITY_BITS:
        bad = ~((pictures >= 0) & (pictures < np.inf))
        if not bad.any():
            return  # zeros with a minus sign
        k, y, x = (int(i) for i in np.argwhere(bad)[0])
        raise InputError(
            f"luminance at {int(t[k])} us, row {y}, column {x} is {pictures[k, y, x]} "
            f"({np.count_nonzero(bad)} such pixels); expected finite light, zero or above"
        )

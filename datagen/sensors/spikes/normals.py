"""Normal numbers for spike cameras, counter-based: two from a 64-bit word, by integer arithmetic.

The sum of a half word's four bytes, less its mean, is nearly normal; an odd cubic polynomial
(Teichroew's device) gives it unit variance and a normal's fourth moment. The distribution function
is right to 0.002, the largest number is 4.04.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from datagen.sensors.hashing import GOLDEN, mix

EVEN_BYTES = np.uint32(0x00FF00FF)
EIGHT, SIXTEEN = np.uint32(8), np.uint32(16)
LOW_HALF = np.uint32(0xFFFF)
MEAN = np.float32(510.0)
LINEAR = np.float32(6.421040612804624e-3)
CUBIC = np.float32(5.773954283353947e-9)


@njit(cache=True, nogil=True)
def normal_map(key, n):  # type: ignore[no-untyped-def]
    """One standard normal float32 per pixel, shape (n,)."""
    words = np.empty((n + 1) // 2, np.uint64)
    fill_words(key, 0, words)
    halves = words.view(np.uint32)
    out = np.empty(n, np.float32)
    for j in range(n):
        out[j] = normal_of(halves[j])
    return out


@njit(cache=True, nogil=True)
def fill_words(key, first, words):  # type: ignore[no-untyped-def]
    """The words of a stream with numbers first, first + 1, ..."""
    counter = key + np.uint64(first) * GOLDEN
    for i in range(words.size):
        words[i] = mix(counter)
        counter += GOLDEN


@njit(cache=True, nogil=True)
def normal_of(half):  # type: ignore[no-untyped-def]
    """A standard normal float32 out of 32 random bits."""
    pairs = (half & EVEN_BYTES) + ((half >> EIGHT) & EVEN_BYTES)
    total = (pairs + (pairs >> SIXTEEN)) & LOW_HALF
    x = np.float32(np.int32(total)) - MEAN
    return x * (LINEAR + CUBIC * (x * x))

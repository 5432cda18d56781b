"""Counter-based randomness: a number depends on (key, counter) alone, never on who asked before.

`mix` is the finaliser of SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number
generators", OOPSLA 2014): a bijection of 64-bit words whose outputs for consecutive inputs pass as
independent. A stream is told apart from others by mixing its number into the key first.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from datagen.sensors.elementary import F32_HALF, F32_ONE, fma, natural_log, natural_log_f32

GOLDEN = np.uint64(0x9E3779B97F4A7C15)
UNIT = 2.0**-53
HALF_WORD, LOW_HALF = np.uint64(32), np.uint64(0xFFFFFFFF)
QUARTER_SINE = (
    1.5707963267948175, -0.6459640974984949, 0.07969262612208577, -0.00468175339012288,
    0.00016043905209111044, -3.595705796931505e-06, 5.462549864596071e-08,
)  # fmt: skip
"""Of sin(pi a / 2) / a in powers of a squared, which they interpolate at Chebyshev nodes, to 1e-13."""
F32_QUARTER_SINE = tuple(
    np.float32(c) for c in (1.57079637, -0.645963788, 0.0796899199, -0.00467414362, 0.000151671702)
)
"""The same in float32."""
F32_TWO, F32_HALF_WORD_UNIT = np.float32(2.0), np.float32(2.0**-32)


@njit(cache=True, nogil=True)
def mix(word):  # type: ignore[no-untyped-def]
    """A 64-bit word in which every bit depends on every bit of `word`."""
    word = np.uint64(word)
    word = (word ^ (word >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    word = (word ^ (word >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return word ^ (word >> np.uint64(31))


@njit(cache=True, nogil=True)
def uniform(key, counter):  # type: ignore[no-untyped-def]
    """A number in [0, 1) with 53 random bits."""
    word = mix(np.uint64(key) + np.uint64(counter) * GOLDEN)
    return np.float64(word >> np.uint64(11)) * UNIT


def stream_key(key: int, stream: int) -> np.uint64:
    """The key of one of a sensor's streams of randomness."""
    word = np.array([key & (2**64 - 1), stream], np.uint64)
    return np.uint64(mix(word[0] ^ mix(word[1] + GOLDEN)))


def uniform_field(key: np.uint64, shape: tuple[int, int]) -> NDArray[np.float64]:
    """One uniform number in [0, 1) per pixel."""
    return _uniforms(key, shape[0] * shape[1]).reshape(shape)


def normal_field(key: np.uint64, shape: tuple[int, int]) -> NDArray[np.float64]:
    """One standard normal number per pixel."""
    return _normals(key, shape[0] * shape[1]).reshape(shape)


@njit(cache=True, nogil=True, error_model="numpy")
def normal(key, counter):  # type: ignore[no-untyped-def]
    """A standard normal number, at most 6.8, from one word.

    By Box and Muller ("A note on the generation of random normal deviates", Annals of Mathematical
    Statistics 29, 1958) with cos(pi a) = 1 - 2 sin^2(pi a / 2).
    """
    word = mix(np.uint64(key) + np.uint64(counter) * GOLDEN)
    length = np.sqrt(-2.0 * natural_log((np.float64(word >> HALF_WORD) + 0.5) * 2.0**-32))
    angle = np.float64(word & LOW_HALF) * 2.0**-31 - 1.0
    square = angle * angle
    series = QUARTER_SINE[6]
    for k in range(5, -1, -1):
        series = series * square + QUARTER_SINE[k]
    sine = angle * series
    return length * (1.0 - 2.0 * sine * sine)


@njit(cache=True, nogil=True, error_model="numpy")
def normal_f32(key, counter):  # type: ignore[no-untyped-def]
    """Like `normal` in float32, which is quicker and right to about 1e-6."""
    word = mix(np.uint64(key) + np.uint64(counter) * GOLDEN)
    share = (np.float32(np.uint32(word >> HALF_WORD)) + F32_HALF) * F32_HALF_WORD_UNIT
    length = np.sqrt(-F32_TWO * natural_log_f32(share))
    angle = np.float32(np.uint32(word)) * (F32_TWO * F32_HALF_WORD_UNIT) - F32_ONE
    square = angle * angle
    a, b, c, d, e = F32_QUARTER_SINE
    sine = angle * fma(square, fma(square, fma(square, fma(square, e, d), c), b), a)
    return length * fma(-F32_TWO * sine, sine, F32_ONE)


@njit(cache=True, nogil=True)
def _uniforms(key, n):  # type: ignore[no-untyped-def]
    out = np.empty(n, np.float64)
    for i in range(n):
        out[i] = uniform(key, i)
    return out


@njit(cache=True, nogil=True, error_model="numpy")
def _normals(key, n):  # type: ignore[no-untyped-def]
    out = np.empty(n, np.float64)
    for i in range(n):
        out[i] = normal(key, i)
    return out

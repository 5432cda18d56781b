"""One interval between two pictures -> charge of every pixel and packed bits, compiled.

The specification is `datagen.sensors.spike_reference`; this kernel equals it bit for bit. It goes
through a few hundred pixels at a time, all pieces of the interval for each, so that their charge
stays in the nearest cache, and packs eight bits with one multiplication.
"""

from __future__ import annotations

import numpy as np
from numba import njit

BLOCK = 512
"""Pixels at a time; a multiple of 8."""
GATHER = np.uint64(0x0102040810204080)
"""Brings bit 0 of byte i of a word to bit 56 + i."""
TOP_BYTE = np.uint64(56)


@njit(cache=True, nogil=True)
def integrate_interval(  # type: ignore[no-untyped-def]
    before, after, weight, weight_change, ends_poll, threshold, charge, packed
):
    """Advance `charge` over the pieces of an interval and fill one row of `packed` per poll end.

    Returns how often a pixel was saturated: charge lost at a poll end.
    """
    saturated = 0
    bits = np.zeros(BLOCK, np.uint8)
    light, change = np.empty(BLOCK), np.empty(BLOCK)
    for start in range(0, charge.size, BLOCK):
        part = charge[start : start + BLOCK]
        n = part.size
        bits[n:] = 0
        for j in range(n):
            light[j] = before[start + j]
            change[j] = np.float64(after[start + j]) - light[j]
        poll = 0
        for piece in range(weight.size):
            constant, linear = weight[piece], weight_change[piece]
            for j in range(n):
                part[j] += constant * light[j] + linear * change[j]
            if ends_poll[piece]:
                saturated += _read_out(part, bits, threshold)
                _pack(bits, packed[poll, start // 8 : (start + n + 7) // 8])
                poll += 1
    return saturated


@njit(cache=True, nogil=True)
def _read_out(charge, bits, threshold):  # type: ignore[no-untyped-def]
    lost = 0
    for j in range(charge.size):
        fired = charge[j] >= threshold
        left = charge[j] - threshold if fired else charge[j]
        bits[j] = fired
        lost += left > threshold
        charge[j] = min(left, threshold)
    return lost


@njit(cache=True, nogil=True)
def _pack(bits, row):  # type: ignore[no-untyped-def]
    words = bits.view(np.uint64)
    for k in range(row.size):
        row[k] = (words[k] * GATHER) >> TOP_BYTE

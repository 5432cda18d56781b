"""Clean spike pixels, one interval between two pictures, compiled.

The specification is `datagen.sensors.spikes.reference`; this kernel equals it bit for bit. It goes
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
def clean_blocks(  # type: ignore[no-untyped-def]
    first, last, before, after, weight, weight_change, ends_poll, threshold, ceiling, charge, packed
):
    """Advance the charge of blocks first .. last-1 over the pieces of an interval.

    Args:
        first: first block.
        last: one past the last block.
        before: luminance at the start (pixels,).
        after: luminance at the end (pixels,).
        weight: charge of a piece per luminance (pieces,).
        weight_change: charge of a piece per change of luminance over the interval (pieces,).
        ends_poll: whether a poll ends with the piece (pieces,).
        threshold: charge of a spike.
        ceiling: most charge that is kept after a poll.
        charge: float64 (pixels,), advanced.
        packed: one row per poll end, filled in.

    Returns:
        How often a pixel was saturated: charge above the threshold left at a poll end.
    """
    saturated = 0
    bits = np.zeros(BLOCK, np.uint8)
    light, change = np.empty(BLOCK), np.empty(BLOCK)
    for block in range(first, last):
        start = block * BLOCK
        part = charge[start : start + BLOCK]
        bits[part.size :] = 0
        for j in range(part.size):
            light[j] = before[start + j]
            change[j] = np.float64(after[start + j]) - light[j]
        poll = 0
        for piece in range(weight.size):
            constant, linear = weight[piece], weight_change[piece]
            for j in range(part.size):
                part[j] += constant * light[j] + linear * change[j]
            if ends_poll[piece]:
                saturated += _read_out(part, bits, threshold, ceiling)
                pack(bits, packed[poll, start // 8 : (start + part.size + 7) // 8])
                poll += 1
    return saturated


@njit(cache=True, nogil=True)
def _read_out(charge, bits, threshold, ceiling):  # type: ignore[no-untyped-def]
    lost = 0
    for j in range(charge.size):
        fired = charge[j] >= threshold
        left = charge[j] - threshold if fired else charge[j]
        bits[j] = fired
        lost += left > threshold
        charge[j] = min(left, ceiling)
    return lost


@njit(cache=True, nogil=True)
def pack(bits, row):  # type: ignore[no-untyped-def]
    """Eight bits to a byte, least significant first."""
    words = bits.view(np.uint64)
    for k in range(row.size):
        row[k] = (words[k] * GATHER) >> TOP_BYTE

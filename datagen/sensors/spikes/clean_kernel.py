"""Clean spike pixels, compiled.

The specification is `datagen.sensors.spikes.reference`; this kernel equals it bit for bit. It goes
through a few thousand pixels at a time, all intervals and their pieces for each, so that their
charge stays in the nearest cache, and packs eight bits with one multiplication. Light is looked
over before it is used, which brings it near at the speed of memory.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from datagen.sensors.light import INFINITY_BITS

BLOCK = 4096
"""Pixels at a time; a multiple of 8."""
GATHER = np.uint64(0x0102040810204080)
"""Brings bit 0 of byte i of a word to bit 56 + i."""
TOP_BYTE = np.uint64(56)


@njit(cache=True, nogil=True)
def clean_blocks(  # type: ignore[no-untyped-def]
    first, last, previous, pictures, hold, schedule, gain, threshold, ceiling, charge, packed
):
    """Advance the charge of blocks first .. last-1 over the intervals between pictures.

    Args:
        first: first block.
        last: one past the last block.
        previous: luminance at the start of the first interval (pixels,).
        pictures: those at the ends of the intervals (intervals, pixels).
        hold: whether light is that of the later picture instead of linear in between.
        schedule: `Schedule` of the intervals.
        gain: charge of a poll at luminance 1.
        threshold: charge of a spike.
        ceiling: most charge that is kept after a poll.
        charge: float64 (pixels,), advanced.
        packed: one row per poll end, filled in.

    Returns:
        How often a pixel was saturated (charge above the threshold left at a poll end), and whether
        light may be negative or not finite.
    """
    saturated, suspicious = 0, False
    bits = np.zeros(BLOCK, np.uint8)
    for block in range(first, last):
        start = block * BLOCK
        part = charge[start : start + BLOCK]
        stop = start + part.size
        suspicious |= is_suspicious(pictures, start, stop)
        bits[part.size :] = 0
        poll = 0
        for k in range(len(pictures)):
            after = pictures[k, start:stop]
            before = (
                after if hold else previous[start:stop] if k == 0 else pictures[k - 1, start:stop]
            )
            for piece in range(schedule.first[k], schedule.first[k + 1]):
                constant = gain * schedule.weight[piece]
                linear = gain * schedule.weight_change[piece]
                if schedule.ends_poll[piece]:
                    saturated += _poll(
                        before, after, hold, constant, linear, part, threshold, ceiling, bits
                    )
                    pack(bits, packed[poll, start // 8 : (stop + 7) // 8])
                    poll += 1
                else:
                    for j in range(part.size):
                        part[j] += _gained(before[j], after[j], hold, constant, linear)
    return saturated, suspicious


@njit(cache=True, nogil=True)
def is_suspicious(pictures, start, stop):  # type: ignore[no-untyped-def]
    """Whether light of pixels start .. stop-1 may be negative or not finite.

    As unsigned words, such numbers come after all others.
    """
    most = np.uint32(0)
    for k in range(len(pictures)):
        words = pictures[k, start:stop].view(np.uint32)
        for j in range(words.size):
            most = max(most, words[j])
    return most >= INFINITY_BITS


@njit(cache=True, nogil=True)
def _poll(before, after, hold, constant, linear, charge, threshold, ceiling, bits):  # type: ignore[no-untyped-def]
    """The last piece of a poll, and the poll."""
    lost = 0
    for j in range(charge.size):
        filled = charge[j] + _gained(before[j], after[j], hold, constant, linear)
        fired = filled >= threshold
        left = filled - threshold if fired else filled
        bits[j] = fired
        lost += left > threshold
        charge[j] = left if left < ceiling else ceiling
    return lost


@njit(cache=True, nogil=True)
def _gained(before, after, hold, constant, linear):  # type: ignore[no-untyped-def]
    light = np.float64(before)
    if hold:
        return constant * light
    return constant * light + linear * (np.float64(after) - light)


@njit(cache=True, nogil=True)
def pack(bits, row):  # type: ignore[no-untyped-def]
    """Eight bits to a byte, least significant first."""
    words = bits.view(np.uint64)
    for k in range(row.size):
        row[k] = (words[k] * GATHER) >> TOP_BYTE

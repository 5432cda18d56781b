"""Stable order by time in linear time: counting sort, 11 bits of the key per pass.

Times inside one interval are small integers, so counting them is cheaper than comparing them, and
stability keeps events of equal time in the order in which they were emitted.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

DIGIT_BITS = 11


def stable_order(
    key: NDArray[np.int32], payload: NDArray[Any], *, largest: int
) -> tuple[NDArray[np.int32], NDArray[Any]]:
    """Keys in nondecreasing order with their payloads; equal keys keep their order.

    Args:
        key: numbers in [0, largest], shape (N,); read only.
        payload: one value per key, shape (N,); read only.
        largest: bound of the keys.
    """
    for shift in range(0, max(largest.bit_length(), 1), DIGIT_BITS):
        key, payload = _counting_pass(key, payload, shift)
    return key, payload


@njit(cache=True, nogil=True)
def _counting_pass(key, payload, shift):  # type: ignore[no-untyped-def]
    mask = (1 << DIGIT_BITS) - 1
    place = np.zeros(mask + 2, np.int64)
    for i in range(key.size):
        place[((key[i] >> shift) & mask) + 1] += 1
    for digit in range(mask + 1):
        place[digit + 1] += place[digit]
    out_key, out_payload = np.empty_like(key), np.empty_like(payload)
    for i in range(key.size):
        digit = (key[i] >> shift) & mask
        out_key[place[digit]] = key[i]
        out_payload[place[digit]] = payload[i]
        place[digit] += 1
    return out_key, out_payload

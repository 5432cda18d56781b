"""Events -> Prophesee RAW files: an ASCII header, then little-endian words of EVT 2.0 or EVT 3.0.

EVT 2.0, 32-bit words; the top four bits are the type:
    0, 1  an OFF or ON event: time [us] mod 64 (6 bits), x (11), y (11)
    8     TIME_HIGH: time [us] div 64 (28 bits); holds for the events that follow
EVT 3.0, 16-bit words; each says what has changed since the one before:
    0     ADDR_Y: y (11 bits)                  2  ADDR_X: polarity (1), x (11): the event itself
    6     TIME_LOW: time mod 4096 (12 bits)    8  TIME_HIGH: time div 4096 mod 4096 (12 bits)

When the high part of the time wraps (after 2^34 us in EVT 2.0, 2^24 us in EVT 3.0), a reader can
only tell from a TIME_HIGH that falls back from near its end to near zero. So the last and the first
value of TIME_HIGH are written at every wrap, however far apart the events are; no time is lost.

Source: Prophesee, "EVT 2.0 Format" and "EVT 3.0 Format", Metavision SDK documentation.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numba import njit
from numpy.typing import NDArray

from datagen.errors import InputError
from datagen.export.event_source import EventSource

ADDRESSES = 2048
"""Columns and rows that 11 bits can address."""
EVT2_HIGHS, EVT3_HIGHS = 2**28, 2**12
"""Values of TIME_HIGH."""
LONGEST_GAP_WRAPS = 2**20
"""Wraps between two events above which a gap would need more words than is sensible."""

Encoder = Callable[[Any, Any, Any, Any, Any, Any], int]


def write_evt2(path: Path, events: EventSource) -> None:
    """Write a RAW file of EVT 2.0.

    Raises:
        InputError: the sensor is larger than 2048 x 2048 px.
    """
    _write(path, events, "EVT2", "2.0", _encode_evt2, np.array([-1], np.int64), np.dtype("<u4"))


def write_evt3(path: Path, events: EventSource) -> None:
    """Write a RAW file of EVT 3.0.

    Raises:
        InputError: the sensor is larger than 2048 x 2048 px.
    """
    state = np.full(3, -1, np.int64)
    _write(path, events, "EVT3", "3.0", _encode_evt3, state, np.dtype("<u2"))


def _write(
    path: Path, events: EventSource, name: Literal["EVT2", "EVT3"], version: str,
    encode: Encoder, state: NDArray[np.int64], word: np.dtype[Any],
) -> None:  # fmt: skip
    events.check_fits(name, columns=ADDRESSES, rows=ADDRESSES, end_us=2**62)
    loop = 64 * EVT2_HIGHS if name == "EVT2" else 4096 * EVT3_HIGHS
    header = (
        f"% evt {version}\n% format {name};height={events.height};width={events.width}\n"
        f"% geometry {events.width}x{events.height}\n% end\n"
    )
    previous = 0
    with path.open("wb") as file:
        file.write(header.encode("ascii"))
        for slab in events.slabs:
            wraps = int(slab.t[-1]) // loop - previous // loop
            _check_wraps(events, wraps, name)
            words = np.empty(4 * len(slab) + 2 * wraps, word)
            count = encode(slab.t, slab.x, slab.y, slab.p, state, words)
            words[:count].tofile(file)
            previous = int(slab.t[-1])


def _check_wraps(events: EventSource, wraps: int, name: str) -> None:
    if wraps > LONGEST_GAP_WRAPS:
        raise InputError(
            f"{events.title}: {name} would need {wraps} wraps of its clock in a row; expected at "
            f"most {LONGEST_GAP_WRAPS}. Use the segment's clock, or another format."
        )


@njit(cache=True, nogil=True)
def _encode_evt2(t, x, y, p, state, words):  # type: ignore[no-untyped-def]
    """Fill `words`; state = (time div 64 of the last event,), -1 at the start. Returns the count."""
    n = 0
    high = state[0]
    for i in range(t.shape[0]):
        now = t[i] >> 6
        if now != high:
            for _ in range(max(high, 0) // EVT2_HIGHS, now // EVT2_HIGHS):
                words[n] = (8 << 28) | (EVT2_HIGHS - 1)
                words[n + 1] = 8 << 28
                n += 2
            words[n] = (8 << 28) | (now % EVT2_HIGHS)
            n += 1
            high = now
        words[n] = (np.int64(p[i]) << 28) | ((t[i] & 63) << 22) | (np.int64(x[i]) << 11) | y[i]
        n += 1
    state[0] = high
    return n


@njit(cache=True, nogil=True)
def _encode_evt3(t, x, y, p, state, words):  # type: ignore[no-untyped-def]
    """Fill `words`; state = (time div 4096, time, y) of the last event, -1 at the start."""
    n = 0
    high, time, row = state[0], state[1], state[2]
    for i in range(t.shape[0]):
        now = t[i] >> 12
        if now != high:
            for _ in range(max(high, 0) // EVT3_HIGHS, now // EVT3_HIGHS):
                words[n] = (8 << 12) | (EVT3_HIGHS - 1)
                words[n + 1] = 8 << 12
                n += 2
            words[n] = (8 << 12) | (now % EVT3_HIGHS)
            n += 1
            high = now
        if t[i] != time:
            words[n] = (6 << 12) | (t[i] & 4095)
            n += 1
            time = t[i]
        if y[i] != row:
            words[n] = y[i]
            n += 1
            row = np.int64(y[i])
        words[n] = (2 << 12) | (np.int64(p[i]) << 11) | x[i]
        n += 1
    state[0], state[1], state[2] = high, time, row
    return n

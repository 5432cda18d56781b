"""Noisy pixels that noise strikes in an interval, and those behind two stages: all their events.

In: columns of `noisy_path`, whose crossings have been counted as if nothing struck them. Most struck
pixels do nothing else, and are listed at once; the others are walked through one after the other,
from turning point to noise event. Out: a list of events (`noisy_solver`), and in the columns how many
there are and how far the reference moves.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from datagen.sensors.events.noisy_path import (
    NUMBER,
    OFF,
    ON,
    SHIFT,
    U1,
    B,
)
from datagen.sensors.events.noisy_solver import (
    AT,
    BITS,
    DONE,
    LEVEL,
    MORE_LEVEL,
    MORE_SIDE,
    OWNER,
    RANK,
    SIDE,
    SIGMA,
    TURN,
    U0,
    A,
    G,
    X,
    with_listed,
)
from datagen.sensors.events.path import crossing, turning_points, voltage
from datagen.sensors.events.shot_noise import NONE, brighter
from datagen.sensors.events.tiles import COMPILE, padded

NOISY_TIE = 1e-5
"""As `TIE` of the clean pixel, but wide enough for states in float32."""
EARLY = 1e-9
"""A crossing is timed this fraction of a threshold early: light that comes back exactly is approached
by a filter for ever, and would be reached at an instant that rounding decides."""
NOISE = np.uint64(2)
"""Label bit of a record."""
HEIGHT, QUIET = LEVEL, DONE
"""Of struck pixels: u when they are struck first, whether that is all that happens."""


@njit(**COMPILE)
def list_struck(found, order, struck, shots, chosen, where):  # type: ignore[no-untyped-def]
    """List pixels that noise strikes, and with two stages all; returns how many there are.

    `where` gets the place of every pixel in `found`; those of others are of former lists, and
    checked.
    """
    m, n = found.size, 0
    for k in range(m):
        where[np.uint32(found[k])] = k
        chosen[k] = k
    for i in range(struck if order == 1 else 0):
        pixel = shots.pixel[i]
        k = where[pixel] if where[pixel] < m else 0
        chosen[n] = k
        n += (found[k] == pixel) & (shots.first[pixel] == i)
    return n if order == 1 else m


@njit(**COMPILE)
def strike_pixels(n, struck, found, order, shots, v, z, more):  # type: ignore[no-untyped-def]
    """List all events of the first n pixels of `struck`.

    Returns:
        The list, how many of the first in it need no solving, and how many are in it.
    """
    more = with_listed(more, 0, n)
    walked, e = struck[:n], 0
    if order == 1:
        _weigh(struck[: padded(n, struck)], found, shots, v, z)
        left, e = _list_quiet(walked, found, shots, v, z, more)
        walked = walked[:left]
    quiet = e
    done, e = _walk(0, walked, found, order, shots, v, more, e)
    while done < walked.size:
        more = with_listed(more, e, more.shape[1])
        done, e = _walk(done, walked, found, order, shots, v, more, e)
    return more, quiet, e


@njit(**COMPILE)
def _weigh(struck, found, shots, v, z):  # type: ignore[no-untyped-def]
    """Into z, u when a pixel is struck first, and whether that is all that happens to it."""
    for i in range(struck.size):
        k = np.uint32(struck[i])
        shot = np.uint32(shots.first[np.uint32(found[k])])
        z[AT + i], z[QUIET + i] = shots.sigma[shot], shots.after[shot] == NONE
        z[U0 + i], z[U1 + i], z[G + i], z[A + i] = v[U0 + k], v[U1 + k], v[G + k], v[A + k]
        z[X + i], z[ON + i], z[OFF + i], z[SIDE + i] = v[X + k], v[ON + k], v[OFF + k], v[SIDE + k]
    for i in range(struck.size):
        u = voltage(z[U0 + i], z[G + i], z[A + i], 0.0, z[X + i], z[AT + i])
        on, off = z[ON + i], z[OFF + i]
        short = _below(u, on, off) & _below(z[U1 + i] - u, on, off) & (z[SIDE + i] == 0.0)
        z[HEIGHT + i], z[QUIET + i] = u, z[QUIET + i] if short else 0.0


@njit(**COMPILE)
def _below(u, on, off):  # type: ignore[no-untyped-def]
    """Whether a voltage is short of both thresholds."""
    return (u / on + NOISY_TIE < 1.0) & (-u / off + NOISY_TIE < 1.0)


@njit(**COMPILE)
def _list_quiet(walked, found, shots, v, z, more):  # type: ignore[no-untyped-def]
    """List the noise events of pixels that do nothing else, which are most, without branches.

    Returns:
        How many other pixels there are, now the first of `walked`; and how much is listed.
    """
    left = e = 0
    for i in range(walked.size):
        k, quiet = np.uint32(walked[i]), z[QUIET + i] > 0.0
        word = shots.word[np.uint32(shots.first[np.uint32(found[k])])]
        more[OWNER, e], more[RANK, e], more[MORE_LEVEL, e], more[MORE_SIDE, e] = k, 0, np.nan, 0.0
        more[SIGMA, e], more[BITS, e] = z[AT + i], NOISE | np.uint64(brighter(word))
        v[NUMBER + k] = 1.0 if quiet else v[NUMBER + k]
        v[SHIFT + k] = z[HEIGHT + i] if quiet else v[SHIFT + k]
        v[LEVEL + k] = np.nan
        walked[left] = walked[i]
        e += quiet
        left += not quiet
    return left, e


@njit(**COMPILE)
def _walk(first, walked, found, order, shots, v, more, e):  # type: ignore[no-untyped-def]
    """List all events of pixels to walk through, from turning point to noise event, in order.

    Crossings behind one stage are solved with the others, those behind two here.

    Returns:
        Of the walked, the first that was not done for want of room, or their number; and how much
        is listed.
    """
    sigma, word, _, after, first_shot = shots
    turns = np.empty(3, np.float64)
    for i in range(first, walked.size):
        k = np.uint32(walked[i])
        u0, g, a, x = v[U0 + k], v[G + k], v[A + k], v[X + k]
        b, turned = v[B + k] if order == 2 else 0.0, v[SIDE + k] != 0.0
        turns[0], turns[1] = v[TURN + k] if turned else 1.0, 1.0
        if order == 2:
            turns[turning_points(g, a, b, x, turns)] = 1.0
        begun, turn, shot = e, 0, first_shot[found[k]]
        at = reference = 0.0
        while at < 1.0:
            struck = shot != NONE and sigma[shot] <= turns[turn]
            stop = sigma[shot] if struck else turns[turn]
            end = voltage(u0, g, a, b, x, stop) if stop < 1.0 else v[U1 + k]
            up = end >= reference
            step = v[ON + k] if up else -v[OFF + k]
            number = int(np.floor((end - reference) / step + NOISY_TIE))
            if e + number + 1 > more.shape[1]:
                return i, begun
            for _ in range(number):
                reference += step
                level = reference - EARLY * step
                if order == 2:
                    at = crossing(u0, g, a, b, x, level, up, at, stop)
                more[SIGMA, e], more[BITS, e] = at, up
                more[MORE_LEVEL, e] = np.nan if order == 2 else level
                more[MORE_SIDE, e] = (1.0 if turn > 0 else -1.0) if turned else 0.0
                e += 1
            if struck:
                more[SIGMA, e], more[BITS, e] = stop, NOISE | np.uint64(brighter(word[shot]))
                more[MORE_LEVEL, e], more[MORE_SIDE, e] = np.nan, 0.0
                e += 1
                reference = end
                shot = after[shot]
            else:
                turn += 1
            at = stop
        for j in range(begun, e):
            more[OWNER, j], more[RANK, j] = k, j - begun
        v[NUMBER + k], v[SHIFT + k], v[LEVEL + k] = e - begun, reference, np.nan
    return walked.size, e

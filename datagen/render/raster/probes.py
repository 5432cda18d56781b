"""Filtered texture values for many points at once.

The footprint of a point is a parallelogram with sides a, b in texels. It is covered by n_a x n_b
bilinear probes in the pyramid level whose texels are about 1 / `fine` of its shorter side,

    minor = |a x b| / max(|a|, |b|),  level = log2(minor / fine),  n = |side| / 2^level,

so that the mean over the probes comes near the mean over the parallelogram. Between two levels both
are looked up and mixed, so that values do not jump when the camera moves; for most of the way from
one level to the next one of them is enough (MIX).

Footprints are put in a list (`add_footprint`); those of a list are looked up together: sorted by
their number of probes, the k-th probes of all that have so many in one vectorised loop.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from datagen.render.compiled import inlined, inner
from datagen.render.raster.apart import fetch, read, write
from datagen.render.textures import BLACK, CLAMP, MIRROR, Footprint

ROOM = 256
"""Footprints of a list."""
MOST_ALONG = 16
"""Probes along a side."""
MOST = MOST_ALONG * MOST_ALONG
MIX = 0.3
"""Share of the way between levels on which both are looked up."""
ROUNDING = 0.6
"""A side of up to 1.4 texels gets one probe, one of up to 2.4 two."""

S, T, A_S, A_T, B_S, B_T, WIDTH, HEIGHT = range(8)
TEXTURE, LEVELS = range(2)
LOW, MIXED, ALONG_A, ALONG_B, NEXT_A, NEXT_B = range(6)

E_S, E_T, E_A_S, E_A_T, E_B_S, E_B_T, E_WIDTH, E_HEIGHT, E_SHARE, E_I, E_J, E_ALONG = range(12)
E_OFFSET, E_WRAP_S, E_WRAP_T, E_FOOTPRINT = range(4)
ENTRIES = 2 * ROOM
"""A footprint between two levels is looked up in both."""


class Lookup(NamedTuple):
    """Room for a list of footprints and its entries: flat columns, one after another."""

    footprint: NDArray[np.float32]
    """S .. HEIGHT, ROOM each."""
    source: NDArray[np.int32]
    """TEXTURE, LEVELS, ROOM each."""
    plan: NDArray[np.float32]
    """LOW .. NEXT_B, ROOM each."""
    place: NDArray[np.float32]
    """E_S .. E_HEIGHT and E_SHARE, E_I, E_J, E_ALONG, ENTRIES each."""
    address: NDArray[np.int32]
    """E_OFFSET .. E_FOOTPRINT, ENTRIES each."""
    color: NDArray[np.float32]
    """Red, green, blue, alpha of the entries, ENTRIES each."""
    start: NDArray[np.int32]
    """(MOST + 2,) where entries with so many probes start."""
    texel: NDArray[np.float32]
    """Results: (ROOM, 4)."""


def new_lookup() -> Lookup:
    """Room for one list."""
    return Lookup(
        np.zeros(8 * ROOM, np.float32),
        np.zeros(2 * ROOM, np.int32),
        np.zeros(6 * ROOM, np.float32),
        np.zeros(12 * ENTRIES, np.float32),
        np.zeros(4 * ENTRIES, np.int32),
        np.zeros(4 * ENTRIES, np.float32),
        np.zeros(MOST + 2, np.int32),
        np.zeros((ROOM, 4), np.float32),
    )


@inlined
def add_footprint(
    lookup: Lookup, k: int, texture: int, record: Any, st: tuple[float, float], f: Footprint
) -> None:
    """Write footprint k of a list.

    Args:
        lookup: the list.
        k: its place in the list.
        texture: number of the texture.
        record: its TEXTURE record.
        st: middle.
        f: change of st along both sides.
    """
    lookup.footprint[S * ROOM + k], lookup.footprint[T * ROOM + k] = st
    lookup.footprint[A_S * ROOM + k], lookup.footprint[A_T * ROOM + k] = f[0], f[1]
    lookup.footprint[B_S * ROOM + k], lookup.footprint[B_T * ROOM + k] = f[2], f[3]
    lookup.footprint[WIDTH * ROOM + k] = record.width
    lookup.footprint[HEIGHT * ROOM + k] = record.height
    lookup.source[TEXTURE * ROOM + k] = texture
    lookup.source[LEVELS * ROOM + k] = record.levels


@inner
def look_up(
    lookup: Lookup, count: int, textures: NDArray[Any], words: NDArray[np.uint32], fine: float
) -> None:
    """Filtered values of the first `count` footprints into `lookup.texel`.

    Args:
        lookup: the list.
        count: footprints in it.
        textures: TEXTURE records.
        words: texels, two half floats in each: r, g; b, a.
        fine: texels on the shorter side of a footprint.
    """
    _plan(lookup.footprint, lookup.source, lookup.plan, count, np.float32(1.0 / fine))
    entries = _sort(lookup, count, textures)
    for e in range(4 * ENTRIES):
        lookup.color[e] = np.float32(0.0)
    active, probe = entries, 0
    while active > 0:
        _add_probe(lookup.place, lookup.address, words, active, lookup.color)
        probe += 1
        _step(lookup.place, active)
        active = lookup.start[probe]
    for k in range(count):
        for channel in range(4):
            lookup.texel[k, channel] = np.float32(0.0)
    for e in range(entries):
        k = lookup.address[E_FOOTPRINT * ENTRIES + e]
        for channel in range(4):
            lookup.texel[k, channel] += lookup.color[channel * ENTRIES + e]


@inner
def _plan(
    footprint: NDArray[np.float32],
    source: NDArray[np.int32],
    plan: NDArray[np.float32],
    count: int,
    share: np.floating,
) -> None:
    """Levels and numbers of probes; log2 is taken as linear between powers of two."""
    one, zero = np.float32(1.0), np.float32(0.0)
    for k in range(count):
        width, height = read(footprint, WIDTH * ROOM + k), read(footprint, HEIGHT * ROOM + k)
        a_s, a_t = read(footprint, A_S * ROOM + k) * width, read(footprint, A_T * ROOM + k) * height
        b_s, b_t = read(footprint, B_S * ROOM + k) * width, read(footprint, B_T * ROOM + k) * height
        a, b = np.sqrt(a_s * a_s + a_t * a_t), np.sqrt(b_s * b_s + b_t * b_t)
        major = max(max(a, b), np.float32(1e-30))
        minor = abs(a_s * b_t - a_t * b_s) / major
        wanted = max(max(minor * share, major * np.float32(1.0 / MOST_ALONG)), one)
        bits = np.float32(min(wanted, np.float32(1e9))).view(np.int32)
        low = (bits >> np.int32(23)) - np.int32(127)
        beyond = np.float32(bits & np.int32(0x7FFFFF)) * np.float32(2.0**-23)
        mixed = (beyond - np.float32(0.5)) * np.float32(1.0 / MIX) + np.float32(0.5)
        last = read(source, LEVELS * ROOM + k) - np.int32(1)
        mixed = zero if low >= last else min(max(mixed, zero), one)
        low = min(low, last)
        size = np.int32((np.int32(127) - low) << np.int32(23)).view(np.float32)
        write(plan, LOW * ROOM + k, np.float32(low))
        write(plan, MIXED * ROOM + k, mixed)
        write(plan, ALONG_A * ROOM + k, _probes(a * size))
        write(plan, ALONG_B * ROOM + k, _probes(b * size))
        write(plan, NEXT_A * ROOM + k, _probes(a * size * np.float32(0.5)))
        write(plan, NEXT_B * ROOM + k, _probes(b * size * np.float32(0.5)))


@inlined
def _probes(side: np.floating) -> np.floating:
    """Probes along a side of so many texels."""
    count = np.floor(side + np.float32(ROUNDING))
    return min(max(count, np.float32(1.0)), np.float32(MOST_ALONG))


@inner
def _sort(lookup: Lookup, count: int, textures: NDArray[Any]) -> np.int32:
    """Make the entries, those with most probes first.

    Returns:
        How many entries there are; `lookup.start[n]` is how many have more than n probes.
    """
    plan, start = lookup.plan, lookup.start
    for n in range(MOST + 2):
        start[n] = 0
    for k in range(count):
        for step in range(2):
            if _share(plan, k, step) > 0.0:
                start[_number(plan, k, step)] += 1
    total = np.int32(0)
    for n in range(MOST + 1, -1, -1):
        total, start[n] = total + start[n], total
    for k in range(count):
        for step in range(2):
            share = _share(plan, k, step)
            if share > 0.0:
                n = _number(plan, k, step)
                _write_entry(lookup, start[n], k, step, share / n, textures)
                start[n] += 1
    # start[n] now counts entries with n probes or more
    for n in range(MOST + 1):
        start[n] = start[n + 1]
    return total


@inlined
def _share(plan: NDArray[np.float32], k: int, step: int) -> float:
    mixed = plan[MIXED * ROOM + k]
    return mixed if step == 1 else np.float32(1.0) - mixed


@inlined
def _number(plan: NDArray[np.float32], k: int, step: int) -> int:
    return int(plan[(ALONG_A + 2 * step) * ROOM + k] * plan[(ALONG_B + 2 * step) * ROOM + k])


@inlined
def _write_entry(
    lookup: Lookup, e: int, k: int, step: int, share: float, textures: NDArray[Any]
) -> None:
    """Entry e: footprint k in its level or, with step = 1, the next."""
    f, place, address = lookup.footprint, lookup.place, lookup.address
    texture = textures[lookup.source[TEXTURE * ROOM + k]]
    level = int(lookup.plan[LOW * ROOM + k]) + step
    n_a = lookup.plan[(ALONG_A + 2 * step) * ROOM + k]
    n_b = lookup.plan[(ALONG_B + 2 * step) * ROOM + k]
    one, half = np.float32(1.0), np.float32(0.5)
    for axis in range(2):
        a, b = f[(A_S + axis) * ROOM + k], f[(B_S + axis) * ROOM + k]
        corner = f[(S + axis) * ROOM + k] + a * (half / n_a - half) + b * (half / n_b - half)
        place[(E_S + axis) * ENTRIES + e] = corner
        place[(E_A_S + axis) * ENTRIES + e] = a / n_a
        place[(E_B_S + axis) * ENTRIES + e] = b / n_b
    place[E_WIDTH * ENTRIES + e] = max(texture.width >> level, 1)
    place[E_HEIGHT * ENTRIES + e] = max(texture.height >> level, 1)
    place[E_SHARE * ENTRIES + e] = share
    place[E_I * ENTRIES + e] = one - one
    place[E_J * ENTRIES + e] = one - one
    place[E_ALONG * ENTRIES + e] = n_a
    address[E_OFFSET * ENTRIES + e] = texture.offset[level]
    address[E_WRAP_S * ENTRIES + e] = texture.wrap_s
    address[E_WRAP_T * ENTRIES + e] = texture.wrap_t
    address[E_FOOTPRINT * ENTRIES + e] = k


@inner
def _step(place: NDArray[np.float32], count: int) -> None:
    """Go on to the next probe of the first `count` entries: along a, then along b."""
    one, zero = np.float32(1.0), np.float32(0.0)
    for e in range(count):
        i = place[E_I * ENTRIES + e] + one
        ended = i >= place[E_ALONG * ENTRIES + e]
        place[E_I * ENTRIES + e] = zero if ended else i
        place[E_J * ENTRIES + e] += one if ended else zero


@inner
def _add_probe(
    place: NDArray[np.float32],
    address: NDArray[np.int32],
    words: NDArray[np.uint32],
    count: int,
    color: NDArray[np.float32],
) -> None:
    """Add the bilinear values at the current probes of the first `count` entries to `color`."""
    one = np.float32(1.0)
    for e in range(count):
        width, height = read(place, E_WIDTH * ENTRIES + e), read(place, E_HEIGHT * ENTRIES + e)
        wrap_s = read(address, E_WRAP_S * ENTRIES + e)
        wrap_t = read(address, E_WRAP_T * ENTRIES + e)
        x = _folded(_along(place, E_S, e), wrap_s) * width - np.float32(0.5)
        y = _folded(one - _along(place, E_T, e), wrap_t) * height - np.float32(0.5)
        left, top = np.floor(x), np.floor(y)
        u, v = x - left, y - top
        x0, to_x0 = _neighbour(left, width, wrap_s, one - u)
        x1, to_x1 = _neighbour(left + one, width, wrap_s, u)
        y0, to_y0 = _neighbour(top, height, wrap_t, one - v)
        y1, to_y1 = _neighbour(top + one, height, wrap_t, v)
        offset, wide = read(address, E_OFFSET * ENTRIES + e), np.int32(width)
        a, b = 2 * (offset + y0 * wide + x0), 2 * (offset + y0 * wide + x1)
        c, d = 2 * (offset + y1 * wide + x0), 2 * (offset + y1 * wide + x1)
        share = read(place, E_SHARE * ENTRIES + e) * np.float32(2.0**112)
        to_y0, to_y1 = to_y0 * share, to_y1 * share
        p, q, r, s = to_x0 * to_y0, to_x1 * to_y0, to_x0 * to_y1, to_x1 * to_y1
        i, j, k, m = read(words, a), read(words, b), read(words, c), read(words, d)
        _add(color, 0, e, p * _low(i) + q * _low(j) + r * _low(k) + s * _low(m))
        _add(color, 1, e, p * _high(i) + q * _high(j) + r * _high(k) + s * _high(m))
        i, j = read(words, a + 1), read(words, b + 1)
        k, m = read(words, c + 1), read(words, d + 1)
        _add(color, 2, e, p * _low(i) + q * _low(j) + r * _low(k) + s * _low(m))
        _add(color, 3, e, p * _high(i) + q * _high(j) + r * _high(k) + s * _high(m))


@inlined
def _along(place: NDArray[np.float32], column: int, e: int) -> np.floating:
    """s or t of the current probe."""
    i, j = read(place, E_I * ENTRIES + e), read(place, E_J * ENTRIES + e)
    a, b = read(place, (column + 2) * ENTRIES + e), read(place, (column + 4) * ENTRIES + e)
    return read(place, column * ENTRIES + e) + i * a + j * b


@inlined
def _add(color: NDArray[np.float32], channel: int, e: int, value: np.floating) -> None:
    write(color, channel * ENTRIES + e, fetch(color, channel * ENTRIES + e) + value)


@inlined
def _low(word: int) -> np.floating:
    """The half float >= 0 in the low bits over 2^112: exponent and fraction in a float's place."""
    return np.uint32((word & np.uint32(0x7FFF)) << np.uint32(13)).view(np.float32)


@inlined
def _high(word: int) -> np.floating:
    return np.uint32((word & np.uint32(0x7FFF0000)) >> np.uint32(3)).view(np.float32)


@inlined
def _folded(s: np.floating, wrap: int) -> np.floating:
    """A texture coordinate brought near [0, 1]; black and clamped ones stay close outside."""
    repeated = s - np.floor(s)
    half = s * np.float32(0.5)
    mirrored = np.float32(1.0) - abs(np.float32(1.0) - np.float32(2.0) * (half - np.floor(half)))
    held = min(max(s, np.float32(-1.0)), np.float32(2.0))
    folded = mirrored if wrap == MIRROR else repeated
    return held if wrap in (CLAMP, BLACK) else folded


@inlined
def _neighbour(
    i: np.floating, size: np.floating, wrap: int, weight: np.floating
) -> tuple[np.int32, np.floating]:
    """Index of a texel, and its weight, which is nothing outside a black border."""
    outside = i < np.float32(0.0) or i >= size
    near = min(max(i, np.float32(0.0)), size - np.float32(1.0))
    far = size - np.float32(1.0) if i < np.float32(0.0) else np.float32(0.0)
    repeats = wrap != CLAMP and wrap != MIRROR and outside
    index = np.int32(far if repeats else near)
    return index, np.float32(0.0) if wrap == BLACK and outside else weight

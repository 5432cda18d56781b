"""Radiance .hdr pictures: bytes -> (h, w, 3) float32 linear RGB, row 0 at the top.

A text header ends with a blank line and a size line `-Y h +X w`. A pixel is three mantissas and
a shared exponent: value = mantissa * 2^(e - 136), 0 where e = 0. A scan line is stored flat, or
(new style, marked 2 2 w) as four planes of runs: n > 128 repeats the next byte n - 128 times,
else n bytes follow. Format: G. Ward, "Real pixels", Graphics Gems II, 1991.
"""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray


def is_radiance(data: bytes) -> bool:
    """Whether the bytes start as a Radiance picture does."""
    return data.startswith((b"#?RADIANCE", b"#?RGBE"))


def read_radiance(data: bytes) -> NDArray[np.float32]:
    """Decode a Radiance picture.

    Raises:
        ValueError: not a top-down RGBE picture, or cut short.
    """
    header = re.search(rb"\n\n-Y (\d+) \+X (\d+)\n", data)
    if header is None or b"FORMAT=32-bit_rle_rgbe" not in data[: header.start()]:
        raise ValueError("not a top-down 32-bit_rle_rgbe picture")
    height, width = int(header[1]), int(header[2])
    rgbe = np.empty((height, width, 4), np.uint8)
    position = header.end()
    for y in range(height):
        position = _read_line(data, position, rgbe[y])
    mantissa = rgbe[..., :3].astype(np.float32)
    exponent = rgbe[..., 3:].astype(np.int32)
    return np.where(exponent > 0, np.ldexp(mantissa, exponent - 136), np.float32(0))


def _read_line(data: bytes, position: int, line: NDArray[np.uint8]) -> int:
    """Fill one scan line (w, 4); returns where the next one starts."""
    width = len(line)
    if data[position : position + 4] != bytes([2, 2, width >> 8 & 255, width & 255]):
        flat = np.frombuffer(data, np.uint8, count=4 * width, offset=position)
        line[:] = flat.reshape(width, 4)
        return position + 4 * width
    position += 4
    for plane in range(4):
        x = 0
        while x < width:
            if position + 1 >= len(data):
                raise ValueError("the file is cut short")
            run = data[position]
            length = run - 128 if run > 128 else run
            if length == 0 or x + length > width:
                raise ValueError("a run does not fit its scan line")
            stored = 1 if run > 128 else length
            values = np.frombuffer(data, np.uint8, count=stored, offset=position + 1)
            line[x : x + length, plane] = values
            position += 1 + stored
            x += length
    return position

"""PNG files of 16 bits per channel, grey or RGB, which Pillow cannot write in colour.

The file format: PNG (Portable Network Graphics) Specification, Third Edition, W3C 2025. Written are
rows with filter 2 (Up), which suits smooth fields; read is any non-interlaced file of these kinds.
Channel order is that of the file, R G B: readers that swap it (OpenCV gives B G R) must swap back.
"""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
from numba import njit
from numpy.typing import NDArray

from datagen.errors import InputError

SIGNATURE = b"\x89PNG\r\n\x1a\n"
COLOR_TYPE = {1: 0, 3: 2}
"""PNG's colour type by number of channels: grey, RGB."""
UP = 2


def write_png16(path: Path, picture: NDArray[np.uint16]) -> None:
    """Write a picture, shape (H, W) grey or (H, W, 3) RGB; equal pictures give equal bytes.

    Raises:
        InputError: another shape or dtype.
    """
    channels = 1 if picture.ndim == 2 else picture.shape[-1]
    if picture.dtype != np.uint16 or picture.ndim not in (2, 3) or channels not in COLOR_TYPE:
        raise InputError(
            f"{path}: a picture of shape {picture.shape} and {picture.dtype}; expected (H, W) or "
            "(H, W, 3) and uint16"
        )
    height, width = picture.shape[:2]
    raw = np.ascontiguousarray(picture.astype(">u2")).view(np.uint8).reshape(height, -1)
    rows = np.empty((height, raw.shape[1] + 1), np.uint8)
    rows[:, 0] = UP
    rows[0, 1:] = raw[0]
    rows[1:, 1:] = raw[1:] - raw[:-1]
    header = struct.pack(">IIBBBBB", width, height, 16, COLOR_TYPE[channels], 0, 0, 0)
    chunks = (b"IHDR", header), (b"IDAT", zlib.compress(rows.tobytes(), 6)), (b"IEND", b"")
    path.write_bytes(SIGNATURE + b"".join(_chunk(name, data) for name, data in chunks))


def read_png16(path: Path) -> NDArray[np.uint16]:
    """Read a picture, shape (H, W) grey or (H, W, 3) RGB.

    Raises:
        InputError: not a PNG, damaged, interlaced, or not of 16 bits grey or RGB.
    """
    chunks = _chunks(path)
    width, height, bits, color, _, _, interlace = struct.unpack(">IIBBBBB", chunks[b"IHDR"])
    if bits != 16 or color not in COLOR_TYPE.values() or interlace:
        raise InputError(
            f"{path}: {bits} bits, colour type {color}, interlace {interlace}; expected a PNG of 16 "
            "bits, grey (0) or RGB (2), not interlaced"
        )
    channels = 1 if color == 0 else 3
    try:
        data = np.frombuffer(zlib.decompress(chunks[b"IDAT"]), np.uint8)
    except zlib.error as error:
        raise InputError(f"{path}: damaged PNG data ({error}); copy it again") from error
    if data.size != height * (1 + 2 * width * channels):
        raise InputError(f"{path}: {data.size} bytes of pixels; the header promises another size")
    rows = data.reshape(height, -1)
    raw = np.zeros((height, 2 * width * channels), np.uint8)
    _unfilter(raw, rows, 2 * channels)
    picture = raw.view(">u2").astype(np.uint16)
    return picture.reshape((height, width) if channels == 1 else (height, width, channels))


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def _chunks(path: Path) -> dict[bytes, bytes]:
    """Data by name of chunk, those of one name joined, checksums verified."""
    content = path.read_bytes() if path.is_file() else b""
    if not content.startswith(SIGNATURE):
        raise InputError(f"{path}: not a PNG file; expected one")
    chunks: dict[bytes, bytes] = {}
    at = len(SIGNATURE)
    while at + 12 <= len(content):
        (size,) = struct.unpack_from(">I", content, at)
        name, data = content[at + 4 : at + 8], content[at + 8 : at + 8 + size]
        if _chunk(name, data) != content[at : at + 12 + size]:
            raise InputError(f"{path}: chunk {name!r} is damaged; copy the file again")
        chunks[name] = chunks.get(name, b"") + data
        at += 12 + size
    if not {b"IHDR", b"IDAT", b"IEND"} <= chunks.keys():
        raise InputError(f"{path}: is cut off; copy the file again")
    return chunks


@njit(cache=True, nogil=True)
def _unfilter(raw, rows, step):  # type: ignore[no-untyped-def]
    """Undo PNG's filters 0 to 4; `step` is the number of bytes per pixel."""
    height, size = raw.shape
    for y in range(height):
        kind = rows[y, 0]
        for i in range(size):
            left = int(raw[y, i - step]) if i >= step else 0
            up = int(raw[y - 1, i]) if y > 0 else 0
            corner = int(raw[y - 1, i - step]) if y > 0 and i >= step else 0
            if kind == 1:
                guess = left
            elif kind == 2:
                guess = up
            elif kind == 3:
                guess = (left + up) // 2
            elif kind == 4:
                estimate = left + up - corner
                to_left, to_up = abs(estimate - left), abs(estimate - up)
                to_corner = abs(estimate - corner)
                if to_left <= to_up and to_left <= to_corner:
                    guess = left
                else:
                    guess = up if to_up <= to_corner else corner
            else:
                guess = 0
            raw[y, i] = (int(rows[y, i + 1]) + guess) & 255

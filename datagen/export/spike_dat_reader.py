"""A `.dat` file of a spike camera -> spikes; the layout is that of `datagen.export.spike_dat`.

Cameras with a head write wider rows (416 columns for a picture of 400): the columns after the
picture are dropped.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from datagen.errors import InputError
from schemas.arrays import SpikeArray


def read_spike_dat(
    path: Path,
    *,
    height: int,
    width: int,
    head_columns: int = 0,
    flipud: bool = True,
    start: int = 0,
    stop: int | None = None,
) -> SpikeArray:
    """Read polls start .. stop - 1 of a `.dat` file.

    Args:
        path: the file; read only.
        height: rows of the picture [px].
        width: columns of the picture [px], without the head.
        head_columns: columns that every row has after the picture.
        flipud: whether the file has the bottom row first.
        start: first poll.
        stop: poll after the last one; None for all.

    Raises:
        InputError: the file is not there, ends within a poll, or the polls are not in it; or a poll
            of that size does not fill whole bytes.
    """
    polls, poll_bytes = _count_polls(path, height * (width + head_columns))
    stop = polls if stop is None else stop
    if not 0 <= start <= stop <= polls:
        raise InputError(
            f"{path}: polls {start} to {stop}; expected 0 <= start <= stop <= {polls}."
        )
    with path.open("rb") as file:
        file.seek(start * poll_bytes)
        data = np.fromfile(file, np.uint8, (stop - start) * poll_bytes)
    packed = data.reshape(stop - start, poll_bytes)
    if head_columns or flipud:
        packed = _picture(packed, height, width, head_columns, flipud=flipud)
    return SpikeArray(packed=packed, height=height, width=width)


def _count_polls(path: Path, pixels: int) -> tuple[int, int]:
    if pixels <= 0 or pixels % 8:
        raise InputError(
            f"{path}: polls of {pixels} pixels, head included; expected a multiple of 8, because "
            "the format has no padding. Check height, width and head_columns."
        )
    if not path.is_file():
        raise InputError(f"{path}: no such file; expected the .dat of a spike camera")
    size, poll_bytes = path.stat().st_size, pixels // 8
    if size % poll_bytes:
        raise InputError(
            f"{path}: has {size} bytes, that is {size // poll_bytes} polls of {poll_bytes} bytes and "
            f"{size % poll_bytes} bytes more; expected whole polls. The file is cut off, or height, "
            "width or head_columns are not those of the camera."
        )
    return size // poll_bytes, poll_bytes


def _picture(
    packed: NDArray[np.uint8], height: int, width: int, head_columns: int, *, flipud: bool
) -> NDArray[np.uint8]:
    bits = np.unpackbits(packed, axis=1, bitorder="little")
    rows = bits.reshape(len(packed), height, width + head_columns)[:, :, :width]
    rows = rows[:, ::-1] if flipud else rows
    return np.packbits(rows.reshape(len(packed), height * width), axis=1, bitorder="little")

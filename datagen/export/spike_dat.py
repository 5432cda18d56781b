"""Spikes -> the headerless `.dat` of Vidar spike cameras, alone or as a SpikeCV data set.

Poll n occupies bytes [n H W / 8, (n + 1) H W / 8): pixel (row, column) is bit p % 8 of byte p // 8,
least significant bit first, where p = r W + column and r = H - 1 - row (the cameras' pictures are
upside down) or, without `flipud`, r = row. There is no padding, so H W must be a multiple of 8:
loaders cut the file by that size and would read any other as garbage.

SpikeCV finds the size in a `config.yaml` beside the files.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import yaml
from numpy.typing import NDArray

from datagen.dataset import SpikeStream
from datagen.errors import InputError
from schemas.arrays import SpikeArray

SLAB_PIXELS = 2**24
"""Pixels times polls held at a time."""


def write_spike_dat(
    path: Path, spikes: SpikeStream, *, flipud: bool = True, start: int = 0, stop: int | None = None
) -> None:
    """Write polls start .. stop - 1.

    Raises:
        InputError: H W is not a multiple of 8, or the polls are not in the stream.
        DatasetError: the stream cannot be read.
    """
    check_whole_bytes(spikes)
    stop = len(spikes) if stop is None else stop
    size = spikes.slice_by_poll(0, 0)
    step = max(1, SLAB_PIXELS // (size.height * size.width))
    with path.open("wb") as file:
        for at in range(start, stop, step):
            dat_bytes(spikes.slice_by_poll(at, min(at + step, stop)), flipud=flipud).tofile(file)


def check_whole_bytes(spikes: SpikeStream) -> None:
    """Raise InputError unless every poll fills whole bytes."""
    size = spikes.slice_by_poll(0, 0)
    if size.height * size.width % 8:
        raise InputError(
            f"{spikes.name}: a spike camera of {size.width} x {size.height} px; a .dat file needs "
            "width times height to be a multiple of 8, because it has no padding. Render with "
            "such a size (400 x 250, say), or read the spikes from the dataset itself."
        )


def dat_bytes(spikes: SpikeArray, *, flipud: bool) -> NDArray[np.uint8]:
    """The bytes of some polls, shape (polls, H W / 8); H W is a multiple of 8."""
    if not flipud:
        return spikes.packed
    if spikes.width % 8 == 0:
        rows = spikes.packed.reshape(len(spikes), spikes.height, spikes.width // 8)
        return np.ascontiguousarray(rows[:, ::-1]).reshape(spikes.packed.shape)
    bits = spikes.unpack()[:, ::-1].reshape(len(spikes), spikes.height * spikes.width)
    return np.packbits(bits, axis=1, bitorder="little")


def spikecv_config(spikes: SpikeStream, *, name: str) -> bytes:
    """`config.yaml` of a SpikeCV data set without labels."""
    size = spikes.slice_by_poll(0, 0)
    config = {
        "filename": name,
        "spike_w": size.width,
        "spike_h": size.height,
        "is_labeled": False,
        "labeled_data_type": [0],
        "labeled_data_suffix": "None",
    }
    return yaml.safe_dump(config, sort_keys=False).encode()

"""The first tiny segment with a spike camera whose polls fill whole bytes."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest

HEIGHT, WIDTH = 18, 28


@pytest.fixture(scope="session")
def cropped(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A segment file with the top left 28 x 18 pixels of the spikes and of the light."""
    path = tmp_path_factory.mktemp("cropped") / "first.h5"
    path.write_bytes(next(tiny.glob("*first*.h5")).read_bytes())
    with h5py.File(path, "r+") as file:
        spikes = file["spikes"]
        height, width = (int(spikes.attrs[name]) for name in ("height", "width"))
        bits = np.unpackbits(spikes["packed"][()], axis=1, count=height * width, bitorder="little")
        bits = bits.reshape(-1, height, width)[:, :HEIGHT, :WIDTH].reshape(len(bits), -1)
        light = file["frames/luminance"][:, :HEIGHT, :WIDTH]
        del spikes["packed"], file["frames/luminance"]
        spikes["packed"] = np.packbits(bits, axis=1, bitorder="little")
        spikes.attrs.update(height=HEIGHT, width=WIDTH)
        file["frames/luminance"] = light
    return path

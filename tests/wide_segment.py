"""A segment file of any size with random events before a wall that stands still."""

from __future__ import annotations

import shutil
from pathlib import Path

import h5py
import numpy as np

from datagen.dataset import Segment
from datagen.export.hdf5 import FILTERS
from schemas.h5 import COLUMNS

SLIDE, WALL = 0.02, 2.0
"""[m]"""


def write_wide_segment(
    path: Path, like: Path, *, height: int, width: int, frames: int, frame_us: int,
    events_per_interval: int,
) -> Path:  # fmt: skip
    """Change a copy of a segment of the tiny dataset.

    The camera slides SLIDE to the right per frame before a wall WALL away; its focal length [px] is
    `width`, so the flow is -width * SLIDE / WALL px per frame.

    Args:
        path: the file to write.
        like: a segment file of the tiny dataset.
        height: rows [px].
        width: columns [px].
        frames: labelled frames.
        frame_us: time between frames [us].
        events_per_interval: random events between two frames.
    """
    shutil.copyfile(like, path)
    with h5py.File(path, "r+") as file:
        t = np.arange(frames) * frame_us
        _stretch_frames(file, t, height, width)
        _write_events(file, t, height, width, events_per_interval)
        focal = float(width)
        file["calib"].attrs.update(
            width=width, height=height, fx=focal, fy=focal, cx=width / 2, cy=height / 2
        )
    _write_flow(path, frames)
    return path


def _stretch_frames(file: h5py.File, t: np.ndarray, height: int, width: int) -> None:
    """Every column per frame: the first frame's value again, or a wall 2 m away."""
    for column in COLUMNS:
        if column.dims[0] != "N":
            continue
        first = file[column.path][:1]
        del file[column.path]
        shape = (len(t), *first.shape[1:])
        if column.dims[1:3] == ("H", "W"):
            shape = (len(t), height, width, *first.shape[3:])
            first = np.ones((), column.dtype) * (WALL if column.path == "frames/depth" else 1)
        value = np.broadcast_to(first, shape)
        file.create_dataset(column.path, data=value, chunks=(1, *shape[1:]), **FILTERS)
    file["frames/t"][...] = t
    file["flow/from_us"][...], file["flow/to_us"][...] = t, np.append(t[1:], t[-1])
    position = file["pose/position"][()]
    position[:, 0] = SLIDE * np.arange(len(t))
    file["pose/position"][...] = position


def _write_flow(path: Path, frames: int) -> None:
    """Stored flow as the poses and the depth have it."""
    with Segment(path) as segment:
        pairs = {"forward": [(k, k + 1) for k in range(frames - 1)],
                 "backward": [(k, k - 1) for k in range(1, frames)]}  # fmt: skip
        flows = {name: [segment.flow(*pair) for pair in listed] for name, listed in pairs.items()}
    with h5py.File(path, "r+") as file:
        for name, listed in pairs.items():
            file[f"flow/{name}"][...] = file[f"flow/{name}_valid"][...] = 0
            for (k, _), (flow, valid) in zip(listed, flows[name], strict=True):
                file[f"flow/{name}"][k], file[f"flow/{name}_valid"][k] = flow, valid


def _write_events(
    file: h5py.File, t: np.ndarray, height: int, width: int, per_interval: int
) -> None:
    rng = np.random.default_rng(0)
    count = per_interval * (len(t) - 1)
    columns = {
        "t": np.sort(rng.integers(1, t[-1] + 1, count)),
        "x": rng.integers(0, width, count).astype(np.uint16),
        "y": rng.integers(0, height, count).astype(np.uint16),
        "p": rng.integers(0, 2, count).astype(np.uint8),
    }
    for name, values in columns.items():
        del file[f"events/{name}"]
        chunk = (min(2**16, count),)
        file.create_dataset(f"events/{name}", data=values, chunks=chunk, **FILTERS)
    del file["events/frame_to_idx"], file["ms_to_idx"]
    before = np.searchsorted(columns["t"], t, side="right")
    file["events/frame_to_idx"] = before.astype(np.uint64)
    milliseconds = np.arange(0, t[-1] + 2000, 1000)
    file["ms_to_idx"] = np.searchsorted(columns["t"], milliseconds).astype(np.uint64)

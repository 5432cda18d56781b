"""Columns of an HDF5 file filled slab by slab, so that memory does not grow with a recording."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from datagen.dataset import EventStream
from schemas.arrays import EventArray

CHUNK = 2**16
"""Events per HDF5 chunk."""
FILTERS = {"compression": "gzip", "compression_opts": 1, "shuffle": True}


def millisecond_index(stream: EventStream, end_us: int) -> NDArray[np.uint64]:
    """First event at or after every whole millisecond, through one past `end_us`."""
    milliseconds = np.arange(0, end_us + 2000, 1000)
    counts = np.zeros(len(milliseconds), np.int64)
    for events in stream.slabs():
        counts += np.searchsorted(events.t, milliseconds, side="left")
    return counts.astype(np.uint64)


def write_event_columns(
    group: h5py.Group,
    stream: EventStream,
    columns: dict[str, tuple[str, Callable[[EventArray], NDArray[Any]]]],
) -> None:
    """Create and fill one dataset per column.

    Args:
        group: where to.
        stream: the events.
        columns: by name, dtype and how to make the values; they may have further axes.
    """
    empty = EventArray.empty()
    chunk = min(CHUNK, max(len(stream), 1))
    datasets = {}
    for name, (dtype, make) in columns.items():
        tail = make(empty).shape[1:]
        datasets[name] = group.create_dataset(
            name,
            (len(stream), *tail),
            dtype,
            chunks=(chunk, *tail),
            maxshape=(None, *tail),
            **FILTERS,
        )
    at = 0
    for events in stream.slabs():
        for name, (dtype, make) in columns.items():
            datasets[name][at : at + len(events)] = make(events).astype(dtype)
        at += len(events)


def create_pictures(
    group: h5py.Group, name: str, count: int, shape: tuple[int, ...], dtype: str
) -> h5py.Dataset:
    """A dataset of pictures, one per chunk, to be filled one by one."""
    return group.create_dataset(name, (count, *shape), dtype, chunks=(1, *shape), **FILTERS)


def grey(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Rec. 601 luma of an sRGB picture, as image libraries turn colour into grey."""
    luma = rgb.astype(np.float64) @ [0.299, 0.587, 0.114]
    return np.rint(luma).astype(np.uint8)

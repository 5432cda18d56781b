"""The native segment file: streams of arrays in, one HDF5 file out (layout: schemas/h5.py).

Everything is written in one canonical order and in whole HDF5 chunks, so that the bytes depend on
the data alone and not on how the work was cut. Memory is bounded by a few chunks.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from schemas.h5 import (
    COLUMNS,
    EVENT_COLUMNS,
    NOISE_COLUMN,
    ROOT_EVENT_COLUMNS,
    SPIKE_COLUMNS,
    Column,
)

EVENT_SLAB = 2**16
"""Events per HDF5 chunk."""
SPIKE_SLAB_BYTES = 2**18
"""Most bytes per HDF5 chunk of packed spikes."""
FILTERS = {"compression": "gzip", "compression_opts": 1, "shuffle": True, "fletcher32": True}
TABLE = {
    column.path: column
    for column in (*COLUMNS, *EVENT_COLUMNS, NOISE_COLUMN, *ROOT_EVENT_COLUMNS, *SPIKE_COLUMNS)
}
DTYPES = {path: column.dtype for path, column in TABLE.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class EventStream:
    """One event sensor's columns over a whole segment, as pieces that follow one another."""

    group: str
    count: int
    pieces: dict[str, Iterable[NDArray[Any]]]
    """`t`, `x`, `y`, `p`, and `noise` where events are labelled."""
    attributes: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class SpikeStream:
    """One spike camera's packed polls over a whole segment."""

    group: str
    polls: int
    row_bytes: int
    pieces: Iterable[NDArray[np.uint8]]
    frame_to_poll: NDArray[np.uint64]
    """Polls that end at or before every frame, shape (N,)."""
    attributes: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentContent:
    """All that goes into a segment file."""

    root: dict[str, Any]
    """Attributes of the file."""
    calibration: dict[str, Any]
    t: NDArray[np.int64]
    """Frame times [us], shape (N,)."""
    t_offset: int
    columns: dict[str, NDArray[Any]]
    """Small columns (poses, objects, ...) by path."""
    frames: Iterable[dict[str, NDArray[Any]]]
    """Per frame: every (N, H, W, ...) column of `frames` and `flow` by path, in frame order."""
    height: int
    width: int
    events: list[EventStream]
    spikes: list[SpikeStream]


def write_segment(path: Path, content: SegmentContent) -> None:
    """Write a segment file; `path` must not be open elsewhere and is replaced."""
    with h5py.File(path, "w", libver=("v110", "v110"), track_order=False) as file:
        file.attrs.update(content.root)
        for events in content.events:
            _write_events(file, events, content)
        for spikes in content.spikes:
            _write_spikes(file, spikes)
        for name, array in content.columns.items():
            _write_small(file, name, array)
        _write_frames(file, content)
        file.require_group("calib").attrs.update(content.calibration)
        file.create_dataset("t_offset", data=np.int64(content.t_offset))
        _explain(file, [s.group for s in content.events] + [s.group for s in content.spikes])


def _explain(file: h5py.File, streams: list[str]) -> None:
    """Write unit and meaning to every column, for readers who have the file alone."""
    sorts = {group: group.partition("_")[0] for group in streams}
    paths: list[str] = []
    file.visit(paths.append)
    for path in paths:
        if isinstance(file[path], h5py.Dataset):
            group, slash, name = path.partition("/")
            column = TABLE[sorts.get(group, group) + slash + name]
            file[path].attrs.update({"unit": column.unit, "meaning": column.meaning})


def _write_events(file: h5py.File, stream: EventStream, content: SegmentContent) -> None:
    group = file.create_group(stream.group)
    group.attrs.update(stream.attributes)
    stops = np.append(content.t, np.arange(0, int(content.t[-1]) + 2000, 1000) - 1)
    indices = np.zeros(len(stops), np.uint64)
    for name, pieces in stream.pieces.items():
        dtype = DTYPES[f"events/{name}"]
        dataset = _create(group, name, (stream.count,), dtype, (EVENT_SLAB,))
        for at, slab in _slabs(pieces, EVENT_SLAB):
            dataset[at : at + len(slab)] = slab
            if name == "t":
                indices += np.searchsorted(slab, stops, side="right").astype(np.uint64)
    frames = len(content.t)
    group.create_dataset("frame_to_idx", data=indices[:frames])
    if stream.group == "events":
        file.create_dataset("ms_to_idx", data=indices[frames:])


def _write_spikes(file: h5py.File, stream: SpikeStream) -> None:
    group = file.create_group(stream.group)
    group.attrs.update(stream.attributes)
    rows = max(1, SPIKE_SLAB_BYTES // stream.row_bytes)
    shape = (stream.polls, stream.row_bytes)
    dataset = _create(group, "packed", shape, "uint8", (rows, stream.row_bytes))
    for at, slab in _slabs(stream.pieces, rows):
        dataset[at : at + len(slab)] = slab
    group.create_dataset("frame_to_poll", data=stream.frame_to_poll)


def _write_small(file: h5py.File, path: str, array: NDArray[Any]) -> None:
    if DTYPES[path] == "str":
        file.create_dataset(path, data=list(array), dtype=h5py.string_dtype())
    else:
        file.create_dataset(path, data=array.astype(DTYPES[path], casting="safe"))


def _write_frames(file: h5py.File, content: SegmentContent) -> None:
    pictures = [column for column in COLUMNS if column.dims[:3] == ("N", "H", "W")]
    shapes = {column.path: _shape(column, content) for column in pictures}
    datasets = {
        path: _create(file, path, (len(content.t), *shape), DTYPES[path], (1, *shape))
        for path, shape in shapes.items()
    }
    for k, frame in enumerate(content.frames):
        for path, dataset in datasets.items():
            dataset[k] = frame[path]


def _shape(column: Column, content: SegmentContent) -> tuple[int, ...]:
    sizes = {"H": content.height, "W": content.width}
    return tuple(sizes[d] if d in sizes else int(d) for d in column.dims[1:])


def _create(
    group: h5py.Group, name: str, shape: tuple[int, ...], dtype: str, chunk: tuple[int, ...]
) -> h5py.Dataset:
    if 0 in shape:
        return group.create_dataset(name, shape, dtype)
    fitting = tuple(min(c, n) for c, n in zip(chunk, shape, strict=True))
    return group.create_dataset(name, shape, dtype, chunks=fitting, **FILTERS)


def _slabs(pieces: Iterable[NDArray[Any]], rows: int) -> Iterator[tuple[int, NDArray[Any]]]:
    """Regroup pieces into slabs of `rows` (the last one shorter), each with its start."""
    at = 0
    rest: NDArray[Any] | None = None
    for piece in pieces:
        joined = piece if rest is None or not len(rest) else np.concatenate([rest, piece])
        whole = len(joined) // rows * rows
        for i in range(0, whole, rows):
            yield at + i, joined[i : i + rows]
        at, rest = at + whole, np.array(joined[whole:])
    if rest is not None and len(rest):
        yield at, rest

"""Readers of event formats, each written from the format's definition and sharing no code with ours.

Every reader takes a path and gives four lists: t [us], x, y, p (1 = ON).
"""

from __future__ import annotations

import csv
import struct
from decimal import Decimal
from pathlib import Path

import h5py
import numpy as np

from datagen.export.event_source import EventSource
from schemas.arrays import EventArray

Columns = tuple[list[int], list[int], list[int], list[int]]


def make_events(rows: list[tuple[int, int, int, int]]) -> EventArray:
    """(t, x, y, p) rows, frozen against writers."""
    columns = np.array(rows, np.int64).reshape(-1, 4).T
    dtypes = {"t": np.int64, "x": np.uint16, "y": np.uint16, "p": np.uint8}
    arrays = {
        name: column.astype(dtype)
        for (name, dtype), column in zip(dtypes.items(), columns, strict=True)
    }
    for array in arrays.values():
        array.flags.writeable = False
    return EventArray(**arrays)


def source_of(*parts: EventArray, width: int, height: int) -> EventSource:
    """Parts of a stream as an exporter gets them."""
    full = [part for part in parts if len(part)]
    last = int(full[-1].t[-1]) if full else 0
    return EventSource(title="test", width=width, height=height, last_us=last, slabs=full)


def columns_of(events: EventArray) -> Columns:
    return events.t.tolist(), events.x.tolist(), events.y.tolist(), events.p.tolist()


def percent_header(data: bytes) -> tuple[dict[str, str], int]:
    """Fields of a header of `% key value` lines, and where the data begins."""
    fields, at = {}, 0
    while data[at : at + 2] == b"% ":
        end = data.index(b"\n", at)
        key, _, value = data[at + 2 : end].decode("ascii").partition(" ")
        at = end + 1
        if key == "end":
            break
        fields[key] = value
    return fields, at


def read_evt2(path: Path) -> Columns:
    data = path.read_bytes()
    _, at = percent_header(data)
    t, x, y, p = [], [], [], []
    high, loops = 0, 0
    for (word,) in struct.iter_unpack("<I", data[at:]):
        kind = word >> 28
        if kind == 8:
            loops += (word & 0xFFFFFFF) < high
            high = word & 0xFFFFFFF
        else:
            assert kind in (0, 1)
            t.append((loops << 34) + (high << 6) + (word >> 22 & 0x3F))
            x.append(word >> 11 & 0x7FF)
            y.append(word & 0x7FF)
            p.append(kind)
    return t, x, y, p


def read_evt3(path: Path) -> Columns:
    data = path.read_bytes()
    _, at = percent_header(data)
    t, x, y, p = [], [], [], []
    high, low, loops, row = 0, None, 0, None
    for (word,) in struct.iter_unpack("<H", data[at:]):
        kind, value = word >> 12, word & 0xFFF
        if kind == 8:
            loops += value < high
            high, low = value, None
        elif kind == 6:
            low = value
        elif kind == 0:
            row = value & 0x7FF
        else:
            assert kind == 2
            t.append((loops << 24) + (high << 12) + low)
            x.append(value & 0x7FF)
            y.append(row)
            p.append(value >> 11)
    return t, x, y, p


def read_prophesee_dat(path: Path) -> Columns:
    data = path.read_bytes()
    fields, at = percent_header(data)
    assert fields["Version"] == "2"
    assert data[at : at + 2] == b"\x0c\x08"
    words = list(struct.iter_unpack("<II", data[at + 2 :]))
    t = [t for t, _ in words]
    return t, [w & 0x3FFF for _, w in words], [w >> 14 & 0x3FFF for _, w in words], [
        w >> 28 & 1 for _, w in words
    ]  # fmt: skip


def read_aedat2(path: Path, *, width: int, height: int) -> Columns:
    """jAER's DAVIS addresses, both axes turned."""
    data, at = path.read_bytes(), 0
    while data[at : at + 1] == b"#":
        at = data.index(b"\r\n", at) + 2
    pairs = [(a, t) for a, t in struct.iter_unpack(">Ii", data[at:]) if not a >> 10 & 1]
    return (
        [t for _, t in pairs],
        [width - 1 - (a >> 12 & 0x3FF) for a, _ in pairs],
        [height - 1 - (a >> 22 & 0x1FF) for a, _ in pairs],
        [a >> 11 & 1 for a, _ in pairs],
    )


def read_aedat4(path: Path, *, decompress=bytes) -> Columns:
    """Follows the offsets of the FlatBuffers as any generated reader does."""
    data = path.read_bytes()
    assert data[:14] == b"#!AER-DAT4.0\r\n"
    at = 14 + 4 + struct.unpack_from("<I", data, 14)[0]
    t, x, y, p = [], [], [], []
    while at < len(data):
        stream, size = struct.unpack_from("<ii", data, at)
        assert stream == 0
        buffer = decompress(data[at + 8 : at + 8 + size])
        assert struct.unpack_from("<I", buffer)[0] == len(buffer) - 4
        assert buffer[8:12] == b"EVTS"
        table = 4 + struct.unpack_from("<I", buffer, 4)[0]
        vtable = table - struct.unpack_from("<i", buffer, table)[0]
        field = table + struct.unpack_from("<H", buffer, vtable + 4)[0]
        vector = field + struct.unpack_from("<I", buffer, field)[0]
        assert (vector + 4) % 8 == 0
        for i in range(struct.unpack_from("<I", buffer, vector)[0]):
            event = struct.unpack_from("<qhh?", buffer, vector + 4 + 16 * i)
            for column, value in zip((t, x, y, p), event, strict=True):
                column.append(int(value))
        at += 8 + size
    return t, x, y, p


def read_v2e_h5(path: Path) -> Columns:
    with h5py.File(path) as file:
        table = file["events"][()]
    assert table.dtype == np.uint32
    return tuple(table[:, i].tolist() for i in range(4))  # type: ignore[return-value]


def read_rpg_txt(path: Path) -> Columns:
    rows = [line.split(" ") for line in path.read_text("ascii").splitlines()]
    stamps = [Decimal(row[0]) * 10**6 for row in rows]
    assert all(stamp == int(stamp) for stamp in stamps)
    return [int(s) for s in stamps], *([int(row[i]) for row in rows] for i in (1, 2, 3))  # type: ignore[return-value]


def read_csv(path: Path) -> Columns:
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    return tuple([int(row[name]) for row in rows] for name in "txyp")  # type: ignore[return-value]

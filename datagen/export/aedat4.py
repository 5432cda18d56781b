"""Events -> AEDAT 4.0, the container of the DV software.

    "#!AER-DAT4.0\\r\\n", IOHeader, then packets: stream id (int32), size (int32), payload

IOHeader and the payloads are size-prefixed FlatBuffers. Their tables have one to three fields of
fixed place, so their bytes are laid out here once instead of by a FlatBuffers library:

    IOHeader     "IOHE": compression (int32), position of the table of packets (int64; -1 = none,
                 readers then scan), description of the streams (string, XML)
    EventPacket  "EVTS": a vector of events: t [us] (int64), x, y (int16), polarity (bool), padding

A payload may be one LZ4 frame. Source: iniVation, "AEDAT file formats", section AEDAT 4.0, and the
FlatBuffers binary format.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np

from datagen.errors import InputError
from datagen.export.event_source import EventSource
from schemas.arrays import EventArray
from schemas.export import Aedat4ExportSpec

MAGIC = b"#!AER-DAT4.0\r\n"
STREAM = 0
EVENTS_PER_PACKET = 2**14
NONE, LZ4 = 0, 1
"""Values of IOHeader.compression."""
EVENT = np.dtype(
    {"names": ["t", "x", "y", "on"], "formats": ["<i8", "<i2", "<i2", "u1"],
     "offsets": [0, 8, 10, 12], "itemsize": 16}
)  # fmt: skip
INFO = """\
<dv version="2.0"><node name="outInfo" path="/mainloop/Recorder/outInfo/">\
<node name="{stream}" path="/mainloop/Recorder/outInfo/{stream}/">\
<attr key="compression" type="string">{compression}</attr>\
<attr key="originalModuleName" type="string">datagen</attr>\
<attr key="originalOutputName" type="string">events</attr>\
<attr key="typeDescription" type="string">Array of events (polarity ON/OFF).</attr>\
<attr key="typeIdentifier" type="string">EVTS</attr>\
<node name="info" path="/mainloop/Recorder/outInfo/{stream}/info/">\
<attr key="sizeX" type="int">{width}</attr><attr key="sizeY" type="int">{height}</attr>\
<attr key="source" type="string">{source}</attr>\
</node></node></node></dv>
"""


def write_aedat4(path: Path, events: EventSource, spec: Aedat4ExportSpec) -> None:
    """Write an AEDAT 4.0 file with one stream of events.

    Raises:
        InputError: the sensor is larger than 32768 x 32768 px, or LZ4 is not installed.
    """
    events.check_fits("AEDAT 4.0", columns=2**15, rows=2**15, end_us=2**62)
    compress = _compressor(spec)
    with path.open("wb") as file:
        file.write(MAGIC + _header(events, spec))
        for slab in events.slabs:
            for start in range(0, len(slab), EVENTS_PER_PACKET):
                payload = compress(_packet(slab, slice(start, start + EVENTS_PER_PACKET)))
                file.write(struct.pack("<ii", STREAM, len(payload)) + payload)


def _header(events: EventSource, spec: Aedat4ExportSpec) -> bytes:
    info = INFO.format(
        stream=STREAM, compression=spec.compression.upper(), width=events.width,
        height=events.height, source="neuromorphic-datagen",
    ).encode()  # fmt: skip
    compression = LZ4 if spec.compression == "lz4" else NONE
    table = struct.pack(
        "<I4s5H2xiiqII",
        20, b"IOHE",  # the table is 20 bytes after this word
        10, 20, 4, 8, 16, 12,  # vtable: its size, the table's, where its fields are; then back to it
        compression, -1, 4, len(info),
    )  # fmt: skip
    body = table + info + b"\0"
    return struct.pack("<I", len(body)) + body


def _packet(slab: EventArray, part: slice) -> bytes:
    records = np.zeros(len(slab.t[part]), EVENT)
    records["t"], records["x"], records["y"] = slab.t[part], slab.x[part], slab.y[part]
    records["on"] = slab.p[part]
    table = struct.pack(
        "<I4s2x3HiII",
        16, b"EVTS",  # the table is 16 bytes after this word
        6, 8, 4, 6,  # vtable: its size, the table's, where the field is; then back to it
        4, len(records),
    )  # fmt: skip
    body = table + records.tobytes()
    return struct.pack("<I", len(body)) + body


def _compressor(spec: Aedat4ExportSpec) -> Callable[[bytes], bytes]:
    if spec.compression == "none":
        return bytes
    frame = _lz4_frame()
    return lambda payload: bytes(frame.compress(payload))


def _lz4_frame() -> ModuleType:
    try:
        import lz4.frame
    except ImportError as error:
        raise InputError(
            "AEDAT 4.0 with compression lz4 needs the package lz4, which is not installed. "
            "Run `pip install 'neuromorphic-datagen[formats]'`, or choose compression none."
        ) from error
    module: ModuleType = lz4.frame
    return module

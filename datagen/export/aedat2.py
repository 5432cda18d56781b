"""Events -> AEDAT 2.0: header lines that begin with `#`, then address and time of every event.

Both are big-endian 32-bit words. The address is a DAVIS camera's: polarity in bit 11, x in bits
12-21, y in bits 22-30. jAER counts rows from the bottom, and its DAVIS files columns from the right.

A reader takes lines that begin with `#` for the header, and so would it the first event if its
address began with that byte (y 140 to 143). Then a special event (bit 10, which is no pixel's) with
the time of the first event goes before it.

Source: iniVation, "AEDAT file formats", section AEDAT 2.0.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from datagen.export.event_source import EventSource
from schemas.arrays import EventArray
from schemas.export import Aedat2ExportSpec

HEADER = (
    b"#!AER-DAT2.0\r\n"
    b"# int32 address, int32 time, big-endian, for every event\r\n"
    b"# Timestamps tick is 1 us\r\n"
)
SPECIAL_EVENT = 1 << 10


def write_aedat2(path: Path, events: EventSource, spec: Aedat2ExportSpec) -> None:
    """Write an AEDAT 2.0 file.

    Raises:
        InputError: the sensor is larger than 1024 x 512 px, or an event is at 2^31 us or later.
    """
    events.check_fits("AEDAT 2.0", columns=1024, rows=512, end_us=2**31)
    with path.open("wb") as file:
        file.write(HEADER)
        for number, slab in enumerate(events.slabs):
            records = _records(slab, events, spec)
            if number == 0 and records[:1].tobytes().startswith(b"#"):
                np.array([[SPECIAL_EVENT, slab.t[0]]], ">i4").tofile(file)
            records.tofile(file)


def _records(
    slab: EventArray, events: EventSource, spec: Aedat2ExportSpec
) -> NDArray[np.signedinteger]:
    x, y = slab.x.astype(np.int32), slab.y.astype(np.int32)
    if spec.flip_x:
        x = events.width - 1 - x
    if spec.flip_y:
        y = events.height - 1 - y
    records = np.empty((len(slab), 2), ">i4")
    records[:, 0] = slab.p.astype(np.int32) << 11 | x << 12 | y << 22
    records[:, 1] = slab.t
    return records

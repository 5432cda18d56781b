"""Events -> Prophesee DAT, version 2: an ASCII header, two bytes, then 8 bytes per event.

The two bytes are the type of the records (0x0C, change detection) and their size. A record is two
little-endian 32-bit words: the time [us], and x in bits 0-13, y in bits 14-27, polarity in bit 28.

Source: Prophesee, "DAT File Format", Metavision SDK documentation.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from datagen.export.event_source import EventSource

CD_RECORDS = bytes([0x0C, 8])
ADDRESSES = 2**14


def write_prophesee_dat(path: Path, events: EventSource) -> None:
    """Write a DAT file of change-detection events.

    Raises:
        InputError: the sensor is larger than 16384 x 16384 px, or an event is at 2^32 us or later.
    """
    events.check_fits("Prophesee DAT", columns=ADDRESSES, rows=ADDRESSES, end_us=2**32)
    header = (
        "% Data file containing CD events.\n% Version 2\n"
        f"% Height {events.height}\n% Width {events.width}\n"
    )
    with path.open("wb") as file:
        file.write(header.encode("ascii") + CD_RECORDS)
        for slab in events.slabs:
            records = np.empty((len(slab), 2), "<u4")
            records[:, 0] = slab.t
            records[:, 1] = slab.x.astype(np.uint32) | slab.y.astype(np.uint32) << 14
            records[:, 1] |= slab.p.astype(np.uint32) << 28
            records.tofile(file)

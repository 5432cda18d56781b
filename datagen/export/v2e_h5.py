"""Events -> the event table of v2e: `/events`, uint32, one row (t [us], x, y, p) per event."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np

from datagen.export.event_source import EventSource

ROWS_PER_CHUNK = 2**14


def write_v2e_h5(path: Path, events: EventSource) -> None:
    """Write an HDF5 file in v2e's layout; polarity is 1 for ON and 0 for OFF.

    Raises:
        InputError: an event is at 2^32 us or later.
    """
    events.check_fits("v2e's HDF5", columns=2**16, rows=2**16, end_us=2**32)
    with h5py.File(path, "w") as file:
        table = file.create_dataset(
            "events", (0, 4), np.uint32, maxshape=(None, 4), chunks=(ROWS_PER_CHUNK, 4),
            compression="gzip", compression_opts=4, shuffle=True,
        )  # fmt: skip
        for slab in events.slabs:
            at = len(table)
            table.resize(at + len(slab), axis=0)
            table[at:] = np.stack([slab.t, slab.x, slab.y, slab.p], axis=1)

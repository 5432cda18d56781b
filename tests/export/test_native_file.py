"""The native file, as someone sees it who has nothing else."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np

from datagen.export.hdf5 import EventStream, SegmentContent, SpikeStream, write_segment
from schemas.h5 import EVENT_COLUMNS, SPIKE_COLUMNS


def test_every_column_says_what_it_is(tmp_path: Path) -> None:
    """Write unit and meaning beside the numbers, those of further sensors too."""
    none = {name: [] for name in ("t", "x", "y", "p")}
    polls = {
        "polls": 0, "row_bytes": 1, "pieces": [], "frame_to_poll": np.zeros(2, np.uint64),
        "attributes": {},
    }  # fmt: skip
    content = SegmentContent(
        root={}, calibration={}, t=np.array([0, 50_000]), t_offset=0,
        columns={"frames/t": np.array([0, 50_000])}, frames=[], height=2, width=2,
        events=[
            EventStream(group=group, count=0, pieces=none, attributes={})
            for group in ("events", "events_second")
        ],
        spikes=[SpikeStream(group="spikes_left_eye", **polls)],
    )  # fmt: skip
    write_segment(tmp_path / "a.h5", content)
    told: dict[str, tuple[str, str]] = {}

    def see(path: str, item: h5py.Group | h5py.Dataset) -> None:
        if isinstance(item, h5py.Dataset):
            told[path] = (item.attrs["unit"], item.attrs["meaning"])

    with h5py.File(tmp_path / "a.h5") as file:
        file.visititems(see)
    assert told["frames/t"] == ("us", "Time of the labels since segment start.")
    for column in EVENT_COLUMNS:
        expected = (column.unit, column.meaning)
        assert told[column.path] == told[column.path.replace("/", "_second/")] == expected
    for column in SPIKE_COLUMNS:
        place = column.path.replace("spikes/", "spikes_left_eye/")
        assert told[place] == (column.unit, column.meaning)

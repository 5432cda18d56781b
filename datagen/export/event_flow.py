"""The HDF5 file of TU Delft's event_flow and its successors.

Hagenaars et al., "Self-Supervised Learning of Event-Based Optical Flow with Spiking Neural
Networks", NeurIPS 2021. `events/{xs, ys, ts, ps}` with seconds as float64 and polarity as bool,
pictures `images/image<index>`, and flow `flow_dt1/<index>` (2, H, W) [px], each with its time as the
attribute `timestamp`. The reader takes flow `index` as that which ends at its stamp, on the grid of
the frame before; index 0, which ends nowhere, is zero.
"""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

from datagen.dataset import Segment
from datagen.dataset.segment import flow_planes
from datagen.errors import InputError
from datagen.export.slabs import FILTERS, grey, write_event_columns
from datagen.export.whole_file import whole_file
from schemas.export import EventFlowExportSpec


def write_event_flow(
    segment: Segment, spec: EventFlowExportSpec, folder: Path, sequence: str
) -> list[Path]:
    """Write one segment.

    Returns:
        The file.

    Raises:
        InputError: the segment has no events.
    """
    path = folder / f"{sequence}.h5"
    stream = segment.events(spec.sensor)
    if len(stream) == 0:
        raise InputError(f"{segment.name}: no events; expected some, the reader needs a last one")
    with whole_file(path) as temporary, h5py.File(temporary, "w") as file:
        times = (segment.times + segment.t_offset) * 1e-6
        file.attrs["t0"] = times[0]
        file.attrs["duration"] = times[-1] - times[0]
        write_event_columns(
            file.create_group("events"), stream,
            {
                "xs": ("int16", lambda events: events.x),
                "ys": ("int16", lambda events: events.y),
                "ts": ("float64", lambda events: (events.t + segment.t_offset) * 1e-6),
                "ps": ("bool", lambda events: events.p > 0),
            },
        )  # fmt: skip
        for k in range(segment.frame_count):
            _picture(file, f"images/image{k:09d}", grey(segment.rgb(k)), times[k])
            _picture(file, f"flow_dt1/{k:09d}", _flow_until(segment, k), times[k])
    return [path]


def _flow_until(segment: Segment, frame: int) -> NDArray[np.float32]:
    """Flow from the frame before [px], zero where not known, shape (2, H, W)."""
    camera = segment.intrinsics
    if frame == 0:
        return np.zeros((2, camera.height, camera.width), np.float32)
    return flow_planes(*segment.flow_forward(frame - 1))


def _picture(file: h5py.File, name: str, picture: NDArray[np.generic], t: float) -> None:
    dataset = file.create_dataset(name, data=picture, **FILTERS)
    dataset.attrs["timestamp"] = t

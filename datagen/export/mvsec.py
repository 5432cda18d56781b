"""MVSEC's files, with the flow of EV-FlowNet's authors.

Zhu et al., "The Multivehicle Stereo Event Camera Dataset", RA-L 2018; flow as released with
"EV-FlowNet", RSS 2018. Three files per segment:

* `<sequence>_data.hdf5`: `davis/left/events` (N, 4) float64 of x, y, t [s], polarity (+1, -1), and
  `image_raw` with `image_raw_ts` [s] and `image_raw_event_inds` (last event before each image, -1
  where there is none);
* `<sequence>_gt.hdf5`: `davis/left/flow_dist` (K, 2, H, W) [px] from stamp k of `flow_dist_ts` to
  the next, and `depth_image_rect` [m];
* `<sequence>_gt_flow_dist.npz`: the same flow as `timestamps`, `x_flow_dist`, `y_flow_dist`.

`davis/right` is a link to `davis/left`: readers open both, but there is one camera. Zero flow means
unknown in these files, so a pixel that truly rests is given 1e-6 px. Flow starts with the first
frame that has an event before it, which the readers' binary searches need.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import h5py
import numpy as np
from numpy.typing import NDArray

from datagen.dataset import EventStream, Segment
from datagen.dataset.segment import flow_planes
from datagen.errors import InputError
from datagen.export.slabs import create_pictures, grey, write_event_columns
from datagen.export.whole_file import whole_file
from schemas.arrays import EventArray
from schemas.export import MvsecExportSpec

AT_REST = 1e-6
"""Flow written for a pixel that is known to rest [px]."""


def write_mvsec(segment: Segment, spec: MvsecExportSpec, folder: Path, sequence: str) -> list[Path]:
    """Write one segment.

    Returns:
        The files.

    Raises:
        InputError: no frame has an event before it.
    """
    stream = segment.events(spec.sensor)
    first = _first_label(segment, stream)
    times = _seconds(segment, segment.times)
    paths = [folder / f"{sequence}{end}" for end in ("_data.hdf5", "_gt.hdf5", "_gt_flow_dist.npz")]
    with whole_file(paths[0]) as temporary, h5py.File(temporary, "w") as file:
        _write_data(file, segment, stream, times)
    with whole_file(paths[1]) as temporary, h5py.File(temporary, "w") as file:
        _write_truth(file, segment, times, first)
    with whole_file(paths[2]) as temporary, ZipFile(temporary, "w") as npz:
        _write_archive(npz, segment, times, first)
    return paths


def signed_flow(segment: Segment, frame: int) -> NDArray[np.float32]:
    """Flow to the next frame [px], zero exactly where it is not known, shape (2, H, W)."""
    flow, valid = segment.flow_forward(frame)
    still = valid & (flow == 0).all(axis=-1)
    planes = flow_planes(flow, valid)
    planes[:, still] = AT_REST
    return planes


def _first_label(segment: Segment, stream: EventStream) -> int:
    labels = np.flatnonzero(stream.frame_to_idx[:-1] > 0)
    if labels.size == 0:
        raise InputError(
            f"{segment.name}: no frame with a flow label has an event before it; expected events. "
            "Lower the contrast threshold, or move the camera faster."
        )
    return int(labels[0])


def _write_archive(npz: ZipFile, segment: Segment, times: NDArray[np.float64], first: int) -> None:
    """What `np.savez_compressed` writes, picture by picture: all at once may not fit into memory."""
    frames = range(first, segment.frame_count - 1)
    shape = (len(frames), segment.intrinsics.height, segment.intrinsics.width)
    _write_array(npz, "timestamps", (len(frames),), [times[first:-1]])
    for axis, name in enumerate(("x_flow_dist", "y_flow_dist")):
        pictures = (signed_flow(segment, k)[axis] for k in frames)
        _write_array(npz, name, shape, pictures)


def _write_array(
    npz: ZipFile, name: str, shape: tuple[int, ...], parts: Iterable[NDArray[np.floating]]
) -> None:
    entry = ZipInfo(f"{name}.npy")  # without a time of its own: equal data give equal bytes
    entry.compress_type = ZIP_DEFLATED
    head = {"descr": "<f8", "fortran_order": False, "shape": shape}
    with npz.open(entry, "w", force_zip64=True) as file:
        np.lib.format.write_array_header_1_0(file, head)
        for part in parts:
            file.write(part.astype("<f8").tobytes())


def _seconds(segment: Segment, t: NDArray[np.int64]) -> NDArray[np.float64]:
    return (t + segment.t_offset).astype(np.float64) * 1e-6


def _write_data(
    file: h5py.File, segment: Segment, stream: EventStream, times: NDArray[np.float64]
) -> None:
    camera = segment.intrinsics

    def rows(events: EventArray) -> NDArray[np.float64]:
        polarity = 2.0 * events.p - 1.0
        t = _seconds(segment, events.t)
        return np.stack([events.x.astype(np.float64), events.y.astype(np.float64), t, polarity], 1)

    left = file.create_group("davis/left")
    write_event_columns(left, stream, {"events": ("float64", rows)})
    images = create_pictures(
        left, "image_raw", segment.frame_count, (camera.height, camera.width), "uint8"
    )
    for k in range(segment.frame_count):
        images[k] = grey(segment.rgb(k))
    left["image_raw_ts"] = times
    left["image_raw_event_inds"] = stream.frame_to_idx - 1
    file["davis/right"] = h5py.SoftLink("/davis/left")


def _write_truth(file: h5py.File, segment: Segment, times: NDArray[np.float64], first: int) -> None:
    camera, left = segment.intrinsics, file.create_group("davis/left")
    size, count = (camera.height, camera.width), segment.frame_count - 1 - first
    flow = create_pictures(left, "flow_dist", count, (2, *size), "float64")
    for k in range(count):
        flow[k] = signed_flow(segment, first + k)
    left["flow_dist_ts"] = times[first:-1]
    depth = create_pictures(left, "depth_image_rect", segment.frame_count, size, "float32")
    for k in range(segment.frame_count):
        z = segment.depth(k)
        depth[k] = np.where(np.isfinite(z), z, np.nan)
    left["depth_image_rect_ts"] = times
    file["davis/right"] = h5py.SoftLink("/davis/left")

"""M3ED's files: events with calibration, depth with poses, flow.

Chaney et al., "M3ED: Multi-Robot, Multi-Sensor, Multi-Environment Event Dataset", CVPRW 2023, and the
data overview of its site:

* `<sequence>_data.h5`: `prophesee/left/{x, y, t, p, ms_map_idx}`, t in microseconds, and `calib`;
* `<sequence>_depth_gt.h5`: `depth/prophesee/left` (N, H, W) [m], `ts`, `ts_map_prophesee_left` and
  the poses `Cn_T_C0` (camera n from camera 0);
* `<sequence>_gt_flow.h5`: `flow/prophesee/left/{x, y}` (N, H, W) [px] from stamp n of `ts` to the
  next, zero where not known.

Unlike the originals the pictures are rectified, and one file's stamps serve all.
"""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

from datagen.dataset import EventStream, Segment
from datagen.export.slabs import create_pictures, millisecond_index, write_event_columns
from datagen.export.whole_file import whole_file
from schemas.export import M3edExportSpec


def write_m3ed(segment: Segment, spec: M3edExportSpec, folder: Path, sequence: str) -> list[Path]:
    """Write one segment.

    Returns:
        The files.

    Raises:
        InputError: the segment has no event stream.
    """
    stream = segment.events(spec.sensor)
    paths = [folder / f"{sequence}{end}.h5" for end in ("_data", "_depth_gt", "_gt_flow")]
    for path, write in zip(paths, (_write_data, _write_depth, _write_flow), strict=True):
        with whole_file(path) as temporary, h5py.File(temporary, "w") as file:
            write(file, segment, stream)
    return paths


def _write_data(file: h5py.File, segment: Segment, stream: EventStream) -> None:
    left = file.create_group("prophesee/left")
    write_event_columns(
        left, stream,
        {
            "x": ("uint16", lambda events: events.x),
            "y": ("uint16", lambda events: events.y),
            "t": ("int64", lambda events: events.t),
            "p": ("int8", lambda events: events.p),
        },
    )  # fmt: skip
    left["ms_map_idx"] = millisecond_index(stream, int(segment.times[-1]))
    camera, calibration = segment.intrinsics, left.create_group("calib")
    calibration["intrinsics"] = np.array([camera.fx, camera.fy, camera.cx - 0.5, camera.cy - 0.5])
    calibration["resolution"] = np.array([camera.width, camera.height])
    calibration["distortion_coeffs"] = np.zeros(4)
    calibration["distortion_model"] = "radtan"
    calibration["camera_model"] = "pinhole"
    calibration["T_to_prophesee_left"] = np.eye(4)


def _write_depth(file: h5py.File, segment: Segment, stream: EventStream) -> None:
    camera = segment.intrinsics
    size = (camera.height, camera.width)
    depth = create_pictures(file, "depth/prophesee/left", segment.frame_count, size, "float32")
    for k in range(segment.frame_count):
        depth[k] = segment.depth(k)
    _write_stamps(file, stream, segment.times)
    poses = segment.world_from_camera
    file["Cn_T_C0"] = np.linalg.inv(poses) @ poses[0]


def _write_flow(file: h5py.File, segment: Segment, stream: EventStream) -> None:
    camera, count = segment.intrinsics, segment.frame_count - 1
    size = (camera.height, camera.width)
    left = file.create_group("flow/prophesee/left")
    datasets = [create_pictures(left, name, count, size, "float32") for name in ("x", "y")]
    for k in range(count):
        flow, valid = segment.flow_forward(k)
        for axis, dataset in enumerate(datasets):
            dataset[k] = np.where(valid, flow[..., axis], 0)
    _write_stamps(file, stream, segment.times[:-1])


def _write_stamps(file: h5py.File, stream: EventStream, t: NDArray[np.int64]) -> None:
    file["ts"] = t
    file["ts_map_prophesee_left"] = stream.frame_to_idx[: len(t)]

"""DSEC's folders for flow: events, flow pictures, disparity, images, calibration.

Gehrig et al., "DSEC: A Stereo Event Camera Dataset for Driving Scenarios", RA-L 2021, and the data
format page of its site. Times in text files are absolute (`t_offset` included) in microseconds. A
native segment file has DSEC's event columns at its root, so `events.h5` is a hard link to it where
the disk allows, with `t` as int64: the uint32 of the originals overflows under NumPy 2 together with
a time-of-day offset. Four layouts of the same files:

| layout | for | differs in |
|---|---|---|
| `official` | DSEC's scripts, BFlow | `train/<sequence>/{events,flow,disparity,images,calibration}` |
| `idnet` | IDNet | flow under `train_optical_flow/<sequence>/flow` |
| `eraft` | E-RAFT (test only) | `test/<sequence>/events_left`, times as CSV with a file index |
| `tonic` | tonic | `DSEC/<sequence>/<what>/`, times separated by `, ` |

The window of a flow picture must hold events: the readers crash on an empty one, so it is refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
import yaml
from PIL import Image

from datagen.dataset import EventStream, Segment
from datagen.errors import InputError
from datagen.export.flow_png import encode_flow
from datagen.export.label_times import frames_per
from datagen.export.png16 import write_png16
from datagen.export.slabs import millisecond_index, write_event_columns
from datagen.export.whole_file import clear_series, whole_file
from datagen.store import link_or_copy, new_file, write_file
from schemas.export import DsecExportSpec

DISPARITY_SCALE = 256.0
SIZE = (480, 640)
"""Rows and columns that DSEC's readers take for granted."""
PICTURE = r"\d{6}\.png"
"""Names of numbered pictures."""


@dataclass(frozen=True, slots=True)
class FlowWindow:
    """One flow label: frames `start` to `stop`, and the index in its file name."""

    start: int
    stop: int
    index: int


@dataclass(frozen=True, slots=True)
class Places:
    """Where a layout puts things, relative to the export folder."""

    events: Path
    flow: Path
    flow_times: Path
    disparity: Path | None
    images: Path | None
    image_times: Path | None
    calibration: Path | None


def write_dsec(segment: Segment, spec: DsecExportSpec, folder: Path, sequence: str) -> list[Path]:
    """Write one segment as a sequence.

    Returns:
        The files.

    Raises:
        InputError: the size is not DSEC's, frames do not lie on the label times, or a window is
            empty.
    """
    _check_size(segment, spec)
    stream = segment.events(spec.sensor)
    windows = flow_windows(segment, spec.interval_us)
    _check_events(segment, stream, windows)
    places = _places(spec, sequence)
    files = [_events(segment, stream, folder / places.events / "events.h5")]
    files += [_rectify_map(segment, folder / places.events / "rectify_map.h5")]
    if spec.repeat_left and places.calibration is not None:
        right = folder / places.events.with_name("right")
        files += [_link(file, right / file.name) for file in files]
    files += _flow(segment, spec, windows, folder, places)
    if places.disparity is not None:
        files += _disparity(segment, spec, windows, folder / places.disparity)
    if places.images is not None:
        files += _images(segment, windows, folder / places.images)
    if places.image_times is not None:
        times = [str(_absolute(segment, k)) for k in _image_frames(windows)]
        files.append(_text(folder / places.image_times, times))
    if places.calibration is not None:
        files.append(_calibration(segment, spec, folder / places.calibration))
    return files


def flow_windows(segment: Segment, interval_us: int) -> list[FlowWindow]:
    """Consecutive windows of a length [us]; images come twice as often, so indices step by two."""
    step = frames_per(segment, interval_us, option="interval_us")
    starts = range(0, segment.frame_count - step, step)
    return [FlowWindow(start, start + step, 2 * k) for k, start in enumerate(starts)]


def _check_size(segment: Segment, spec: DsecExportSpec) -> None:
    size = (segment.intrinsics.height, segment.intrinsics.width)
    if size != SIZE and not spec.any_size:
        raise InputError(
            f"{segment.name}: {size[1]}x{size[0]} pixels; DSEC's readers expect {SIZE[1]}x{SIZE[0]}. "
            "Render at that size, or set any_size=true for readers that do not mind."
        )


def _check_events(segment: Segment, stream: EventStream, windows: Sequence[FlowWindow]) -> None:
    if not windows:
        raise InputError(
            f"{segment.name}: 0 flow windows, because the segment lasts {segment.times[-1]} us; "
            "expected at least one. Use a shorter `interval_us`."
        )
    # as the readers cut: start <= t < stop, where frame_to_idx has start < t <= stop
    first = {k: stream.index_at(int(segment.times[k])) for w in windows for k in (w.start, w.stop)}
    empty = [w.start for w in windows if first[w.stop] == first[w.start]]
    if empty:
        raise InputError(
            f"{stream.group}: {len(windows)} flow windows, without events those from frames {empty}; "
            "expected events in every window, because DSEC's readers crash on an empty one. Use a "
            "longer `interval_us`, a lower contrast threshold, or more motion."
        )


def _places(spec: DsecExportSpec, sequence: str) -> Places:
    match spec.layout:
        case "official" | "idnet":
            root = Path("train", sequence)
            flow = Path("train_optical_flow", sequence) if spec.layout == "idnet" else root
            return Places(
                root / "events/left", flow / "flow/forward", flow / "flow/forward_timestamps.txt",
                root / "disparity", root / "images/left/rectified", root / "images/timestamps.txt",
                root / "calibration/cam_to_cam.yaml",
            )  # fmt: skip
        case "eraft":
            root = Path("test", sequence)
            times = root / "test_forward_flow_timestamps.csv"
            images = root / "image_timestamps.txt"
            return Places(
                root / "events_left", root / "flow/forward", times, None, None, images, None
            )
        case "tonic":
            root = Path("DSEC", sequence)
            times = (
                root / "optical_flow_forward_timestamps"
                / f"{sequence}_optical_flow_forward_timestamps.txt"
            )  # fmt: skip
            flow = root / "optical_flow_forward_event"
            return Places(root / "events_left", flow, times, None, None, None, None)


def _events(segment: Segment, stream: EventStream, path: Path) -> Path:
    """The first stream is in DSEC's columns already; another one is written out."""
    if stream.group == "events":
        return _link(segment.path, path)
    with whole_file(path) as temporary, h5py.File(temporary, "w") as file:
        write_event_columns(
            file.create_group("events"), stream,
            {
                "t": ("int64", lambda events: events.t),
                "x": ("uint16", lambda events: events.x),
                "y": ("uint16", lambda events: events.y),
                "p": ("uint8", lambda events: events.p),
            },
        )  # fmt: skip
        file["ms_to_idx"] = millisecond_index(stream, int(segment.times[-1]))
        file["t_offset"] = np.int64(segment.t_offset)
    return path


def _link(source: Path, path: Path) -> Path:
    """The same file under another name; a copy where the disk has no hard links to it."""
    with whole_file(path) as temporary:
        link_or_copy(source.resolve(), temporary)  # of a symbolic link, the file that it leads to
    return path


def _rectify_map(segment: Segment, path: Path) -> Path:
    """Our pictures are rectified already: every pixel maps to itself."""
    camera = segment.intrinsics
    x, y = np.meshgrid(np.arange(camera.width), np.arange(camera.height))
    with whole_file(path) as temporary, h5py.File(temporary, "w") as file:
        file["rectify_map"] = np.stack([x, y], axis=-1).astype(np.float32)
    return path


def _flow(
    segment: Segment,
    spec: DsecExportSpec,
    windows: Sequence[FlowWindow],
    folder: Path,
    places: Places,
) -> list[Path]:
    files, pairs = [], []
    clear_series(folder / places.flow, PICTURE)
    for window in windows:
        flow, valid = segment.flow(window.start, window.stop)
        path = folder / places.flow / f"{window.index:06d}.png"
        with new_file(path) as temporary:
            write_png16(temporary, encode_flow(flow, valid))
        files.append(path)
        pairs.append((*(_absolute(segment, k) for k in (window.start, window.stop)), window.index))
    if spec.layout == "eraft":
        lines = ["# from_timestamp_us, to_timestamp_us, file_index"]
        lines += [f"{a}, {b}, {index}" for a, b, index in pairs]
    else:
        lines = ["# from_timestamp_us, to_timestamp_us", *(f"{a}, {b}" for a, b, _ in pairs)]
    return [*files, _text(folder / places.flow_times, lines)]


def _disparity(
    segment: Segment, spec: DsecExportSpec, windows: Sequence[FlowWindow], folder: Path
) -> list[Path]:
    """fx * baseline / depth of the windows' first frames, in 1/256 px; 0 where nothing is hit."""
    files = []
    clear_series(folder / "event", PICTURE)
    for window in windows:
        disparity = segment.intrinsics.fx * spec.baseline / segment.depth(window.start)
        codes = np.rint(disparity.astype(np.float64) * DISPARITY_SCALE)
        codes[(codes > 2**16 - 1) | ~np.isfinite(codes)] = 0
        path = folder / "event" / f"{window.index:06d}.png"
        with new_file(path) as temporary:
            write_png16(temporary, codes.astype(np.uint16))
        files.append(path)
    times = [str(_absolute(segment, window.start)) for window in windows]
    return [*files, _text(folder / "timestamps.txt", times)]


def _images(segment: Segment, windows: Sequence[FlowWindow], folder: Path) -> list[Path]:
    files = []
    clear_series(folder, PICTURE)
    for index, frame in enumerate(_image_frames(windows)):
        path = folder / f"{index:06d}.png"
        with new_file(path) as temporary:
            Image.fromarray(segment.rgb(frame)).save(temporary, format="PNG")
        files.append(path)
    return files


def _image_frames(windows: Sequence[FlowWindow]) -> list[int]:
    """Two images per window: at its start and nearest to its middle; one more at the end."""
    frames = [k for w in windows for k in (w.start, (w.start + w.stop) // 2)]
    return [*frames, windows[-1].stop]


def _calibration(segment: Segment, spec: DsecExportSpec, path: Path) -> Path:
    """Both event cameras (0 and 3) ideal and `baseline` apart; frame cameras are event cameras."""
    camera = segment.intrinsics
    one = {
        "camera_matrix": [camera.fx, camera.fy, camera.cx - 0.5, camera.cy - 0.5],
        "distortion_coeffs": [0.0, 0.0, 0.0, 0.0],
        "distortion_model": "radtan",
        "resolution": [camera.width, camera.height],
    }
    names = ("cam0", "cam1", "cam2", "cam3", "camRect0", "camRect1", "camRect2", "camRect3")
    identity = np.eye(4).tolist()
    to_right = np.eye(4)
    to_right[0, 3] = -spec.baseline
    rotation = np.eye(3).tolist()
    tall = camera.fx / camera.fy  # of a pixel; disparity is counted in columns
    reprojection = [
        [1.0, 0.0, 0.0, 0.5 - camera.cx],
        [0.0, tall, 0.0, tall * (0.5 - camera.cy)],
        [0.0, 0.0, 0.0, camera.fx],
        [0.0, 0.0, 1.0 / spec.baseline, 0.0],
    ]
    content = {
        "intrinsics": dict.fromkeys(names, one),
        "extrinsics": {
            "T_10": identity, "T_21": to_right.tolist(), "T_32": identity,
            **{f"R_rect{k}": rotation for k in range(4)},
        },
        "disparity_to_depth": {"cams_03": reprojection, "cams_12": reprojection},
    }  # fmt: skip
    write_file(path, yaml.dump(content, Dumper=_PlainDumper, sort_keys=False).encode())
    return path


class _PlainDumper(yaml.SafeDumper):
    """Writes repeated values out instead of pointing back to them."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002 - the base class names it
        return True


def _absolute(segment: Segment, frame: int) -> int:
    return int(segment.times[frame]) + segment.t_offset


def _text(path: Path, lines: Sequence[str]) -> Path:
    write_file(path, "".join(f"{line}\n" for line in lines).encode())
    return path

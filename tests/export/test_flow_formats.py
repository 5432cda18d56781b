"""Formats for flow networks, read back by readers written from their definitions, traps included."""

from __future__ import annotations

import errno
import os
import shutil
import tracemalloc
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import yaml
from PIL import Image
from wide_segment import write_wide_segment

from datagen.dataset import Segment, open_dataset
from datagen.errors import InputError
from datagen.export.base import export_dataset, export_segment, parse_export
from datagen.export.flow_png import read_flow_png
from datagen.export.mvsec import AT_REST, signed_flow
from datagen.export.png16 import read_png16

FRAME_US = 40_000
"""Of the tiny dataset."""


@pytest.fixture
def segment(tiny: Path) -> Any:
    """The second segment: its clock does not start at zero."""
    with open_dataset(tiny) as dataset:
        yield dataset.segment("second")


def export(segment: Segment, folder: Path, **options: Any) -> list[Path]:
    return export_segment(segment, parse_export(options), folder)


def export_dsec(segment: Segment, folder: Path, **options: Any) -> list[Path]:
    return export(segment, folder, kind="dsec", any_size=True, interval_us=2 * FRAME_US, **options)


def size_of(segment: Segment) -> tuple[int, int]:
    """Rows and columns."""
    return segment.intrinsics.height, segment.intrinsics.width


class DsecReader:
    """DSEC's event slicer, from the definition of `ms_to_idx`; times are absolute."""

    def __init__(self, path: Path) -> None:
        self.file = h5py.File(path)
        self.offset = int(self.file["t_offset"][()])
        self.index = self.file["ms_to_idx"]

    def events(self, start_us: int, stop_us: int) -> dict[str, np.ndarray]:
        """Events with start <= t < stop."""
        start, stop = start_us - self.offset, stop_us - self.offset
        first, last = start // 1000, -(-stop // 1000)
        assert last < len(self.index), "ms_to_idx is too short for the last label"
        low, high = int(self.index[first]), int(self.index[last])
        t = self.file["events/t"][low:high]
        keep = slice(low + np.searchsorted(t, start), low + np.searchsorted(t, stop))
        return {name: self.file[f"events/{name}"][keep] for name in ("t", "x", "y", "p")}


def test_several_segments_are_not_one_sequence(tiny: Path, tmp_path: Path) -> None:
    """Refuse a name for all segments, of which each would replace the one before."""
    spec = parse_export({"kind": "event_flow", "sequence": "s"})
    with pytest.raises(InputError, match="2 segments for the one sequence 's'"):
        list(export_dataset(tiny, spec, tmp_path))
    assert not list(tmp_path.iterdir())
    assert list(export_dataset(tiny / "first.h5", spec, tmp_path)) == [tmp_path / "s.h5"]


def test_dsec_labels_and_events_meet(segment: Segment, tmp_path: Path) -> None:
    """Read, for every line of the time stamps, its events and its flow picture."""
    export_dsec(segment, tmp_path)
    root = tmp_path / "train/second"
    reader = DsecReader(root / "events/left/events.h5")
    lines = np.loadtxt(root / "flow/forward_timestamps.txt", dtype=np.int64, delimiter=",")
    pictures = sorted((root / "flow/forward").glob("*.png"))
    assert [path.stem for path in pictures] == ["000000", "000002"]
    for k, ((start, stop), picture) in enumerate(zip(lines, pictures, strict=True)):
        events = reader.events(int(start), int(stop))
        assert len(events["t"]) > 0
        assert np.abs(len(events["t"]) - len(segment.events().slice_by_frame(2 * k, 2 * k + 2))) < 5
        flow, valid = segment.flow(2 * k, 2 * k + 2)
        stored, known = read_flow_png(picture)
        np.testing.assert_array_equal(known, valid)
        assert np.abs(stored - flow)[valid].max() <= 1 / 256 + 1e-5
    assert lines[0, 0] == segment.t_offset > 0


def test_dsec_events_are_the_native_file_itself(segment: Segment, tmp_path: Path) -> None:
    """Take no second place on the disk, and keep 64-bit times that NumPy 2 can add to."""
    export_dsec(segment, tmp_path)
    events = tmp_path / "train/second/events/left/events.h5"
    assert events.samefile(segment.path)
    with h5py.File(events) as file:
        assert file["events/t"].dtype == np.int64
        assert (file["events/t"][()] + 10**15 > 0).all()
        t, index = file["events/t"][()], file["ms_to_idx"][()].astype(int)
    for ms, first in enumerate(index):
        assert first == len(t) or t[first] >= 1000 * ms
        assert first == 0 or t[first - 1] < 1000 * ms


def test_dsec_of_another_sensor_is_written_out(segment: Segment, tmp_path: Path) -> None:
    """Write the events of the sensor asked for, in DSEC's columns."""
    files = export_dsec(segment, tmp_path, sensor="difference")
    expected = segment.events("difference").slice_by_frame(0, 5)
    with h5py.File(files[0]) as file:
        np.testing.assert_array_equal(file["events/x"][()], expected.x)
        assert int(file["ms_to_idx"][-1]) == len(file["events/t"])


def test_dsec_right_camera_is_a_link_on_demand(segment: Segment, tmp_path: Path) -> None:
    """Give scripts that open both cameras the left one twice, only if asked to."""
    export_dsec(segment, tmp_path / "one")
    assert not (tmp_path / "one/train/second/events/right").exists()
    files = export_dsec(segment, tmp_path / "two", repeat_left=True)
    for name in ("events.h5", "rectify_map.h5"):
        left, right = (
            tmp_path / "two/train/second/events" / side / name for side in ("left", "right")
        )
        assert left.samefile(right)
        assert right in files


def test_dsec_rectification_keeps_pixels_where_they_are(segment: Segment, tmp_path: Path) -> None:
    """Map [y, x] to (x, y)."""
    export_dsec(segment, tmp_path)
    with h5py.File(tmp_path / "train/second/events/left/rectify_map.h5") as file:
        rectify = file["rectify_map"][()]
    assert rectify.dtype == np.float32
    assert rectify.shape == (*size_of(segment), 2)
    assert rectify[7, 11].tolist() == [11, 7]


def test_dsec_disparity_is_that_of_the_depth(segment: Segment, tmp_path: Path) -> None:
    """Store fx b / z in steps of 1/256, one picture per time, the first numbered zero."""
    export_dsec(segment, tmp_path, baseline=0.5)
    root = tmp_path / "train/second/disparity"
    times = np.loadtxt(root / "timestamps.txt", dtype=np.int64)
    pictures = sorted((root / "event").glob("*.png"))
    assert pictures[0].name == "000000.png"
    assert len(pictures) == len(times)
    expected = segment.intrinsics.fx * 0.5 / segment.depth(2)
    stored = read_png16(pictures[1]) / 256
    known = stored > 0
    np.testing.assert_allclose(stored[known], expected[known], atol=1 / 512 + 1e-6)
    assert known.all() == (expected * 256 < 2**16 - 1).all()


def test_dsec_calibration_projects_like_the_camera(segment: Segment, tmp_path: Path) -> None:
    """Give four numbers per camera matrix, pixel centres on whole numbers, and depth from disparity."""
    export_dsec(segment, tmp_path, baseline=0.5)
    content = yaml.safe_load((tmp_path / "train/second/calibration/cam_to_cam.yaml").read_text())
    camera = segment.intrinsics
    for name in ("cam0", "camRect0", "camRect3"):
        matrix = content["intrinsics"][name]["camera_matrix"]
        assert matrix == [camera.fx, camera.fy, camera.cx - 0.5, camera.cy - 0.5]
        assert content["intrinsics"][name]["resolution"] == [camera.width, camera.height]
    q = np.array(content["disparity_to_depth"]["cams_03"])
    x, y, z, w = q @ [11, 7, camera.fx * 0.5 / 2.0, 1]
    expected = [(11.5 - camera.cx) / camera.fx * 2, (7.5 - camera.cy) / camera.fy * 2, 2.0]
    np.testing.assert_allclose([x / w, y / w, z / w], expected, rtol=1e-9)


def test_dsec_images_come_twice_as_often_as_flow(segment: Segment, tmp_path: Path) -> None:
    """Number images so that flow k starts at image 2 k."""
    export_dsec(segment, tmp_path)
    root = tmp_path / "train/second"
    times = np.loadtxt(root / "images/timestamps.txt", dtype=np.int64)
    starts = np.loadtxt(root / "flow/forward_timestamps.txt", dtype=np.int64, delimiter=",")[:, 0]
    np.testing.assert_array_equal(times[[0, 2]], starts)
    images = sorted((root / "images/left/rectified").glob("*.png"))
    assert len(images) == len(times)
    with Image.open(images[2]) as image:
        np.testing.assert_array_equal(np.array(image), segment.rgb(2))


@pytest.mark.parametrize(
    ("layout", "events", "flow", "times"),
    [
        ("idnet", "train/s/events/left", "train_optical_flow/s/flow/forward",
         "train_optical_flow/s/flow/forward_timestamps.txt"),
        ("eraft", "test/s/events_left", "test/s/flow/forward",
         "test/s/test_forward_flow_timestamps.csv"),
        ("tonic", "DSEC/s/events_left", "DSEC/s/optical_flow_forward_event",
         "DSEC/s/optical_flow_forward_timestamps/s_optical_flow_forward_timestamps.txt"),
    ],
)  # fmt: skip
def test_dsec_layouts(
    segment: Segment, tmp_path: Path, layout: str, events: str, flow: str, times: str
) -> None:
    """Put the same files where each reader looks, stamps in the form it parses."""
    export_dsec(segment, tmp_path, layout=layout, sequence="s")
    assert (tmp_path / events / "events.h5").is_file()
    assert (tmp_path / events / "rectify_map.h5").is_file()
    assert len(list((tmp_path / flow).glob("*.png"))) == 2
    head, first, *_ = (tmp_path / times).read_text().splitlines()
    assert head.startswith("#")
    numbers = [int(field) for field in first.split(", ")]
    assert numbers[1] - numbers[0] == 2 * FRAME_US
    assert numbers[2:] == ([0] if layout == "eraft" else [])


def test_dsec_refuses_what_its_readers_cannot_take(tiny: Path, tmp_path: Path) -> None:
    """Refuse another size, labels between frames, and windows without events."""
    with open_dataset(tiny) as dataset:
        first = dataset.segment("first")
        with pytest.raises(InputError, match="640x480"):
            export(first, tmp_path, kind="dsec")
        with pytest.raises(
            InputError, match=r"whole number of frames.*`interval_us`, or render at 10 Hz"
        ):
            export(first, tmp_path, kind="dsec", any_size=True)
        with pytest.raises(InputError, match="whole number of frames"):
            export(first, tmp_path, kind="dsec", any_size=True, interval_us=4 * FRAME_US + 3)
        with pytest.raises(InputError, match=r"0 flow windows.*lasts 200000 us.*shorter"):
            export(first, tmp_path, kind="dsec", any_size=True, interval_us=10 * FRAME_US)


def test_dsec_windows_are_empty_as_their_readers_cut_them(tiny: Path, tmp_path: Path) -> None:
    """Refuse a window whose events all lie at its end, which readers leave out."""
    options = {"kind": "dsec", "any_size": True, "sensor": "difference"}
    with open_dataset(tiny) as dataset:
        first = dataset.segment("first")
        with pytest.raises(InputError, match=r"without events those from frames \[0\]"):
            export(first, tmp_path, interval_us=FRAME_US, **options)
        assert not list(tmp_path.iterdir())
        export(first, tmp_path, interval_us=2 * FRAME_US, **options)


def test_dsec_of_a_linked_dataset_has_its_events(tiny: Path, tmp_path: Path) -> None:
    """Link the file itself, not a symbolic link to it that leads nowhere from another folder."""
    (tmp_path / "linked").mkdir()
    path = tmp_path / "linked" / "first.h5"
    path.symlink_to(os.path.relpath(tiny / "first.h5", path.parent))
    with Segment(path) as segment:
        events, *_ = export_dsec(segment, tmp_path / "out" / "deep")
    assert events.is_file()
    assert events.samefile(tiny / "first.h5")


def test_dsec_events_are_copied_whole_or_not_at_all(
    segment: Segment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Leave nothing under the final name when a copy to another disk breaks off."""

    def no_links(*_: object) -> None:
        raise OSError(errno.EXDEV, "another disk")

    def half(_source: Path, target: Path) -> None:
        target.write_bytes(b"half")
        raise OSError(errno.EIO, "cable out")

    monkeypatch.setattr(os, "link", no_links)
    events = tmp_path / "train/second/events/left/events.h5"
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "copyfile", half)
        with pytest.raises(OSError, match="cable out"):
            export_dsec(segment, tmp_path)
        assert not list(events.parent.iterdir())
    export_dsec(segment, tmp_path)
    assert events.read_bytes() == segment.path.read_bytes()


def test_dsec_with_another_interval_replaces_the_pictures(tiny: Path, tmp_path: Path) -> None:
    """Leave no picture of the last export, nor of one that was killed, for readers to count."""
    folder = tmp_path / "train/first"
    with open_dataset(tiny) as dataset:
        first = dataset.segment("first")
        export(first, tmp_path, kind="dsec", any_size=True, interval_us=FRAME_US)
        (folder / "flow/forward/.partial-12-000006.png").touch()
        (folder / "notes.png").touch()
        files = export_dsec(first, tmp_path)
    assert sorted(folder.rglob("*.png")) == sorted(
        [folder / "notes.png", *(file for file in files if file.suffix == ".png")]
    )


def test_dsec_reprojects_pixels_that_are_not_square(copy: Path, tmp_path: Path) -> None:
    """Find the point again that the camera sees, with another focal length in rows."""
    with h5py.File(copy / "first.h5", "r+") as file:
        file["calib"].attrs.update(fy=36.0, cx=12.0, cy=14.5)
    with Segment(copy / "first.h5") as segment:
        export_dsec(segment, tmp_path)
    content = yaml.safe_load((tmp_path / "train/first/calibration/cam_to_cam.yaml").read_text())
    q = np.array(content["disparity_to_depth"]["cams_03"])
    x, y, z, w = q @ [11, 7, 24.0 * 0.6 / 2.0, 1]
    expected = [(11.5 - 12.0) / 24.0 * 2, (7.5 - 14.5) / 36.0 * 2, 2.0]
    np.testing.assert_allclose([x / w, y / w, z / w], expected, rtol=1e-9)


def test_mvsec_events_and_images(segment: Segment, tmp_path: Path) -> None:
    """Store x, y, seconds, signed polarity, and the last event before each image."""
    data, _, _ = export(segment, tmp_path, kind="mvsec")
    events = segment.events().slice_by_frame(0, 5)
    with h5py.File(data) as file:
        rows = file["davis/left/events"][()]
        assert rows.dtype == np.float64
        np.testing.assert_array_equal(rows[:, 0], events.x)
        np.testing.assert_allclose(rows[:, 2], (events.t + segment.t_offset) * 1e-6, rtol=1e-12)
        assert set(rows[:, 3]) == {-1.0, 1.0}
        images, times = file["davis/left/image_raw"], file["davis/left/image_raw_ts"][()]
        last = file["davis/left/image_raw_event_inds"][()]
        assert images.shape == (6, *size_of(segment))
        assert last[0] == -1
        for k in range(1, 6):
            assert rows[last[k], 2] <= times[k] + 1e-9
            assert last[k] + 1 == len(rows) or rows[last[k] + 1, 2] > times[k] - 1e-9
        assert file["davis/right/events"].shape == rows.shape


def test_mvsec_flow_is_zero_only_where_unknown(segment: Segment, tmp_path: Path) -> None:
    """Agree between both files, start after an event, and give pixels at rest a tiny flow."""
    _, truth, archive = export(segment, tmp_path, kind="mvsec")
    with h5py.File(truth) as file, np.load(archive) as npz:
        flow, times = file["davis/left/flow_dist"][()], file["davis/left/flow_dist_ts"][()]
        np.testing.assert_array_equal(flow[:, 0], npz["x_flow_dist"])
        np.testing.assert_array_equal(times, npz["timestamps"])
    first = 5 - len(flow)
    assert segment.events().frame_to_idx[first] > 0
    for k, (u, v) in enumerate(flow, start=first):
        expected, valid = segment.flow_forward(k)
        np.testing.assert_array_equal((u != 0) | (v != 0), valid)
        np.testing.assert_allclose(np.stack([u, v], -1)[valid], expected[valid], atol=2 * AT_REST)


def test_mvsec_needs_no_more_memory_for_more_frames(tiny: Path, tmp_path: Path) -> None:
    """Hold a few pictures of flow at a time, of a segment of any length."""
    peaks = []
    for frames in (6, 24):
        path = write_wide_segment(
            tmp_path / f"{frames}.h5", tiny / "first.h5", height=48, width=64, frames=frames,
            frame_us=1000, events_per_interval=50,
        )  # fmt: skip
        with Segment(path) as segment:
            export(segment, tmp_path / "warm", kind="mvsec")
            tracemalloc.start()
            export(segment, tmp_path / "out", kind="mvsec")
            peaks.append(tracemalloc.get_traced_memory()[1])
            tracemalloc.stop()
    assert peaks[1] < 1.5 * peaks[0]


def test_mvsec_pixels_at_rest_are_known(tiny: Path) -> None:
    """Write 1e-6 px, not zero, for a pixel whose true flow is zero."""
    with open_dataset(tiny) as dataset:
        segment = dataset.segment("first")
        flow, valid = segment.flow_forward(0)
        segment.flow_forward = lambda _: (np.zeros_like(flow), valid)  # type: ignore[method-assign]
        signed = signed_flow(segment, 0)
    assert (signed[:, valid] == np.float32(AT_REST)).all()
    assert not signed[:, ~valid].any()


def test_event_flow_pairs_flow_with_the_interval_before_it(
    segment: Segment, tmp_path: Path
) -> None:
    """Read as event_flow does: events between two stamps, and the flow of the second one."""
    [path] = export(segment, tmp_path, kind="event_flow")
    with h5py.File(path) as file:
        t, maps = file["events/ts"][()], sorted(file["flow_dt1"])
        stamps = [file["flow_dt1"][name].attrs["timestamp"] for name in maps]
        assert file.attrs["t0"] == stamps[0]
        assert file.attrs["duration"] == pytest.approx(5 * FRAME_US * 1e-6)
        assert file["events/ps"].dtype == np.bool_
        for k in range(5):
            count = np.searchsorted(t, stamps[k + 1], "right") - np.searchsorted(t, stamps[k], "right")  # fmt: skip
            assert abs(count - len(segment.events().slice_by_frame(k, k + 1))) < 5
            flow, valid = segment.flow_forward(k)
            stored = file["flow_dt1"][maps[k + 1]][()]
            np.testing.assert_array_equal(stored.transpose(1, 2, 0)[valid], flow[valid])
        assert sorted(file["images"])[0] == "image000000000"


def test_m3ed_groups(segment: Segment, tmp_path: Path) -> None:
    """Store events with their index, depth with poses, flow with stamps, all on one clock."""
    data, depth, flow = export(segment, tmp_path, kind="m3ed")
    with h5py.File(data) as file:
        left = file["prophesee/left"]
        t, index = left["t"][()], left["ms_map_idx"][()].astype(int)
        for ms, first in enumerate(index):
            assert first == np.searchsorted(t, 1000 * ms)
        assert left["calib/resolution"][()].tolist() == list(size_of(segment))[::-1]
    with h5py.File(depth) as file:
        np.testing.assert_array_equal(file["depth/prophesee/left"][3], segment.depth(3))
        moved = file["Cn_T_C0"][3] @ np.linalg.inv(segment.pose(0)) @ segment.pose(3)
        np.testing.assert_allclose(moved, np.eye(4), atol=1e-9)
    with h5py.File(flow) as file:
        expected, valid = segment.flow_forward(2)
        np.testing.assert_array_equal(file["flow/prophesee/left/x"][2][valid], expected[valid][:, 0])  # fmt: skip
        assert len(file["ts"]) == len(file["ts_map_prophesee_left"]) == 5


def test_multiflow_follows_points_from_one_instant(segment: Segment, tmp_path: Path) -> None:
    """Write flow to several instants, events on the sample's clock, pictures at both ends."""
    files = export_multiflow(segment, tmp_path)
    sample = tmp_path / "val" / "second_0000"
    assert all(path.is_relative_to(sample) for path in files)
    flows = sorted((sample / "flow").iterdir())
    assert [path.stem for path in flows] == ["0080000", "0120000", "0160000"]
    for k, path in enumerate(flows, start=2):
        with h5py.File(path) as file:
            flow, valid = segment.flow(1, k)
            np.testing.assert_array_equal(file["flow"][()], flow)
            np.testing.assert_array_equal(file["valid"][()], valid)
    assert sorted(p.stem for p in (sample / "images").iterdir()) == ["0040000", "0160000"]
    with h5py.File(sample / "events/events.h5") as file:
        assert 0 <= file["t"][0] <= file["t"][-1] <= 5 * FRAME_US
        assert len(file["t"]) == len(segment.events())


def test_multiflow_refuses_times_without_frames(segment: Segment, tmp_path: Path) -> None:
    """Name what does not fit: the length, the order, the frames."""
    with pytest.raises(InputError, match="at least 1000000"):
        export(segment, tmp_path, kind="multiflow", every_us=FRAME_US)
    with pytest.raises(InputError, match=r"whole number of frames.*`every_us`"):
        export(segment, tmp_path, kind="multiflow")
    with pytest.raises(InputError, match="reference < target"):
        export(segment, tmp_path, kind="multiflow", target_us=400_000)
    with pytest.raises(
        InputError, match="steps of 80000 us from 40000 us miss the target at 160000"
    ):
        export_multiflow(segment, tmp_path, every_us=2 * FRAME_US)


def test_multiflow_with_other_instants_replaces_the_samples(
    segment: Segment, tmp_path: Path
) -> None:
    """Leave neither instants nor samples of the last export, only what the user put there."""
    folder = tmp_path / "val"
    export_multiflow(segment, tmp_path)
    shutil.copytree(folder / "second_0000", folder / "second_0001")
    shutil.copytree(folder / "second_0000", folder / "second_0002")
    (folder / "second_0002" / "notes.txt").touch()
    files = export_multiflow(segment, tmp_path, every_us=3 * FRAME_US)
    assert sorted(path for path in folder.rglob("*") if path.is_file()) == sorted(
        [*files, folder / "second_0002" / "notes.txt"]
    )
    assert not (folder / "second_0001").exists()


def export_multiflow(segment: Segment, folder: Path, **options: int) -> list[Path]:
    times = {"length_us": 5, "reference_us": 1, "target_us": 4, "every_us": 1}
    in_us = {name: frames * FRAME_US for name, frames in times.items()}
    return export(segment, folder, kind="multiflow", **in_us | options)

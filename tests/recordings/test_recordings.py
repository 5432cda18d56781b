"""Recordings of other projects read back as what was exported, and trained on."""

from __future__ import annotations

import pickle
import shutil
from pathlib import Path

import h5py
import numpy as np
import pytest
import yaml
from numpy.testing import assert_array_equal

from datagen.dataset import Segment
from datagen.errors import DatasetError, InputError, SpecError
from datagen.recordings.dsec import open_dsec, runs
from datagen.recordings.flow_along import covered_intervals, flow_along
from datagen.recordings.mvsec import open_mvsec
from datagen.recordings.open import open_any
from datagen.training.config import AugmentSpec, TrainConfig
from datagen.training.evaluate import evaluate
from datagen.training.loop import train
from datagen.training.models.base import SmallUnetSpec
from datagen.training.protocols import Protocol
from schemas.recording import DsecRecordingSpec, MvsecRecordingSpec

FRAME_US = 40_000


def read_dsec(folder: Path) -> Segment:
    return open_dsec(DsecRecordingSpec(path=folder))[0]


def read_mvsec(folder: Path, **changes: float) -> Segment:
    return open_mvsec(MvsecRecordingSpec(path=folder, sequence="second", **changes))[0]


def assert_same_events(found: Segment, first: int, segment: Segment) -> None:
    """Compare every window; frame 0 of the recording is frame `first` of the segment."""
    for k in range(found.frame_count - 1):
        ours = segment.events().slice_by_frame(first + k, first + k + 1)
        theirs = found.events().slice_by_frame(k, k + 1)
        assert len(ours) > 0
        assert_array_equal(theirs.t, ours.t - segment.times[first])
        for name in ("x", "y", "p"):
            assert_array_equal(getattr(theirs, name), getattr(ours, name))


def test_dsec_reads_back(dsec: Path, segment: Segment) -> None:
    """Get the events to the bit, and flow to the step of a picture."""
    found = read_dsec(dsec)
    assert (found.name, found.split, found.t_offset) == ("second", "train", segment.t_offset)
    assert_array_equal(found.times, segment.times)
    assert_same_events(found, 0, segment)
    flow, valid = found.flow(1, 2)
    expected, known = segment.flow(1, 2)
    assert_array_equal(valid, known)
    assert np.abs(flow - expected)[known].max() <= 1 / 256 + 1e-5
    assert found.intrinsics == segment.intrinsics


def test_flow_to_the_same_frame_is_not_stored(dsec: Path, mvsec: Path) -> None:
    """Know nothing of it, in the shape of all other flow."""
    for found in (read_dsec(dsec), read_mvsec(mvsec)):
        flow, valid = found.flow(1, 1)
        expected, _ = found.flow(0, 1)
        assert flow.shape == expected.shape
        assert not flow.any()
        assert not valid.any()


def test_dsec_slices_by_time(dsec: Path, segment: Segment) -> None:
    """Cut the events at any microsecond of the segment's clock."""
    found = read_dsec(dsec).events().slice_by_time(50_001, 130_000)
    assert_array_equal(found.t, segment.events().slice_by_time(50_001, 130_000).t)


def test_dsec_gap_in_the_labels_ends_a_segment() -> None:
    """Let no window reach over a missing label."""
    found = runs([(0, 100), (100, 200), (400, 500)])
    assert [run.tolist() for run in found] == [[0, 100, 200], [400, 500]]


def test_dsec_second_run_has_its_own_events(dsec: Path, segment: Segment, tmp_path: Path) -> None:
    """Give the part after a gap its own clock and name."""
    folder = shutil.copytree(dsec, tmp_path / "second")
    lines = (folder / "flow/forward_timestamps.txt").read_text().splitlines()
    del lines[2]
    (folder / "flow/forward_timestamps.txt").write_text("\n".join(lines))
    (folder / "flow/forward/000002.png").unlink()
    first, second = open_dsec(DsecRecordingSpec(path=folder))
    assert (first.frame_count, second.frame_count) == (2, 4)
    assert (first.name, second.name) == ("second", "second_1")
    assert second.t_offset == segment.t_offset + 2 * FRAME_US
    assert_same_events(second, 2, segment)


def test_dsec_events_move_to_rectified_pixels(dsec: Path, segment: Segment, tmp_path: Path) -> None:
    """Round rectified positions, and drop what leaves the picture."""
    folder = shutil.copytree(dsec, tmp_path / "second")
    with h5py.File(folder / "events/left/rectify_map.h5", "r+") as file:
        file["rectify_map"][..., 0] += 1.4
    events = read_dsec(folder).events().slice_by_frame(0, 1)
    ours = segment.events().slice_by_frame(0, 1)
    stays = ours.x + 1 < segment.intrinsics.width
    assert not stays.all()
    assert_array_equal(events.x, ours.x[stays] + 1)
    assert_array_equal(events.t, ours.t[stays])


def test_mvsec_reads_back(mvsec: Path, segment: Segment) -> None:
    """Get events, flow and grey pictures of every window between labels."""
    found = read_mvsec(mvsec)
    first = segment.frame_count - 1 - found.frame_count
    assert found.frame_count >= 4
    assert_same_events(found, first, segment)
    for k in range(found.frame_count - 1):
        flow, valid = found.flow(k, k + 1)
        expected, known = segment.flow_forward(first + k)
        assert_array_equal(valid, known)
        np.testing.assert_allclose(flow[known], expected[known], atol=1e-4)
    assert found.rgb(0).shape == segment.rgb(0).shape
    assert np.abs(found.rgb(0).astype(int) - segment.rgb(first)).max() <= 1


def test_mvsec_part_of_a_sequence(mvsec: Path) -> None:
    """Keep the pictures of the time asked for."""
    whole = read_mvsec(mvsec)
    part = read_mvsec(mvsec, from_s=0.05, to_s=0.13)
    assert part.t_offset > whole.t_offset
    assert part.frame_count < whole.frame_count
    with pytest.raises(DatasetError, match="at least two"):
        read_mvsec(mvsec, to_s=0.01)


def test_flow_is_followed_pixel_by_pixel() -> None:
    """Take a pixel 2 right, then, from there, one and a half down; lose the one that leaves."""
    right, down = np.zeros((4, 6, 2), np.float32), np.zeros((4, 6, 2), np.float32)
    right[..., 0], down[..., 1] = 2, 3
    everywhere, hole = np.ones((4, 6), np.bool_), np.ones((4, 6), np.bool_)
    hole[1, 3] = False
    flow, known = flow_along([((right, everywhere), 1.0), ((down, hole), 0.5)], (4, 6))
    assert flow[0, 0].tolist() == [2, 1.5]
    assert not known[:, 4:].any()
    assert not known[1, 1]
    assert known[0, :4].all()


def test_intervals_between_stamps_are_shared() -> None:
    """Cover the end of one interval, a whole one and the start of a third."""
    stamps = np.array([0.0, 1.0, 2.0, 4.0])
    covered = covered_intervals(stamps, 0.75, 2.5)
    assert covered == [(0, pytest.approx(0.25)), (1, pytest.approx(1)), (2, pytest.approx(0.25))]
    assert covered_intervals(stamps, 1.0, 2.0) == [(1, 1.0)]


@pytest.fixture
def listed(dsec: Path, mvsec: Path, tmp_path: Path) -> Path:
    """A list of both recordings."""
    recordings = [
        {"kind": "dsec", "path": str(dsec), "split": "train"},
        {"kind": "mvsec", "path": str(mvsec), "sequence": "second", "split": "test"},
    ]
    path = tmp_path / "recordings.yaml"
    path.write_text(yaml.safe_dump({"recordings": recordings}))
    return path


def test_recordings_train_and_evaluate_a_network(listed: Path, tmp_path: Path) -> None:
    """Go from files of others to a report by MVSEC's rules."""
    config = TrainConfig(
        dataset=listed, out=tmp_path / "run", steps=2, batch=2, crop=16,
        model=SmallUnetSpec(width=4), augment=AugmentSpec(reverse_time=0.0),
    )  # fmt: skip
    result = train(config, progress=False)
    report = evaluate(
        result.best_checkpoint, listed, protocol=Protocol("mvsec"), out=tmp_path, progress=False
    )
    assert report.headline()["epe_zero_flow"] > 0.1


def test_reversed_windows_need_backward_flow(listed: Path, tmp_path: Path) -> None:
    """Say which setting to change."""
    config = TrainConfig(
        dataset=listed, out=tmp_path / "run", steps=1, augment=AugmentSpec(reverse_time=1.0)
    )
    with pytest.raises(InputError, match=r"reverse_time: 0\.0"):
        train(config, progress=False)


def test_recordings_survive_pickling(listed: Path) -> None:
    """Send segments to another process without their open files."""
    dataset = open_any(listed)
    dataset.segments[1].flow(0, 1)
    for segment in pickle.loads(pickle.dumps(dataset)).segments:  # noqa: S301 - our own
        assert len(segment.events().slice_by_frame(0, 1)) > 0


def test_what_is_not_there_is_told(dsec: Path, mvsec: Path, tmp_path: Path) -> None:
    """Name missing labels, wrong counts, other streams and pictures that do not fit."""
    with pytest.raises(DatasetError, match="no flow labels"):
        read_dsec(tmp_path)
    folder = shutil.copytree(dsec, tmp_path / "second")
    (folder / "flow/forward/000000.png").unlink()
    with pytest.raises(DatasetError, match="5 rows for 4 pictures"):
        read_dsec(folder)
    with pytest.raises(InputError, match="event stream"):
        read_mvsec(mvsec).events("other")
    with pytest.raises(InputError, match="no pictures"):
        read_dsec(dsec).rgb(0)
    (tmp_path / "list.yaml").write_text("recordings: []")
    with pytest.raises(SpecError, match="recordings"):
        open_any(tmp_path / "list.yaml")
    (tmp_path / "job.yaml").write_text("name: mine\nsegments: []")
    with pytest.raises(
        SpecError, match=r"holds name, segments; expected a dataset .* `recordings`"
    ):
        open_any(tmp_path / "job.yaml")

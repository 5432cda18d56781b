"""What opens, what is refused and how it is said, and what survives fork, spawn and pickle."""

from __future__ import annotations

import json
import multiprocessing
import pickle
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import h5py
import numpy as np
import pytest
from tiny_dataset import depth_sum

from datagen.dataset import Segment, open_dataset
from datagen.errors import DatasetError, InputError


def test_folder_opens_in_the_order_of_the_job(tiny: Path) -> None:
    """List segments as the manifest does, with what their files say."""
    with open_dataset(tiny) as dataset:
        assert [(s.name, s.segment_id, s.split) for s in dataset.segments] == [
            ("first", 3, "train"),
            ("second", 5, "test"),
        ]
        assert dataset.segments[0].spec.name == "tiny"
        assert dataset.segments[1].t_offset == 240_000


def test_single_file_opens(tiny: Path) -> None:
    """Open one segment file without its folder."""
    with open_dataset(tiny / "second.h5") as dataset:
        assert [s.name for s in dataset.segments] == ["second"]
        assert dataset.manifest is None


def test_segment_is_found_by_name(tiny: Path) -> None:
    """Find a segment by name and say which there are when it is not one of them."""
    with open_dataset(tiny) as dataset:
        assert dataset.segment("second").segment_id == 5
        with pytest.raises(InputError, match=r"'third'.*first, second"):
            dataset.segment("third")


def test_missing_path_is_refused(tmp_path: Path) -> None:
    """Name the path that is not there."""
    with pytest.raises(DatasetError, match=r"nothing\.h5: no such file"):
        open_dataset(tmp_path / "nothing.h5")


def test_folder_without_manifest_is_refused(tmp_path: Path) -> None:
    """Say that the job is unfinished and how to go on."""
    with pytest.raises(DatasetError, match=r"no manifest\.json.*run `datagen generate` again"):
        open_dataset(tmp_path)


def test_unreadable_manifest_is_refused(copy: Path) -> None:
    """Refuse JSON that is not a manifest."""
    (copy / "manifest.json").write_text('{"name": "x"}')
    with pytest.raises(DatasetError, match="not a manifest"):
        open_dataset(copy)


def test_foreign_file_is_refused(tmp_path: Path) -> None:
    """Refuse a file that is not HDF5."""
    (tmp_path / "notes.h5").write_text("no HDF5 here")
    with pytest.raises(DatasetError, match="is no HDF5 file"):
        open_dataset(tmp_path / "notes.h5")


def test_foreign_hdf5_is_refused(tmp_path: Path) -> None:
    """Refuse HDF5 that someone else wrote."""
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["x"] = 1
    with pytest.raises(DatasetError, match="no format_version"):
        open_dataset(tmp_path / "other.h5")


def test_truncated_file_is_refused(copy: Path) -> None:
    """Refuse a download that broke off."""
    data = (copy / "first.h5").read_bytes()
    (copy / "first.h5").write_bytes(data[: len(data) // 2])
    with pytest.raises(DatasetError, match="cut off or damaged"):
        open_dataset(copy / "first.h5")


@pytest.mark.parametrize("where", ["file", "manifest"])
def test_newer_major_format_is_refused(copy: Path, where: str) -> None:
    """Ask for a newer release instead of guessing."""
    if where == "file":
        path = copy / "first.h5"
        with h5py.File(path, "a") as file:
            file.attrs["format_version"] = "2.0"
    else:
        path = copy
        manifest = json.loads((copy / "manifest.json").read_text())
        (copy / "manifest.json").write_text(json.dumps({**manifest, "format_version": "2.0"}))
    with pytest.raises(DatasetError, match=r"'2\.0'.*Install a newer"):
        open_dataset(path)


def test_newer_minor_format_is_read(copy: Path) -> None:
    """Read what a later 1.x wrote."""
    with h5py.File(copy / "first.h5", "a") as file:
        file.attrs["format_version"] = "1.9"
    with open_dataset(copy / "first.h5") as dataset:
        assert dataset.segments[0].frame_count == 6


def test_missing_segment_file_is_refused(copy: Path) -> None:
    """Name the file that the manifest promises."""
    (copy / "second.h5").unlink()
    with pytest.raises(DatasetError, match=r"second\.h5: no such file, but manifest\.json"):
        open_dataset(copy)


def test_wrong_size_is_refused(copy: Path) -> None:
    """Give the size seen and the size promised."""
    size = (copy / "second.h5").stat().st_size
    with (copy / "second.h5").open("ab") as file:
        file.write(b"more")
    with pytest.raises(DatasetError, match=rf"has {size + 4} bytes; manifest\.json says {size}"):
        open_dataset(copy)


def test_missing_column_is_named(copy: Path) -> None:
    """Name a column that is not there when it is read."""
    with h5py.File(copy / "first.h5", "a") as file:
        del file["frames/depth"]
    with (
        open_dataset(copy / "first.h5") as dataset,
        pytest.raises(DatasetError, match="'frames/depth'"),
    ):
        dataset.segments[0].depth(0)


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_dataset_is_read_in_other_processes(tiny: Path, method: str) -> None:
    """Give a child process, forked or spawned, the same arrays from an already open dataset."""
    with open_dataset(tiny) as dataset:
        expected = depth_sum(dataset)
        with multiprocessing.get_context(method).Pool(1) as pool:
            assert pool.map(depth_sum, [dataset, dataset]) == [expected, expected]
        assert depth_sum(dataset) == expected


def test_pickle_carries_the_path_alone(tiny: Path) -> None:
    """Pickle an open dataset to few bytes, and read from the copy."""
    with open_dataset(tiny) as dataset:
        dataset.segments[0].depth(0)
        again = pickle.loads(pickle.dumps(dataset))  # noqa: S301
    with again:
        np.testing.assert_array_equal(again.segments[0].depth(0), dataset.segments[0].depth(0))


def test_more_segments_than_open_files_are_read(
    tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Keep few files open and read from all of them, again and again, in threads too."""
    monkeypatch.setattr("datagen.dataset.h5_file.MOST_OPEN", 3)
    segments = [Segment(tiny / "first.h5") for _ in range(10)]
    with ThreadPoolExecutor(4) as threads:
        sums = list(threads.map(lambda s: float(s.depth(2).sum()), segments * 3))
    assert len(set(sums)) == 1
    assert sum(segment._file._file is not None for segment in segments) <= 3


def test_closed_dataset_opens_again_on_demand(tiny: Path) -> None:
    """Read after close."""
    dataset = open_dataset(tiny)
    dataset.close()
    assert dataset.segments[0].depth(0).shape == (23, 33)
    dataset.close()


def test_file_is_not_held_after_close(copy: Path) -> None:
    """Let a writer open the file once the reader has closed it."""
    with open_dataset(copy) as dataset:
        dataset.segments[0].depth(0)
    with h5py.File(copy / "first.h5", "a") as file:
        file.attrs["licence"] = "other"

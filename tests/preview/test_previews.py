"""Previews of a segment: complete, of a sane size, equal for equal files."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from tiny_dataset import build_segment

from datagen.dataset import Segment
from datagen.errors import DatasetError
from datagen.preview import write_previews
from datagen.preview.animation import LONGEST_MS, faded_events
from datagen.preview.columns import depth_range, flow_scale, spread
from datagen.preview.page import fit


def test_previews_are_equal_for_equal_files(tiny: Path, tmp_path: Path) -> None:
    """Write a sheet and a film, twice the same bytes, and nothing else."""
    first = write_previews(tiny / "first.h5", tmp_path / "a")
    again = write_previews(tiny / "first.h5", tmp_path / "b")
    assert [path.name for path in first] == ["first.png", "first.gif"]
    assert sorted(path.name for path in (tmp_path / "a").iterdir()) == ["first.gif", "first.png"]
    for one, other in zip(first, again, strict=True):
        assert one.read_bytes() == other.read_bytes()


def test_film_has_a_picture_per_interval(tiny: Path, tmp_path: Path) -> None:
    """Loop through one picture for every frame interval of a short segment."""
    _, film = write_previews(tiny / "first.h5", tmp_path)
    with Image.open(film) as image:
        assert image.n_frames == 5
        assert image.info["loop"] == 0


def test_film_of_a_slow_segment_is_sped_up(copy: Path, tmp_path: Path) -> None:
    """Show half an hour per frame in seconds: a GIF cannot tell so long a time."""
    with h5py.File(copy / "first.h5", "r+") as file:
        file["frames/t"][...] = np.arange(6) * 1_800_000_000
    _, film = write_previews(copy / "first.h5", tmp_path)
    with Image.open(film) as image:
        assert image.n_frames == 5
        assert image.info["duration"] == LONGEST_MS


def test_sheet_shows_all_streams(tiny: Path, tmp_path: Path) -> None:
    """Widen the page by a column for every stream."""
    sheet, _ = write_previews(tiny / "first.h5", tmp_path)
    with Image.open(sheet) as image:
        assert image.width > 6 * 250
        assert len(np.unique(np.asarray(image).reshape(-1, 3), axis=0)) > 100


def test_segment_without_events_and_motion_is_drawn(tmp_path: Path) -> None:
    """Draw a still segment, whose streams of events are empty."""
    path = build_segment(tmp_path / "still.h5", still=True)
    with h5py.File(path) as file:
        assert len(file["events/t"]) == 0
    assert all(p.stat().st_size for p in write_previews(path, tmp_path / "previews"))


def test_no_dataset_is_refused(tmp_path: Path) -> None:
    """Refuse to draw what cannot be read, and leave no file."""
    with pytest.raises(DatasetError, match="no such file"):
        write_previews(tmp_path / "none.h5", tmp_path / "previews")
    assert not (tmp_path / "previews").exists()


def test_events_fade_by_the_decay_of_their_sensor(tiny: Path) -> None:
    """Sum signed events, multiplied by 0.8 at every further frame."""
    with Segment(tiny / "first.h5") as segment:
        stream = segment.events("difference")
        pictures = list(faded_events(segment, stream))
        events = [stream.slice_by_frame(k, k + 1) for k in range(2)]
    sums = [np.zeros((23, 33)), np.zeros((23, 33))]
    for total, part in zip(sums, events, strict=True):
        np.add.at(total, (part.y, part.x), 2.0 * part.p - 1)
    assert len(pictures) == 5
    np.testing.assert_allclose(pictures[1], 0.8 * sums[0] + sums[1])


@given(count=st.integers(1, 500), most=st.integers(1, 60))
def test_spread_covers_what_there_is(count: int, most: int) -> None:
    """Choose distinct indices in order, as many as asked for or as there are."""
    chosen = spread(count, most)
    assert len(chosen) == min(count, most)
    assert chosen == sorted(set(chosen))
    assert chosen[0] >= 0
    assert chosen[-1] < count


@pytest.mark.parametrize(
    ("size", "shown"),
    [
        ((40, 30), (240, 180)),
        ((96, 72), (288, 216)),
        ((512, 100), (256, 50)),
        ((300, 300), (256, 256)),
    ],
)
def test_pictures_fit_their_cell(size: tuple[int, int], shown: tuple[int, int]) -> None:
    """Enlarge by the nearest whole factor, reduce to the cell's width."""
    assert fit(np.zeros((size[1], size[0], 3), np.uint8)).size == shown


def test_scales_exist_where_nothing_is_seen() -> None:
    """Fall back to a range when no pixel has depth or flow."""
    near, far = depth_range([np.full((2, 2), np.inf, np.float32)])
    assert 0 < near < far
    nothing = (np.zeros((2, 2, 2), np.float32), np.zeros((2, 2), np.bool_))
    assert flow_scale([nothing]) == 0.1

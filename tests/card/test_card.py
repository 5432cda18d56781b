"""The card's numbers against plain sums over the file, and a warning for each thing that spoils."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from tiny_dataset import build_dataset, build_segment, write_manifest

from datagen.card import build_card, write_card
from schemas.dataset import DatasetCard, DatasetManifest
from schemas.job import JobSpec


def _manifest(folder: Path) -> DatasetManifest:
    return DatasetManifest.model_validate_json((folder / "manifest.json").read_bytes())


def _warnings(folder: Path, **changes: Any) -> str:
    manifest = _manifest(folder).model_copy(update=changes)
    return "\n".join(build_card(folder, manifest).warnings)


def test_flow_statistics_are_those_of_valid_pixels(tiny: Path) -> None:
    """Average and bin |flow| over valid pixels of all intervals."""
    statistics = build_card(tiny, _manifest(tiny)).segments[0]
    with h5py.File(tiny / "first.h5") as file:
        valid = file["flow/forward_valid"][:] == 1
        length = np.hypot(*file["flow/forward"][:][valid].T.astype(float))
    assert statistics.flow_mean == pytest.approx(length.mean())
    assert statistics.flow_valid == pytest.approx(valid[:-1].mean())
    assert sum(statistics.flow_histogram) == pytest.approx(1)
    assert statistics.flow_histogram[1] == pytest.approx(np.mean((length >= 1) & (length < 4)))


def test_depth_range_is_of_percentiles(tiny: Path) -> None:
    """Read the 1st and 99th percentile of depth to within a bin."""
    statistics = build_card(tiny, _manifest(tiny)).segments[0]
    with h5py.File(tiny / "first.h5") as file:
        wanted = np.percentile(file["frames/depth"][:], (1, 99))
    np.testing.assert_allclose(statistics.depth_range, wanted, rtol=0.01)


def test_stream_statistics_are_plain_counts(tiny: Path) -> None:
    """Count events and spikes per second, pixel and interval, and active pixels."""
    events, _, spikes = build_card(tiny, _manifest(tiny)).segments[0].streams
    with h5py.File(tiny / "first.h5") as file:
        index = file["events/frame_to_idx"][:].astype(int)
        pixel = file["events/y"][:].astype(int) * 33 + file["events/x"][:]
        active = [len(np.unique(pixel[a:b])) / 759 for a, b in itertools.pairwise(index)]
        total = len(pixel)
        spike_count = int(np.bitwise_count(file["spikes/packed"][:]).sum())
    assert events.count == total
    assert events.per_second == pytest.approx(total / 0.2)
    assert events.per_pixel_per_frame == pytest.approx(total / 5 / 759)
    assert events.active_fraction == pytest.approx(np.median(active))
    assert events.quiet_windows == 0
    assert spikes.count == spike_count
    assert spikes.active_fraction == 1.0


def test_good_dataset_has_no_warnings(tiny: Path) -> None:
    """Stay silent where nothing is wrong."""
    assert build_card(tiny, _manifest(tiny)).warnings == []


def test_renderer_that_is_not_proved_is_named(tiny: Path) -> None:
    """Warn when conventions are not verified."""
    assert "not proved" in _warnings(tiny, verified=False)


def test_dataset_without_held_out_segment_is_named(tiny: Path) -> None:
    """Warn when there is nothing to test on."""
    assert "no val or test segment" in _warnings(tiny, segments=_manifest(tiny).segments[:1])


def test_still_segment_is_quiet_and_does_not_move(copy: Path) -> None:
    """Warn of quiet intervals and of missing motion."""
    build_segment(copy / "first.h5", still=True)
    write_manifest(copy)
    warnings = _warnings(copy)
    assert (
        "first: 100% of frame intervals hold fewer than 0.05 events per pixel in `events`"
        in warnings
    )
    assert "first: almost nothing moves" in warnings
    assert "second" not in warnings


def _damage(folder: Path, column: str, value: Any) -> None:
    with h5py.File(folder / "first.h5", "a") as file:
        file[column][...] = value
    write_manifest(folder)


@pytest.mark.parametrize(
    ("column", "value", "warning"),
    [
        ("frames/luminance", 1.2, "100% of pixels are at or over white"),
        ("frames/luminance", 3.0, "fires at every poll"),
        ("frames/sub_frame_count", 256, "5 of 5 frame intervals met the limit of 256"),
        ("flow/forward_valid", 0, "flow is known for 0% of pixels only"),
    ],
)
def test_what_spoils_training_is_named(copy: Path, column: str, value: Any, warning: str) -> None:
    """Warn of clipped light, saturated spikes, too few sub-frames, and unknown flow."""
    _damage(copy, column, value)
    assert warning in _warnings(copy)


def test_card_files_are_equal_for_equal_datasets(copy: Path, tmp_path: Path) -> None:
    """Write the same three files twice, and read the card back."""
    other = build_dataset(tmp_path / "again")
    for place in (copy, other):
        write_card(
            place, _manifest(place).model_copy(update={"segments": _manifest(copy).segments})
        )
    for name in ("card.json", "card.md", "croissant.json"):
        assert (copy / name).read_bytes() == (other / name).read_bytes()
    card = DatasetCard.model_validate_json((copy / "card.json").read_bytes())
    assert [segment.name for segment in card.segments] == ["first", "second"]


def test_page_has_a_row_per_segment_and_stream(copy: Path) -> None:
    """Name every segment and stream in tables whose rows are of equal length."""
    write_card(copy, _manifest(copy))
    rows = [r for r in (copy / "card.md").read_text().splitlines() if r.startswith("| ")]
    assert sum("`events_difference`" in row for row in rows) == 2
    assert {row.count("|") for row in rows} == {12, 9}


def test_croissant_verifies_every_file(copy: Path) -> None:
    """List each segment file with its digest, licence and format."""
    manifest = _manifest(copy)
    write_card(copy, manifest)
    metadata = json.loads((copy / "croissant.json").read_text())
    assert metadata["conformsTo"] == "http://mlcommons.org/croissant/1.0"
    assert metadata["license"] == JobSpec.model_fields["licence"].default
    assert [(f["name"], f["sha256"]) for f in metadata["distribution"]] == [
        (entry.file, entry.sha256) for entry in manifest.segments
    ]

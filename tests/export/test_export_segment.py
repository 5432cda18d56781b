"""From a dataset to files of other formats: names, streams, clocks, and what is refused."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import get_args

import h5py
import numpy as np
import pytest
import yaml
from click.testing import CliRunner
from event_readers import columns_of, read_csv, read_evt3, read_rpg_txt
from PIL import Image

from datagen.cli import main
from datagen.dataset import open_dataset, streams
from datagen.errors import DatasetError, InputError, OutputError, SpecError
from datagen.export.base import export_dataset, export_segment, parse_export
from datagen.export.spike_dat_reader import read_spike_dat
from datagen.spec_file import parse_settings
from schemas.export import EventFormat, FlowFormat, SpikeFormat

EVENT_KINDS = [kind.model_fields["kind"].default for kind in get_args(EventFormat)]
SPIKE_KINDS = [kind.model_fields["kind"].default for kind in get_args(SpikeFormat)]


def export(dataset: Path, folder: Path, **options) -> list[Path]:
    return list(export_dataset(dataset, parse_export(options), folder))


@pytest.mark.parametrize("kind", EVENT_KINDS)
def test_every_event_format_of_a_dataset(kind, tiny, tmp_path):
    """Write one file per segment, under its name, and leave nothing else."""
    if kind == "rosbag":
        pytest.importorskip("rosbags", reason="rosbags is not installed")
    files = export(tiny, tmp_path / "out", kind=kind)
    with open_dataset(tiny) as dataset:
        assert [file.stem for file in files] == [segment.name for segment in dataset.segments]
    assert sorted(files) == sorted((tmp_path / "out").iterdir())


@pytest.mark.parametrize("kind", [*EVENT_KINDS, *SPIKE_KINDS])
def test_the_same_bytes_again(kind, cropped, tmp_path):
    """Depend on nothing but the segment and the spec."""
    if kind == "rosbag":
        pytest.importorskip("rosbags", reason="rosbags is not installed")
    options = {"polls": 41} if kind == "spikezoo" else {}
    first = export(cropped, tmp_path / "a", kind=kind, **options)
    second = export(cropped, tmp_path / "b", kind=kind, **options)
    assert [f.read_bytes() for f in first] == [f.read_bytes() for f in second]


@pytest.mark.parametrize("slab", [997, 2**20])
def test_events_survive(tiny, tmp_path, monkeypatch, slab):
    """Export exactly the events of the dataset, in slabs of any size."""
    monkeypatch.setattr(streams, "SLAB", slab)
    with open_dataset(tiny) as dataset:
        segment = dataset.segments[0]
        [file] = export_segment(segment, parse_export({"kind": "evt3"}), tmp_path)
        stream = segment.events()
        assert len(stream) > 100
        assert read_evt3(file) == columns_of(stream.slice_by_index(0, len(stream)))


def test_sensor_by_name(tiny, tmp_path):
    """Export the sensor asked for, into a file that says so."""
    first, _ = export(tiny, tmp_path, kind="csv", sensor="difference")
    with open_dataset(tiny) as dataset:
        segment = dataset.segments[0]
        assert first.name == f"{segment.name}_difference.csv"
        stream = segment.events("difference")
        assert read_csv(first) == columns_of(stream.slice_by_index(0, len(stream)))


def test_clock_of_the_job(tiny, tmp_path):
    """Add the segment's start, so that files of one job follow one another in time."""
    _, later = export(tiny, tmp_path / "job", kind="rpg_txt", clock="job")
    _, alone = export(tiny, tmp_path / "segment", kind="rpg_txt")
    with open_dataset(tiny) as dataset:
        offset = dataset.segments[1].t_offset
    assert offset > 0
    assert read_rpg_txt(later)[0] == [t + offset for t in read_rpg_txt(alone)[0]]


def test_spikes_survive(cropped, tmp_path):
    """Export exactly the spikes of the dataset."""
    [file] = export(cropped, tmp_path, kind="spike_dat")
    with open_dataset(cropped) as dataset:
        stream = dataset.segments[0].spikes()
        expected = stream.slice_by_poll(0, len(stream)).unpack()
    assert np.array_equal(read_spike_dat(file, height=18, width=28).unpack(), expected)
    [file] = export(cropped, tmp_path, kind="spike_dat", flipud=False)
    assert np.array_equal(read_spike_dat(file, height=18, width=28, flipud=False).unpack(), expected)  # fmt: skip


def test_spikecv_config(cropped, tmp_path):
    """Say size and labels in the words that SpikeCV reads."""
    data, config = export(cropped, tmp_path, kind="spikecv")
    assert data.parent == config.parent
    assert yaml.safe_load(config.read_text()) == {
        "filename": "tiny", "spike_w": 28, "spike_h": 18, "is_labeled": False,
        "labeled_data_type": [0], "labeled_data_suffix": "None",
    }  # fmt: skip


def test_spikezoo_pairs(cropped, tmp_path):
    """Pair every clip with the picture of its middle poll, whose light the spikes show."""
    files = export(cropped, tmp_path, kind="spikezoo", polls=41)
    assert len(files) >= 4
    for clip, picture in zip(files[::2], files[1::2], strict=True):
        assert clip.parent == tmp_path / "train" / "spike"
        assert picture.parent == tmp_path / "train" / "gt"
        assert clip.stem == picture.stem
        rate = read_spike_dat(clip, height=18, width=28).unpack().mean(axis=0) / 0.4
        light = np.asarray(Image.open(picture)) / 255
        assert np.corrcoef(rate.ravel(), light.ravel())[0, 1] > 0.9
        assert abs(rate.mean() - light.mean()) < 0.02


def test_too_long_clip(cropped, tmp_path):
    """Say how many polls there are when no clip fits."""
    with pytest.raises(InputError, match="no frame with 500"):
        export(cropped, tmp_path, kind="spikezoo", polls=1001)


@pytest.mark.parametrize("kind", SPIKE_KINDS)
def test_polls_that_do_not_fill_bytes(kind, tiny, tmp_path):
    """Refuse 33 x 23 pixels in a format without padding, and leave no file."""
    with pytest.raises(InputError, match=r"33 x 23 px.*multiple of 8"):
        export(tiny, tmp_path, kind=kind)
    assert list(tmp_path.rglob("*.*")) == []


def test_dataset_is_not_overwritten(tiny):
    """Refuse the dataset's own folder, where `first.h5` would replace its segment."""
    before = {path.name: path.read_bytes() for path in tiny.iterdir()}
    with pytest.raises(OutputError, match="folder of the dataset itself"):
        export(tiny, tiny, kind="v2e_h5")
    assert {path.name: path.read_bytes() for path in tiny.iterdir()} == before


def test_another_dataset_is_not_overwritten(tiny, copy):
    """Refuse the folder of any dataset: both may have a segment of that name."""
    before = {path.name: path.read_bytes() for path in copy.iterdir()}
    with pytest.raises(OutputError, match=r"holds manifest\.json"):
        export(tiny, copy, kind="v2e_h5")
    assert {path.name: path.read_bytes() for path in copy.iterdir()} == before


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [("x", 33, "x < 33"), ("y", 23, "y < 23"), ("p", 2, "polarity 0 or 1"), ("t", 10**9, "time goes back")],
)  # fmt: skip
def test_damaged_events_are_refused(tiny, tmp_path, column, value, message):
    """Refuse an event outside the sensor or the order of time, and leave no file."""
    path = tmp_path / "damaged.h5"
    path.write_bytes(next(tiny.glob("*first*.h5")).read_bytes())
    with h5py.File(path, "r+") as file:
        file[f"events/{column}"][5] = value
    with pytest.raises(DatasetError, match=message):
        export(path, tmp_path / "out", kind="evt2")
    assert list((tmp_path / "out").iterdir()) == []


def test_killed_export_leaves_nothing_visible(tiny, tmp_path):
    """Show no file of an export that died while writing, and clear up at the next."""
    out = tmp_path / "out"
    program = (
        "import os, sys\n"
        "from datagen.export import base\n"
        "from schemas.export import CsvExportSpec\n"
        "from pathlib import Path\n"
        "def dies(path, events):\n"
        "    path.write_bytes(b'half')\n"
        "    os.kill(os.getpid(), 9)\n"
        "base.write_csv = dies\n"
        "list(base.export_dataset(Path(sys.argv[1]), CsvExportSpec(), Path(sys.argv[2])))\n"
    )
    done = subprocess.run([sys.executable, "-c", program, str(tiny), str(out)], check=False)
    assert done.returncode == -9
    assert [path for path in out.iterdir() if not path.name.startswith(".")] == []
    assert len(list(out.iterdir())) == 1
    files = export(tiny, out, kind="csv")
    assert sorted(out.iterdir()) == sorted(files)


def test_options_of_a_format():
    """Understand the values of options as YAML does."""
    options = parse_settings(["flipud=false", "sensor=spikes"])
    spec = parse_export({"kind": "spike_dat", **options})
    assert spec.model_dump() == {"kind": "spike_dat", "sensor": "spikes", "flipud": False}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kind": "evt4"}, "'evt2', 'evt3'"),
        ({"kind": "evt2", "flipud": True}, "export: evt2/flipud"),
        ({"kind": "rosbag", "message_us": 0}, "message_us"),
        ({"kind": "rosbag", "topic": "events"}, "topic"),
    ],
)
def test_wrong_options_are_refused(options, message):
    """Name the format or option that is wrong."""
    with pytest.raises(SpecError, match=message):
        parse_export(options)


def test_numbers_of_settings_are_those_of_job_files():
    """Take 1e-1 for a number, which plain YAML 1.1 does not."""
    assert parse_settings(["threshold_on=1e-1", "polls=4"]) == {"threshold_on": 0.1, "polls": 4}


@pytest.mark.parametrize("setting", ["flipud", "=3", "compression=[", "a=b: c: d"])
def test_settings_that_are_none(setting):
    """Say how an option is written."""
    with pytest.raises(SpecError, match="is no setting; expected option=value"):
        parse_settings([setting])


def test_command(tiny, tmp_path):
    """Print the files that were written; fail with code 2 and the streams that there are."""
    runner = CliRunner()
    arguments = ["export", str(tiny), "--format", "aedat2", "-o", str(tmp_path / "out")]
    done = runner.invoke(main, [*arguments, "--set", "flip_x=false"])
    assert done.exit_code == 0
    assert done.output.split() == [str(p) for p in sorted((tmp_path / "out").iterdir())]
    failed = runner.invoke(main, [*arguments, "--sensor", "other"])
    assert failed.exit_code == 2
    assert "no event stream named 'other'" in failed.output


def test_clips_of_another_length_replace_the_last_ones(cropped, tmp_path):
    """Leave no clip of the last export beside the new ones, which a loader would mix."""
    many = export(cropped, tmp_path, kind="spikezoo", polls=41)
    few = export(cropped, tmp_path, kind="spikezoo", polls=201)
    assert len(few) < len(many)
    assert sorted(path for path in tmp_path.rglob("*") if path.is_file()) == sorted(few)


def test_missing_library_is_named(tiny, tmp_path, monkeypatch):
    """Name the extra that brings the library a format needs."""
    for module in ("rosbags.rosbag1", "lz4.frame"):
        monkeypatch.setitem(sys.modules, module, None)
    for options in ({"kind": "rosbag"}, {"kind": "aedat4", "compression": "lz4"}):
        with pytest.raises(InputError, match=r"neuromorphic-datagen\[formats\]"):
            export(tiny, tmp_path, **options)


def test_union_is_documented():
    """List every format and option in docs/export.md."""
    page = (Path(__file__).parents[2] / "docs" / "export.md").read_text(encoding="utf-8")
    for spec in (*get_args(EventFormat), *get_args(SpikeFormat), *get_args(FlowFormat)):
        names = set(spec.model_fields) - {"kind", "sensor", "clock"}
        for name in (spec.model_fields["kind"].default, *names):
            assert f"`{name}`" in page

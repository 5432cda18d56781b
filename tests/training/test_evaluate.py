"""Evaluation: baselines recomputed from the files, reports, refusals."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from datagen.dataset import open_dataset
from datagen.errors import InputError
from datagen.training.checkpoint import load_checkpoint
from datagen.training.config import TrainConfig
from datagen.training.data import window_cases
from datagen.training.evaluate import NATIVE, evaluate
from datagen.training.loop import train
from datagen.training.measure import measure, network_predictor
from datagen.training.models.base import SmallUnetSpec
from datagen.training.pictures import save_sheet
from datagen.training.sample import crop
from datagen.training.windows import evaluated_windows
from schemas.arrays import EventArray


@pytest.fixture(scope="module")
def checkpoint(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    config = TrainConfig(
        dataset=tiny, out=tmp_path_factory.mktemp("run"), steps=2, batch=2, crop=16,
        model=SmallUnetSpec(width=4),
    )  # fmt: skip
    return train(config, progress=False).best_checkpoint


def test_baselines_are_what_their_definitions_say(checkpoint: Path, tiny: Path) -> None:
    """Recompute zero, mean and oracle errors from the stored flow."""
    with open_dataset(tiny) as dataset:
        report = evaluate(checkpoint, dataset, progress=False).headline()
        train_flow, test_flow = (
            [segment.flow_forward(k) for k in range(segment.frame_count - 1)]
            for segment in dataset.segments
        )
    known = [flow[valid] for flow, valid in test_flow]
    mean = np.concatenate([flow[valid] for flow, valid in train_flow]).mean(axis=0)
    pooled = np.concatenate(known)
    oracle = np.concatenate([flow - flow.mean(axis=0) for flow in known])
    for name, error in (("zero_flow", pooled), ("mean_flow", pooled - mean),
                        ("oracle_translation", oracle)):  # fmt: skip
        expected = np.linalg.norm(error, axis=1).mean()
        assert report[f"epe_{name}"] == pytest.approx(expected, rel=1e-5)
    assert "native" in report["epe_protocol"]


def test_report_is_written_as_numbers_tables_and_pictures(
    checkpoint: Path, tiny: Path, tmp_path: Path
) -> None:
    """Write JSON, Markdown and a sheet of predictions that agree with the result."""
    report = evaluate(checkpoint, tiny, out=tmp_path / "report", progress=False)
    stored = json.loads((tmp_path / "report" / "report.json").read_text())
    assert stored["epe"] == report.headline()["epe"]
    methods = stored["all"]["methods"]
    assert set(methods) == {"network", "zero flow", "mean flow", "oracle translation"}
    assert stored["segments"].keys() == {"second"}
    assert stored["all"]["flow_warp_loss"]["true flow"] > 0
    text = (tmp_path / "report" / "report.md").read_text()
    assert all(f"| {method} " in text for method in methods)
    with Image.open(tmp_path / "report" / "predictions.png") as image:
        image.verify()


def test_windows_of_two_sizes_are_measured_together(checkpoint: Path, tiny: Path) -> None:
    """Count as many pixels, and the same errors, as when every size is measured alone."""
    loaded = load_checkpoint(checkpoint)
    config, predictor = loaded.parsed_config(), network_predictor(loaded.network())
    windows = evaluated_windows(open_dataset(tiny).segments[:1], config)
    whole = list(window_cases(windows, config))
    still = replace(whole[0].events, events=EventArray.empty())
    cut = [replace(c, events=still, sample=crop(c.sample, 2, 3, 16, 20)) for c in whole]
    apart = [measure(predictor, cases, None, NATIVE) for cases in (whole, cut)]
    both = measure(predictor, whole + cut, None, NATIVE)
    found, expected = (m.errors["network"].dense for m in (both, apart[0] + apart[1]))
    assert found.pixels == expected.pixels == sum(int(c.sample.valid.sum()) for c in whole + cut)
    assert found.mean_epe() == pytest.approx(expected.mean_epe(), rel=1e-6)


def test_sheet_has_room_for_pictures_of_two_sizes(tmp_path: Path) -> None:
    """Show every panel whole, small ones enlarged by a whole number."""
    shades = (
        (np.zeros((200, 300, 3), np.uint8), 300, 200),
        (np.zeros((20, 90, 3), np.uint8), 900, 200),
    )
    save_sheet(tmp_path / "sheet.png", [[("a", picture)] for picture, _, _ in shades])
    with Image.open(tmp_path / "sheet.png") as sheet:
        dark = np.asarray(sheet.convert("L")) < 128
    for top, (_, width, height) in zip((16, 16 + 200 + 18), shades, strict=True):
        assert dark[top : top + height, 2 : 2 + width].all()
    assert sheet.size == (904, 2 * 218)


def test_prediction_does_not_depend_on_the_way_it_is_read(checkpoint: Path, tiny: Path) -> None:
    """Give the same numbers for an opened dataset, a folder and a single segment file."""
    with open_dataset(tiny) as dataset:
        opened = evaluate(checkpoint, dataset, progress=False).to_dict()
    assert evaluate(checkpoint, tiny, progress=False).to_dict() == opened
    assert evaluate(checkpoint, tiny / "second.h5", progress=False).to_dict() == opened


def test_a_split_without_windows_is_refused(checkpoint: Path, tiny: Path) -> None:
    """Name the splits that are there."""
    with pytest.raises(InputError, match="of the splits test, train: choose one"):
        evaluate(checkpoint, tiny, split="val", progress=False)


def test_tables_fit_a_terminal_and_say_their_units(checkpoint: Path, tiny: Path) -> None:
    """Keep tables below 160 columns, each row as wide as its head."""
    tables = evaluate(checkpoint, tiny, progress=False).to_markdown().split("\n\n")
    rows = [block.splitlines() for block in tables if block.startswith("|")]
    assert rows
    for table in rows:
        assert "[px]" in table[0]
        assert len({len(row) for row in table}) == 1
        assert len(table[0]) < 160


def test_a_runs_folder_stands_for_its_best_checkpoint(checkpoint: Path, tiny: Path) -> None:
    """Evaluate `best.pt`, and say so, by paths that are plain strings too."""
    report = evaluate(str(checkpoint.parent), str(tiny), progress=False)
    assert report.source == "checkpoint best.pt after 2 steps"


def test_checkpoint_remembers_its_run(checkpoint: Path) -> None:
    """Carry configuration, data digest, protocol and weights that load."""
    loaded = load_checkpoint(checkpoint)
    assert loaded.parsed_config().steps == loaded.step == 2
    assert len(loaded.dataset_digest) == 64
    assert "known flow" in loaded.protocol
    assert not loaded.network().training

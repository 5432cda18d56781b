"""Flow from files is judged like that of our own networks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from datagen.cli import main
from datagen.dataset import open_dataset
from datagen.errors import InputError
from datagen.export.flow_png import write_flow_png
from datagen.training.predictions import evaluate_predictions
from datagen.training.protocols import Protocol
from datagen.training.sample import active_pixels


def write_truth(dataset: Path, folder: Path, *, as_png: bool, frames: int = 1) -> None:
    """The true flow of every test window as predictions."""
    with open_dataset(dataset) as opened:
        for window in opened.windows(frames, split="test"):
            own = folder / window.segment.name
            own.mkdir(parents=True, exist_ok=True)
            flow, valid = window.flow()
            if as_png:
                write_flow_png(own / f"{window.start:06d}.png", flow, valid)
            else:
                np.save(own / f"{window.start:06d}.npy", flow.transpose(2, 0, 1))


@pytest.mark.parametrize(("as_png", "most"), [(False, 0.0), (True, 0.006)])
def test_the_truth_has_no_error(tiny: Path, tmp_path: Path, as_png: bool, most: float) -> None:
    """Find no error in true flow, but for the steps of a picture."""
    write_truth(tiny, tmp_path, as_png=as_png, frames=2)
    report = evaluate_predictions(tmp_path, tiny, frames=2, progress=False).headline()
    assert report["epe"] <= most
    assert report["epe_mean_flow"] > 0.1


def test_protocol_is_told_with_the_number(tiny: Path, tmp_path: Path) -> None:
    """Apply the protocol asked for and name it."""
    write_truth(tiny, tmp_path, as_png=False)
    report = evaluate_predictions(tmp_path, tiny, protocol=Protocol("mvsec"), progress=False)
    assert report.headline()["epe"] == 0
    assert "MVSEC" in report.headline()["epe_protocol"]


def test_command_judges_a_folder(tiny: Path, tmp_path: Path) -> None:
    """Print the report and write it as numbers, tables and pictures."""
    write_truth(tiny, tmp_path / "flow", as_png=False)
    out = tmp_path / "report"
    command = ["evaluate", "--predictions", str(tmp_path / "flow"), str(tiny), "--protocol", "dsec"]
    done = CliRunner().invoke(main, [*command, "-o", str(out), "-q"])
    assert done.exit_code == 0, done.output
    assert "DSEC-Flow rules" in done.output
    assert {path.name for path in out.iterdir()} == {"report.json", "report.md", "predictions.png"}


def test_events_are_those_of_the_sensor_asked_for(tiny: Path, tmp_path: Path) -> None:
    """Count the pixels at which the named stream has events."""
    write_truth(tiny, tmp_path, as_png=False)
    rules, counted = Protocol("events"), []
    for name in (None, "events", "difference"):
        report = evaluate_predictions(
            tmp_path, tiny, sensor=name, protocol=rules, progress=False
        ).to_dict()
        counted.append(report["all"]["methods"]["network"]["protocol"]["pixels"])
    with open_dataset(tiny) as opened:
        seen = sum(
            int((window.flow()[1] & active_pixels(window.events("difference"), 23, 33)).sum())
            for window in opened.windows(1, split="test")
        )
    assert counted[0] == counted[1] != seen == counted[2]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--frames", "2"], "--frames goes with --predictions"),
        (["--predictions", "--car"], "--car goes with --protocol mvsec"),
    ],
)
def test_options_that_would_do_nothing_are_refused(options: list[str], words: str) -> None:
    """Say which other option they belong to."""
    done = CliRunner().invoke(main, ["evaluate", "model", "data", *options])
    assert done.exit_code == 2
    assert words in done.output


def test_missing_and_misshapen_predictions_are_refused(tiny: Path, tmp_path: Path) -> None:
    """Name the file that is not there or does not fit."""
    write_truth(tiny, tmp_path, as_png=False)
    np.save(tmp_path / "second" / "000003.npy", np.zeros((2, 5, 5)))
    with pytest.raises(InputError, match=r"000003.*\(2, 5, 5\)"):
        evaluate_predictions(tmp_path, tiny, progress=False)
    (tmp_path / "second" / "000001.npy").unlink()
    with pytest.raises(InputError, match="000001"):
        evaluate_predictions(tmp_path, tiny, progress=False)

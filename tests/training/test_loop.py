"""Training runs: exact resumption, what they leave behind, what they refuse."""

from __future__ import annotations

import functools
import json
import math
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import torch
from PIL import Image
from tiny_dataset import write_manifest

from datagen.dataset import open_dataset, windows_by_count
from datagen.errors import InputError, OutputError
from datagen.training import loop
from datagen.training.average import start_average, update_average
from datagen.training.checkpoint import load_checkpoint
from datagen.training.config import AugmentSpec, TrainConfig, WindowSpec
from datagen.training.evaluate import evaluate
from datagen.training.loop import learning_rate, train
from datagen.training.metrics_log import MetricsLog
from datagen.training.objective import (
    ContrastSpec,
    ObjectiveSpec,
    PhotometricSpec,
    SupervisedSpec,
)
from datagen.training.run import Run

Config = Callable[..., TrainConfig]


def losses(out: Path) -> list[tuple[int, float]]:
    return [(line["step"], line["loss"]) for line in MetricsLog.read(out / "metrics.jsonl")]


def as_validation(dataset: Path) -> None:
    """Make the test segment a val segment."""
    with h5py.File(dataset / "second.h5", "a") as file:
        file.attrs["split"] = "val"
    write_manifest(dataset)


def interrupt_at(monkeypatch: pytest.MonkeyPatch, step: int) -> None:
    """Let the run die just before a step is taken."""
    take_step = loop._step

    def dying(run: Run, *rest: Any) -> dict[str, float]:
        if run.step == step:
            raise KeyboardInterrupt
        return take_step(run, *rest)

    monkeypatch.setattr(loop, "_step", dying)


@pytest.mark.parametrize("stops", [[1], [2, 5], [3, 4]], ids=str)
def test_an_interrupted_run_ends_like_an_uninterrupted_one(
    quick: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stops: list[int]
) -> None:
    """Reach the same weights, optimiser and loss curve to the bit, wherever it was killed."""
    config = functools.partial(quick, average_decay=0.9)
    train(config(out=tmp_path / "whole"), progress=False)
    for stop in stops:
        with monkeypatch.context() as patch:
            interrupt_at(patch, stop)
            with pytest.raises(KeyboardInterrupt):
                train(config(out=tmp_path / "parts"), progress=False)
    train(config(out=tmp_path / "parts"), progress=False)
    assert losses(tmp_path / "parts") == losses(tmp_path / "whole")
    whole, parts = (load_checkpoint(tmp_path / name / "last.pt") for name in ("whole", "parts"))
    assert whole.step == parts.step == 6
    for name, weight in whole.model.items():
        assert torch.equal(parts.model[name], weight), name
    assert whole.average is not None
    assert parts.average is not None
    assert all(torch.equal(parts.average[name], w) for name, w in whole.average.items())
    for index, state in whole.optimizer["state"].items():
        for name, value in state.items():
            assert torch.equal(parts.optimizer["state"][index][name], value)


def test_a_finished_run_is_left_alone(quick: Config) -> None:
    """Take no further step when the budget is spent already."""
    first = train(quick(), progress=False)
    before = load_checkpoint(first.last_checkpoint)
    again = train(quick(), progress=False)
    after = load_checkpoint(again.last_checkpoint)
    assert again.steps == first.steps
    assert all(torch.equal(after.model[name], w) for name, w in before.model.items())


def test_a_run_leaves_checkpoints_metrics_and_pictures(quick: Config) -> None:
    """Write every file that the documentation names."""
    result = train(quick(), progress=False)
    lines = MetricsLog.read(result.out / "metrics.jsonl")
    assert [line["step"] for line in lines] == [1, 2, 3, 4, 5, 6]
    assert all(line["valid"] > 0 for line in lines)
    assert json.loads((result.out / "config.json").read_text())["seed"] == 5
    for name in ("curve.png", "predictions.png"):
        with Image.open(result.out / name) as image:
            image.verify()
    for checkpoint in (result.best_checkpoint, result.last_checkpoint):
        assert load_checkpoint(checkpoint).step == 6
    assert result.best_epe is None


def test_best_checkpoint_has_the_least_validation_error(quick: Config, copy: Path) -> None:
    """Keep the weights of the best validation, not the last ones."""
    as_validation(copy)
    result = train(quick(dataset=copy, validate_every=1, learning_rate=0.05), progress=False)
    lines = MetricsLog.read(result.out / "metrics.jsonl")
    errors = {
        line["step"]: line["validation_epe"]["network"]
        for line in lines
        if "validation_epe" in line
    }
    assert set(errors) == {1, 2, 3, 4, 5, 6}
    best = load_checkpoint(result.best_checkpoint)
    assert best.best_epe == result.best_epe == min(errors.values()) == errors[best.step]


def test_training_learns(quick: Config) -> None:
    """Halve the training loss within a hundred small steps."""
    config = quick(
        steps=100, learning_rate=5e-3, crop=32, checkpoint_every=100,
        augment=AugmentSpec(reverse_time=0.0, flip=False, rotate=False, scale=(1.0, 1.0)),
    )  # fmt: skip
    curve = [loss for _, loss in losses(train(config, progress=False).out)]
    assert sum(curve[-10:]) < 0.5 * sum(curve[:10])


def test_minutes_end_a_run(quick: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stop after the wall-clock budget, here with a clock of one minute per look."""
    ticks = iter(range(0, 6000, 60))
    monkeypatch.setattr(loop.time, "monotonic", lambda: float(next(ticks)))
    result = train(quick(steps=None, minutes=3.0), progress=False)
    assert result.steps == 3


def test_another_run_in_the_folder_is_refused(quick: Config, copy: Path) -> None:
    """Name what differs: a setting, or the data."""
    train(quick(steps=1), progress=False)
    with pytest.raises(OutputError, match="batch"):
        train(quick(batch=3), progress=False)
    with h5py.File(copy / "first.h5", "a") as file:
        file.attrs["licence"] = "other"
    write_manifest(copy)
    with pytest.raises(OutputError, match="content"):
        train(quick(dataset=copy), progress=False)


def test_divergence_is_told(quick: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stop at a gradient that is not finite instead of stepping into it."""
    monkeypatch.setattr(
        loop, "training_loss", lambda _, flows, *__, **___: flows[-1].sum() * float("nan")
    )
    with pytest.raises(InputError, match="learning_rate"):
        train(quick(), progress=False)


def test_patience_ends_a_run_that_no_longer_improves(quick: Config, copy: Path) -> None:
    """Stop after two validations in a row without a new best."""
    as_validation(copy)
    config = quick(dataset=copy, steps=50, validate_every=1, learning_rate=1e-9, patience=2)
    result = train(config, progress=False)
    best = load_checkpoint(result.best_checkpoint)
    assert result.steps == best.step + 2 < 50


def test_windows_by_count_train_and_are_evaluated(quick: Config, tiny: Path) -> None:
    """Judge a network on the kind of window that it learned from."""
    with open_dataset(tiny) as dataset:
        test = dataset.segments[1]
        most = int(np.diff(test.events().frame_to_idx).max())
        chosen = windows_by_count(test, most + 1, longest=3)
    done = train(quick(window=WindowSpec(frames=3, min_events=most + 1)))
    report = evaluate(done.last_checkpoint, tiny, progress=False)
    assert f"at least {most + 1} events" in report.windows
    assert report.segments["second"].pixels == len(chosen) * 33 * 23 > 0


def test_a_checkpoint_remembers_the_splits_of_its_run(quick: Config, tiny: Path) -> None:
    """Test on what the run's rules held out, not on what the job had named."""
    done = train(quick(splits=[{"segment": "first", "split": "test"}, {"split": "train"}]))
    report = evaluate(done.last_checkpoint, tiny, progress=False)
    assert list(report.segments) == ["first"]


def test_averaged_weights_are_what_is_evaluated(quick: Config) -> None:
    """Keep a moving average beside the weights and load it as the network."""
    result = train(quick(average_decay=0.5, learning_rate=0.01), progress=False)
    checkpoint = load_checkpoint(result.last_checkpoint)
    assert checkpoint.average is not None
    loaded = checkpoint.network().state_dict()
    assert all(torch.equal(loaded[name], w) for name, w in checkpoint.average.items())
    assert not all(torch.equal(checkpoint.model[n], w) for n, w in checkpoint.average.items())


def test_average_moves_by_its_decay() -> None:
    """Keep three quarters of the old and take a quarter of the new value."""
    model = torch.nn.Linear(1, 1, bias=False)
    with torch.no_grad():
        model.weight.fill_(0.0)
        average = start_average(model)
        model.weight.fill_(4.0)
    update_average(average, model, decay=0.75)
    assert average["weight"].item() == 1.0


def test_reduced_precision_trains(quick: Config) -> None:
    """Take steps in bfloat16 and keep weights in float32."""
    checkpoint = load_checkpoint(train(quick(precision="bfloat16"), progress=False).last_checkpoint)
    assert all(weight.dtype == torch.float32 for weight in checkpoint.model.values())


@pytest.mark.slow
def test_two_processes_train_like_one(quick: Config, tmp_path: Path) -> None:
    """Reach the weights of a single process, to rounding, and leave no thread of the group behind."""
    alone = load_checkpoint(train(quick(steps=3), progress=False).last_checkpoint)
    config = quick(steps=3, out=tmp_path / "shared")
    (tmp_path / "config.json").write_text(config.canonical_json())
    (tmp_path / "script.py").write_text(
        "import pathlib, sys\n"
        "from datagen.training.config import TrainConfig\n"
        "from datagen.training.loop import train\n"
        "text = pathlib.Path(sys.argv[1]).read_text()\n"
        "train(TrainConfig.model_validate_json(text), progress=False)\n"
        "threads = [f.read_text() for f in pathlib.Path('/proc/self/task').glob('*/comm')]\n"
        "assert not [name for name in threads if 'gloo' in name], threads\n"
    )
    run = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    run += [str(tmp_path / "script.py"), str(tmp_path / "config.json")]
    subprocess.run(run, check=True, env={**os.environ, "OMP_NUM_THREADS": "1"}, timeout=300)
    together = load_checkpoint(tmp_path / "shared" / "last.pt")
    for name, weight in alone.model.items():
        torch.testing.assert_close(together.model[name], weight, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    "objective",
    [SupervisedSpec(mask="events"), PhotometricSpec(), ContrastSpec(points=64)],
    ids=lambda spec: spec.kind,
)
def test_every_objective_trains(quick: Config, objective: ObjectiveSpec) -> None:
    """Take finite steps with every loss."""
    curve = losses(train(quick(objective=objective, steps=2), progress=False).out)
    assert all(math.isfinite(loss) for _, loss in curve)


def test_learning_rate_rises_and_falls() -> None:
    """Peak after the warm-up and end at zero."""
    assert learning_rate(0.0, 1.0) == pytest.approx(0.05)
    assert learning_rate(loop.WARM_UP, 1.0) == 1.0
    assert learning_rate(0.51, 1.0) == pytest.approx(0.5)
    assert learning_rate(1.0, 1.0) == pytest.approx(0.0)


def test_a_file_that_is_no_checkpoint_is_refused(tmp_path: Path) -> None:
    """Say so for a missing, a foreign and an old file."""
    (tmp_path / "text.pt").write_text("hello")
    torch.save({"format": 0}, tmp_path / "old.pt")
    for name, words in (
        ("none", "no such file"),
        ("text", "not a checkpoint"),
        ("old", "format 0"),
    ):
        with pytest.raises(InputError, match=words):
            load_checkpoint(tmp_path / f"{name}.pt")


def test_a_run_writes_over_nothing(
    quick: Callable[..., TrainConfig], tiny: Path, tmp_path: Path
) -> None:
    """Refuse the folder of a data set, and one whose `config.json` is another program's."""
    with pytest.raises(OutputError, match="is a data set"):
        train(quick(out=tiny))
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "config.json").write_text('{"architectures": ["mine"]}')
    with pytest.raises(OutputError, match="not of a run"):
        train(quick())
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["config.json"]
    assert "mine" in (tmp_path / "run" / "config.json").read_text()

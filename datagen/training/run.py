"""A training run as a value: opened new or from its last checkpoint, saved to a checkpoint."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from pydantic import ValidationError
from torch import nn

from datagen.dataset import Window
from datagen.errors import OutputError
from datagen.store import write_file
from datagen.training.average import Weights, start_average
from datagen.training.baselines import mean_flow
from datagen.training.checkpoint import Checkpoint, dataset_digest, load_checkpoint
from datagen.training.config import TrainConfig
from datagen.training.data import TrainingWindows, training_windows
from datagen.training.evaluate import NATIVE
from datagen.training.models.base import build_model
from datagen.training.numerics import seeded
from datagen.training.ranks import Ranks
from datagen.training.windows import describe_windows, evaluated_windows, list_segments
from schemas.dataset import MANIFEST

CONFIG = "config.json"
FREE_FIELDS = {
    "dataset", "more_datasets", "out", "steps", "minutes", "workers", "threads", "cache_mb",
    "validate_every", "checkpoint_every", "device", "compile", "patience", "tensorboard",
}  # fmt: skip
"""What may differ when a run is continued; data sets are compared by their digest."""


@dataclass(slots=True, kw_only=True)
class Run:
    """The moving parts of a run."""

    config: TrainConfig
    ranks: Ranks
    digest: str
    """Of the data sets."""
    windows: TrainingWindows
    validation: list[Window]
    model: nn.Module
    average: Weights | None
    """Moving average of the weights, if the run keeps one."""
    optimizer: torch.optim.Optimizer
    mean_flow: tuple[float, float]
    """Of the training windows [px]."""
    step: int = 0
    seconds: float = 0.0
    best_epe: float | None = None
    best_step: int = 0

    def done(self) -> float:
        """Share of the budget that is spent."""
        by_steps = self.step / self.config.steps if self.config.steps else 0.0
        by_time = self.seconds / 60 / self.config.minutes if self.config.minutes else 0.0
        return min(1.0, max(by_steps, by_time))

    def out_of_patience(self) -> bool:
        """Whether too many validations have brought no new best."""
        patience = self.config.patience
        waited = (self.step - self.best_step) // self.config.validate_every
        return patience is not None and bool(self.validation) and waited >= patience

    def network(self) -> nn.Module:
        """What is evaluated: the averaged weights where there are such."""
        if self.average is None:
            return self.model
        network = build_model(self.config.model, bins=self.config.window.bins)
        network.load_state_dict(self.average)
        return network.to(self.config.device)

    def save(self, name: str) -> None:
        """Write a checkpoint into the run's folder; only the first process does."""
        if not self.ranks.first:
            return
        Checkpoint(
            config=self.config.canonical_json(),
            dataset_digest=self.digest,
            step=self.step,
            seconds=self.seconds,
            model=self.model.state_dict(),
            average=self.average,
            optimizer=self.optimizer.state_dict(),
            mean_flow=self.mean_flow,
            best_epe=self.best_epe,
            best_step=self.best_step,
            protocol=f"{describe_windows(self.config)}; {NATIVE.describe()}",
        ).save(self.config.out / name)


def open_run(config: TrainConfig, ranks: Ranks) -> Run:
    """The run at its first step, or where its last checkpoint left it.

    Raises:
        DatasetError: a dataset cannot be read.
        InputError: there is nothing to train on.
        OutputError: the folder holds another run, or something else.
    """
    refuse_foreign_folder(config.out)
    windows = training_windows(config)
    with seeded(config.seed):
        model = build_model(config.model, bins=config.window.bins)
    model = model.to(config.device, memory_format=torch.channels_last)
    validation = evaluated_windows(list_segments(config, "val"), config)
    run = Run(
        config=config,
        ranks=ranks,
        digest=dataset_digest(config.datasets),
        windows=windows,
        validation=validation,
        model=model,
        average=start_average(model) if config.average_decay else None,
        optimizer=torch.optim.AdamW(
            model.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay
        ),
        mean_flow=_mean_flow(windows),
    )
    if (config.out / "last.pt").exists():
        _resume(run, load_checkpoint(config.out / "last.pt"))
    if ranks.first:
        write_file(config.out / CONFIG, config.model_dump_json(indent=2).encode())
    return run


def refuse_foreign_folder(out: Path) -> None:
    """Raise OutputError when a run in `out` would write over what is not its own.

    Logs and the like beside a run are no obstacle.
    """
    if (out / MANIFEST).exists():
        raise OutputError(f"{out}: is a data set; expected a folder of its own for the run")
    try:
        TrainConfig.model_validate_json((out / CONFIG).read_bytes())
    except FileNotFoundError:
        return
    except ValidationError as error:
        raise OutputError(
            f"{out / CONFIG}: is not of a run; it would be replaced. Choose another folder."
        ) from error


def _mean_flow(windows: TrainingWindows) -> tuple[float, float]:
    """Over the training windows of the kind that is evaluated."""
    spec = windows.config.window
    data = (
        windows.cache.read(window)
        for window in windows.windows
        if spec.min_events is not None or window.stop - window.start == spec.frames
    )
    u, v = mean_flow((window.flow, window.valid) for window in data)
    return float(u), float(v)


def _resume(run: Run, checkpoint: Checkpoint) -> None:
    before = checkpoint.parsed_config().model_dump(exclude=FREE_FIELDS)
    now = run.config.model_dump(exclude=FREE_FIELDS)
    changed = sorted(name for name in now if now[name] != before[name])
    if checkpoint.dataset_digest != run.digest:
        changed.insert(0, "the dataset's content")
    if changed:
        raise OutputError(
            f"{run.config.out}: holds a run that differs in {', '.join(changed)}; expected the same "
            "run to continue. Choose another folder, or remove this one."
        )
    run.model.load_state_dict(checkpoint.model)
    run.optimizer.load_state_dict(checkpoint.optimizer)
    if checkpoint.average is not None:
        run.average = {
            name: value.to(run.config.device) for name, value in checkpoint.average.items()
        }
    run.step, run.seconds = checkpoint.step, checkpoint.seconds
    run.best_epe, run.best_step = checkpoint.best_epe, checkpoint.best_step

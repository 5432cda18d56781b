"""`train`: a configuration in, checkpoints, metrics and pictures out.

The run's folder holds `config.json`, `metrics.jsonl` (one line per step and per validation),
`last.pt`, `best.pt` (least validation error; the last weights where there is no val split),
`curve.png` and `predictions.png`. Called again with the same configuration, `train` goes on from
`last.pt`; on a CPU the result is the same to the bit as that of a run that was never interrupted.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Never

import numpy as np
import torch
from torch import nn
from tqdm import tqdm

from datagen.dataset import Window
from datagen.errors import InputError, OutputError
from datagen.store import folder_lock, write_file
from datagen.training.baselines import mean_flow
from datagen.training.checkpoint import Checkpoint, dataset_digest, load_checkpoint
from datagen.training.config import TrainConfig
from datagen.training.data import (
    TrainingWindows,
    list_segments,
    list_windows,
    training_batches,
    training_windows,
    window_samples,
)
from datagen.training.encoding import looks_back
from datagen.training.evaluate import native_protocol, save_predictions, spread
from datagen.training.losses import multiscale_flow_loss
from datagen.training.measure import NETWORK, measure
from datagen.training.metrics_log import MetricsLog
from datagen.training.models.base import build_model, scale_decay
from datagen.training.numerics import numeric_threads, seeded
from datagen.training.pictures import save_curve, smooth

WARM_UP = 0.02
"""Share of the budget over which the learning rate rises."""
FREE_FIELDS = {
    "dataset", "more_datasets", "out", "steps", "minutes", "workers", "threads", "cache_mb",
    "validate_every", "checkpoint_every", "device",
}  # fmt: skip
"""What may differ when a run is continued; data sets are compared by their digest."""
PICTURE_ROWS = 4
"""Windows on the sheet of predictions."""
BAR = "{desc} {percentage:3.0f}%|{bar}| {elapsed} {postfix}"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainResult:
    """What a run left behind."""

    out: Path
    best_checkpoint: Path
    last_checkpoint: Path
    steps: int
    seconds: float
    """Time in the loop, that before a resumption counted in."""
    best_epe: float | None
    """Least validation error [px]; None without a val split."""


@dataclass(slots=True, kw_only=True)
class Run:
    """The moving parts of a run."""

    config: TrainConfig
    digest: str
    windows: TrainingWindows
    validation: list[Window]
    model: nn.Module
    optimizer: torch.optim.Optimizer
    mean_flow: tuple[float, float]
    step: int = 0
    seconds: float = 0.0
    best_epe: float | None = None

    def done(self) -> float:
        """Share of the budget that is spent."""
        by_steps = self.step / self.config.steps if self.config.steps else 0.0
        by_time = self.seconds / 60 / self.config.minutes if self.config.minutes else 0.0
        return min(1.0, max(by_steps, by_time))

    def save(self, name: str) -> None:
        """Write a checkpoint into the run's folder."""
        Checkpoint(
            config=self.config.canonical_json(),
            dataset_digest=self.digest,
            step=self.step,
            seconds=self.seconds,
            model=self.model.state_dict(),
            optimizer=self.optimizer.state_dict(),
            mean_flow=self.mean_flow,
            best_epe=self.best_epe,
            protocol=native_protocol(self.config),
        ).save(self.config.out / name)


def train(config: TrainConfig, *, progress: bool = True) -> TrainResult:
    """Train until the budget is spent, going on from the folder's last checkpoint if there is one.

    Args:
        config: the run.
        progress: show a bar on stderr.

    Raises:
        DatasetError: a dataset cannot be read.
        InputError: there is nothing to train on, or training diverged.
        OutputError: the folder holds another run, or is in use.
    """
    with folder_lock(config.out), numeric_threads(config.threads):
        run = _open_run(config)
        with (
            MetricsLog(config.out / "metrics.jsonl", keep_to_step=run.step) as log,
            tqdm(total=1.0, desc="train", disable=not progress, bar_format=BAR) as bar,
        ):
            _optimise(run, log, bar)
        _finish(run)
    return TrainResult(
        out=config.out,
        best_checkpoint=config.out / "best.pt",
        last_checkpoint=config.out / "last.pt",
        steps=run.step,
        seconds=run.seconds,
        best_epe=run.best_epe,
    )


def _open_run(config: TrainConfig) -> Run:
    """The run at its first step, or where its last checkpoint left it."""
    windows = training_windows(config)
    with seeded(config.seed):
        model = build_model(config.model, bins=config.window.bins).to(config.device)
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay
    )
    run = Run(
        config=config,
        digest=dataset_digest(config.datasets),
        windows=windows,
        validation=list_windows(
            list_segments(config.datasets, "val"),
            [config.window.frames],
            before=looks_back(config.model),
        ),
        model=model,
        optimizer=optimizer,
        mean_flow=_mean_flow(windows),
    )
    if (config.out / "last.pt").exists():
        _resume(run, load_checkpoint(config.out / "last.pt"))
    write_file(config.out / "config.json", config.model_dump_json(indent=2).encode())
    return run


def _mean_flow(windows: TrainingWindows) -> tuple[float, float]:
    """Over the training windows of the evaluated length."""
    length = windows.config.window.frames
    data = (
        windows.cache.read(window)
        for window in windows.windows
        if window.stop - window.start == length
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
    run.step, run.seconds = checkpoint.step, checkpoint.seconds
    run.best_epe = checkpoint.best_epe


def _optimise(run: Run, log: MetricsLog, bar: tqdm[Never]) -> None:
    """Step after step until the budget is spent; always ends with a checkpoint."""
    config, begin = run.config, time.monotonic() - run.seconds
    batches = iter(training_batches(run.windows, config, first_step=run.step))
    while (done := run.done()) < 1:
        rate = learning_rate(done, config.learning_rate)
        numbers = _step(run, next(batches), rate)
        run.step += 1
        run.seconds = time.monotonic() - begin
        log.write({"step": run.step, **numbers, "seconds": round(run.seconds, 3)})
        if run.step % config.validate_every == 0:
            _validate(run, log)
        if run.step % config.checkpoint_every == 0:
            run.save("last.pt")
        bar.n = run.done()
        bar.set_postfix_str(f"step {run.step}, loss {numbers['loss']:.3f} px", refresh=False)
        bar.update(0)
    _validate(run, log)
    run.save("last.pt")


def _step(run: Run, batch: dict[str, torch.Tensor], rate: float) -> dict[str, float]:
    """One update of the weights; every batch counts or stops the run."""
    device = run.config.device
    grid, truth, valid = (batch[name].to(device) for name in ("grid", "flow", "valid"))
    for group in run.optimizer.param_groups:
        group["lr"] = rate
    decay = scale_decay(run.config.model)
    loss = multiscale_flow_loss(run.model(grid), truth, valid, decay=decay)
    run.optimizer.zero_grad(set_to_none=True)
    loss.backward()
    norm = nn.utils.clip_grad_norm_(run.model.parameters(), run.config.clip_gradient).item()
    if not math.isfinite(norm):
        raise InputError(
            f"training diverged at step {run.step + 1}: the gradient is not finite (loss "
            f"{loss.item():g}); lower `learning_rate` (now {run.config.learning_rate:g})"
        )
    run.optimizer.step()
    return {
        "loss": loss.item(),
        "learning_rate": rate,
        "gradient_norm": norm,
        "valid": valid.float().mean().item(),
    }


def _validate(run: Run, log: MetricsLog) -> None:
    """Measure on the val split, if there is one, and keep the best weights."""
    if not run.validation:
        return
    samples = window_samples(run.validation, run.config)
    errors = measure(run.model, samples, np.array(run.mean_flow))
    epe = {method: masked.dense.mean_epe() for method, masked in errors.items()}
    log.write({"step": run.step, "validation_epe": epe})
    reached = epe[NETWORK]
    if reached is not None and (run.best_epe is None or reached < run.best_epe):
        run.best_epe = reached
        run.save("best.pt")


def _finish(run: Run) -> None:
    """Best checkpoint where validation made none, and the pictures."""
    out, config = run.config.out, run.config
    if run.best_epe is None:
        run.save("best.pt")
    shown = spread(run.validation or run.windows.windows, PICTURE_ROWS)
    save_predictions(out / "predictions.png", run.model, shown, config)
    _draw_curve(out)


def _draw_curve(out: Path) -> None:
    lines = MetricsLog.read(out / "metrics.jsonl")
    losses = [(line["step"], line["loss"]) for line in lines if "loss" in line]
    smoothed = smooth([loss for _, loss in losses], window=max(1, len(losses) // 50))
    curves = {"training loss": [(step, y) for (step, _), y in zip(losses, smoothed, strict=True)]}
    for line in lines:
        for method, epe in line.get("validation_epe", {}).items():
            curves.setdefault(f"val: {method}", []).append((line["step"], epe))
    save_curve(out / "curve.png", "end-point error [px] over steps", curves)


def learning_rate(done: float, peak: float) -> float:
    """Linear warm-up, then half a cosine down to zero as `done` goes from 0 to 1."""
    if done < WARM_UP:
        return peak * (0.05 + 0.95 * done / WARM_UP)
    return peak * 0.5 * (1 + math.cos(math.pi * (done - WARM_UP) / (1 - WARM_UP)))

"""`train`: a configuration in, checkpoints, metrics and pictures out.

The run's folder holds `config.json`, `metrics.jsonl` (one line per step and per validation),
`last.pt`, `best.pt` (least validation error; the last weights where there is no val split),
`curve.png` and `predictions.png`. Called again with the same configuration, `train` goes on from
`last.pt`; on a CPU the result is the same to the bit as that of a run that was never interrupted.
"""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn

from datagen.errors import InputError
from datagen.preview.columns import spread
from datagen.progress_bar import progress_bar
from datagen.store import folder_lock
from datagen.training.average import update_average
from datagen.training.config import TrainConfig
from datagen.training.data import next_batch, training_batches, window_cases
from datagen.training.evaluate import NATIVE, save_predictions
from datagen.training.measure import NETWORK, measure, network_predictor
from datagen.training.metrics_log import MetricsLog
from datagen.training.models.base import scale_decay
from datagen.training.numerics import numeric_threads
from datagen.training.objective import training_loss
from datagen.training.pictures import save_curve, smooth
from datagen.training.ranks import Ranks, joined_ranks
from datagen.training.run import Run, open_run

WARM_UP = 0.02
"""Share of the budget over which the learning rate rises."""
PICTURE_ROWS = 4
"""Windows on the sheet of predictions."""
BAR = "{desc} {percentage:3.0f}%|{bar}| {elapsed}{postfix}"


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
    with joined_ranks(config.device) as ranks, _own_folder(config, ranks):
        run = open_run(config, ranks)
        with _log(run) as log, _bar(run, shown=progress and ranks.first) as show:
            _optimise(run, log, show)
        if ranks.first:
            _finish(run)
    return TrainResult(
        out=config.out,
        best_checkpoint=config.out / "best.pt",
        last_checkpoint=config.out / "last.pt",
        steps=run.step,
        seconds=run.seconds,
        best_epe=run.best_epe,
    )


def _optimise(run: Run, log: MetricsLog | None, show: Callable[[str], None]) -> None:
    """Step after step until the budget is spent; always ends with a checkpoint."""
    config, ranks, begin = run.config, run.ranks, time.monotonic() - run.seconds
    network = torch.compile(run.model) if config.compile else run.model
    part = slice(ranks.number, None, ranks.count)
    batches = iter(training_batches(run.windows, config, first_step=run.step, part=part))
    while (done := ranks.agreed(run.done())) < 1 and not run.out_of_patience():
        rate = learning_rate(done, config.learning_rate)
        numbers = _step(run, network, next_batch(batches), rate)
        run.step += 1
        run.seconds = time.monotonic() - begin
        if log is not None:
            log.write({"step": run.step, **numbers, "seconds": round(run.seconds, 3)})
        if run.step % config.validate_every == 0:
            _validate(run, log)
        if run.step % config.checkpoint_every == 0:
            run.save("last.pt")
        show(f"step {run.step}, loss {numbers['loss']:.3f} px")
    if run.step % config.validate_every:
        _validate(run, log)
    run.save("last.pt")


def _step(
    run: Run, network: nn.Module, batch: dict[str, torch.Tensor], rate: float
) -> dict[str, float]:
    """One update of the weights; every batch counts or stops the run."""
    config = run.config
    batch = {name: part.to(config.device, non_blocking=True) for name, part in batch.items()}
    for group in run.optimizer.param_groups:
        group["lr"] = rate
    reduced = config.precision == "bfloat16"
    with torch.autocast(config.device, torch.bfloat16, enabled=reduced):
        flows = network(batch["grid"].contiguous(memory_format=torch.channels_last))
    decay = scale_decay(config.model)
    loss = training_loss(config.objective, flows, batch, decay=decay, mean=run.ranks.mean)
    run.optimizer.zero_grad(set_to_none=True)
    loss.backward()
    run.ranks.average_gradients(run.model)
    norm = nn.utils.clip_grad_norm_(run.model.parameters(), config.clip_gradient).item()
    if not math.isfinite(norm):
        raise InputError(
            f"training diverged at step {run.step + 1}: the gradient is not finite (loss "
            f"{loss.item():g}); lower `learning_rate` (now {config.learning_rate:g})"
        )
    run.optimizer.step()
    if run.average is not None:
        update_average(run.average, run.model, config.average_decay)
    return {
        "loss": run.ranks.total(loss).item() / run.ranks.count,
        "learning_rate": rate,
        "gradient_norm": norm,
        "valid": batch["valid"].float().mean().item(),
    }


def _validate(run: Run, log: MetricsLog | None) -> None:
    """Measure on the val split, if there is one, and keep the best weights."""
    if not run.validation:
        return
    cases = window_cases(run.validation, run.config)
    predictor = network_predictor(run.network())
    found = measure(predictor, cases, np.array(run.mean_flow), NATIVE)
    epe = {method: masked.protocol.mean_epe() for method, masked in found.errors.items()}
    if log is not None:
        log.write({"step": run.step, "validation_epe": epe})
    reached = epe[NETWORK]
    if reached is not None and (run.best_epe is None or reached < run.best_epe):
        run.best_epe, run.best_step = reached, run.step
        run.save("best.pt")


def _finish(run: Run) -> None:
    """Best checkpoint where validation made none, and the pictures."""
    out, config = run.config.out, run.config
    if run.best_epe is None:
        run.save("best.pt")
    windows = run.validation or run.windows.windows
    shown = [windows[i] for i in spread(len(windows), PICTURE_ROWS)]
    save_predictions(out / "predictions.png", run.network(), shown, config)
    _draw_curve(out)


@contextlib.contextmanager
def _own_folder(config: TrainConfig, ranks: Ranks) -> Iterator[None]:
    """Hold the run's folder and compute with its number of threads."""
    lock = folder_lock(config.out) if ranks.first else contextlib.nullcontext()
    with lock, numeric_threads(config.threads):
        yield


def _log(run: Run) -> contextlib.AbstractContextManager[MetricsLog | None]:
    if not run.ranks.first:
        return contextlib.nullcontext()
    board = run.config.out / "tensorboard" if run.config.tensorboard else None
    return MetricsLog(run.config.out / "metrics.jsonl", keep_to_step=run.step, board=board)


@contextlib.contextmanager
def _bar(run: Run, *, shown: bool) -> Iterator[Callable[[str], None]]:
    """A progress bar over the budget, told a line of text at every step."""
    with progress_bar(1.0, name="train", shown=shown, form=BAR) as bar:

        def show(text: str) -> None:
            bar.n = run.done()
            bar.set_postfix_str(text, refresh=False)
            bar.update(0)

        yield show


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

"""Commands of the `train` extra: `train` and `evaluate`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Literal, get_args

import click

from datagen.cli.group import FILE, resumable
from schemas.base import Split


@click.command()
@click.argument("datasets", type=FILE, nargs=-1, required=True)
@click.option(
    "-o",
    "--out",
    type=FILE,
    required=True,
    help="Folder of the run; a run found there is continued.",
)
@click.option(
    "--minutes",
    type=float,
    default=None,
    help="Wall-clock budget; 15 when neither minutes nor steps are given, here or in --config.",
)
@click.option("--steps", type=int, default=None, help="Optimiser steps.")
@click.option(
    "--config",
    type=FILE,
    default=None,
    help="YAML of further settings (see datagen/training/config.py).",
)
@click.option(
    "--seed", type=int, default=None, help="Seed of initialisation, order and augmentation."
)
@click.option("-q", "--quiet", is_flag=True, help="No progress bar.")
def train(
    datasets: tuple[Path, ...],
    out: Path,
    minutes: float | None,
    steps: int | None,
    config: Path | None,
    seed: int | None,
    quiet: bool,
) -> None:
    """Train a flow network.

    DATASETS are folders, of which the train split is learnt; needs the `train` extra. Writes
    best.pt, last.pt, metrics.jsonl and pictures; the same command continues a run.

    \b
    Example:
      datagen train my-dataset -o my-model --minutes 3
    """
    from datagen.spec_file import load_yaml, parse_as
    from datagen.training.config import TrainConfig
    from datagen.training.loop import train as run

    given = {"minutes": minutes, "steps": steps, "seed": seed}
    settings = load_yaml(config) if config else {}
    settings |= {"dataset": datasets[0], "more_datasets": datasets[1:], "out": out}
    settings |= {name: value for name, value in given.items() if value is not None}
    if settings.get("minutes") is None and settings.get("steps") is None:
        settings["minutes"] = 15.0
    parsed = parse_as(TrainConfig, settings, source=str(config or "options"))
    with resumable():
        result = run(parsed, progress=not quiet)
    click.echo(f"{result.steps:,} steps in {result.seconds:.0f} s; {result.best_checkpoint}")


@click.command()
@click.argument("judged", type=FILE)
@click.argument("dataset", type=FILE)
@click.option(
    "--predictions",
    is_flag=True,
    help="JUDGED is a folder of flow by any network: SEGMENT/FRAME.npy or .png per window.",
)
@click.option(
    "--frames",
    type=click.IntRange(1),
    default=None,
    help="With --predictions: frame intervals per window; default: 1.",
)
@click.option("--split", type=click.Choice(get_args(Split)), default="test", show_default=True,
    help="Segments to measure on.",
)  # fmt: skip
@click.option(
    "--sensor",
    default=None,
    help="Event stream; default: the one trained on, or the first with --predictions.",
)
@click.option(
    "--protocol",
    type=click.Choice(["native", "events", "mvsec", "dsec"]),
    default="native",
    show_default=True,
    help="Which pixels make the headline, and how frames are averaged.",
)
@click.option("--car", is_flag=True, help="With mvsec: the lowest rows show the car.")
@click.option(
    "-o",
    "--out",
    type=FILE,
    default=None,
    help="Folder for report.json, report.md and predictions.png.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("-q", "--quiet", is_flag=True, help="No progress bar.")
def evaluate(
    judged: Path,
    dataset: Path,
    predictions: bool,
    frames: int | None,
    split: Split,
    sensor: str | None,
    protocol: Literal["native", "events", "mvsec", "dsec"],
    car: bool,
    out: Path | None,
    as_json: bool,
    quiet: bool,
) -> None:
    """Measure flow on a dataset, beside guesses without a network.

    JUDGED is the folder of a run or a checkpoint, DATASET a folder or one segment file. The guesses
    are zero flow, the mean flow of the train split, and the oracle translation: the mean true flow
    of each window.

    \b
    Example:
      datagen evaluate my-model my-dataset --split test
    """
    from datagen.training.evaluate import evaluate as evaluate_checkpoint
    from datagen.training.predictions import evaluate_predictions
    from datagen.training.protocols import Protocol

    if frames is not None and not predictions:
        raise click.UsageError("--frames goes with --predictions; a network has its own windows")
    if car and protocol != "mvsec":
        raise click.UsageError("--car goes with --protocol mvsec; no other leaves out rows")
    rules = Protocol(protocol, car=car)
    if predictions:
        report = evaluate_predictions(
            judged, dataset, frames=frames or 1, split=split, sensor=sensor, protocol=rules,
            out=out, progress=not quiet,
        )  # fmt: skip
    else:
        report = evaluate_checkpoint(
            judged, dataset, split=split, sensor=sensor, protocol=rules, out=out,
            progress=not quiet,
        )  # fmt: skip
    click.echo(json.dumps(report.to_dict(), indent=2) if as_json else report.to_markdown())

"""The `datagen` command: a thin face of the library.

Exit codes: 0 done, 1 a check failed (`validate`), 2 the input or the machine stopped the work.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

import click

from datagen.errors import DatagenError, ResourceError, SpecError, kind_of
from schemas.base import Split

if TYPE_CHECKING:
    from schemas.job import JobSpec

FILE = click.Path(path_type=Path)


@contextlib.contextmanager
def _memory_told() -> Iterator[None]:
    try:
        yield
    except MemoryError as error:
        raise ResourceError(
            f"out of memory: {error}; expected a smaller picture, fewer workers or a larger machine"
        ) from error


class _Group(click.Group):
    """Turns errors raised on purpose into one clear message and exit code 2."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            with _memory_told():
                return super().invoke(ctx)
        except DatagenError as error:
            click.echo(f"error: {error}", err=True)
            raise SystemExit(2) from error


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="neuromorphic-datagen")
def main() -> None:
    """Synthetic RGB, depth, flow, pose, event and spike datasets on one clock.

    \b
    A first run:
      datagen estimate examples/quickstart.yaml
      datagen generate examples/quickstart.yaml -o my-dataset
      datagen validate my-dataset
      datagen train my-dataset -o my-model --minutes 3
      datagen evaluate my-model/best.pt my-dataset --split test
    """


@main.command()
@click.argument("spec", type=FILE)
@click.option("-o", "--out", type=FILE, required=True, help="Dataset folder to create or resume.")
@click.option(
    "-j",
    "--workers",
    type=click.IntRange(1, 256),
    default=None,
    help="Worker processes; default: one per core.",
)
@click.option(
    "--chunk-frames",
    type=click.IntRange(1, 10_000),
    default=None,
    help="Frames between two seals: the most work lost in a crash.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
@click.option("-q", "--quiet", is_flag=True, help="No progress bar.")
def generate(
    spec: Path, out: Path, workers: int | None, chunk_frames: int | None, as_json: bool, quiet: bool
) -> None:
    """Render SPEC (YAML or JSON) into a dataset folder.

    Interrupted at any point, the same command goes on where it stopped; the result is the same to
    the byte, whatever the number of workers.
    """
    from datagen.pipeline.job import generate as run
    from datagen.pipeline.job import open_job
    from datagen.pipeline.progress import JobProgress
    from datagen.pipeline.worker import CHUNK_FRAMES

    job = open_job(spec)
    with JobProgress(job.spec, quiet=quiet) as progress:
        run(
            job,
            out,
            workers=workers or os.cpu_count() or 1,
            chunk_frames=chunk_frames or CHUNK_FRAMES,
            on_report=progress,
        )
    summary = progress.summary(out)
    click.echo(json.dumps(summary, indent=2) if as_json else progress.describe(out))


@main.command()
@click.argument("spec", type=FILE)
@click.option(
    "-j",
    "--workers",
    type=click.IntRange(1, 256),
    default=None,
    help="Worker processes to plan for; default: one per core.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def estimate(spec: Path, workers: int | None, as_json: bool) -> None:
    """Say what SPEC will cost: frames, pictures, bytes, time. Renders a small sample to know."""
    from datagen.pipeline.estimate import estimate as run
    from datagen.pipeline.job import open_job

    result = run(open_job(spec), workers=workers or os.cpu_count() or 1)
    click.echo(result.model_dump_json(indent=2) if as_json else result.describe())


@main.command()
@click.argument("dataset", type=FILE)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def validate(dataset: Path, as_json: bool) -> None:
    """Check every promise of a dataset folder or segment file, physics included."""
    from datagen.validate import validate as run

    report = run(dataset)
    click.echo(report.to_json() if as_json else report.describe())
    if not report.passed:
        raise SystemExit(1)


@main.command()
@click.argument("dataset", type=FILE)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def inspect(dataset: Path, as_json: bool) -> None:
    """Show what a dataset folder or segment file holds."""
    from datagen.inspect import describe, inspect_dataset

    entries = inspect_dataset(dataset)
    click.echo(json.dumps(entries, indent=2) if as_json else describe(entries))


@main.command()
@click.argument("dataset", type=FILE)
@click.option(
    "-o",
    "--out",
    type=FILE,
    default=None,
    help="Folder for the pictures; default: previews/ in the dataset.",
)
def preview(dataset: Path, out: Path | None) -> None:
    """Draw contact sheets and animations of a dataset folder or segment file."""
    from datagen.dataset import open_dataset
    from datagen.preview import write_previews

    folder = out or (dataset if dataset.is_dir() else dataset.parent) / "previews"
    with open_dataset(dataset) as opened:
        for segment in opened.segments:
            for path in write_previews(segment.path, folder):
                click.echo(path)


@main.command()
@click.argument("dataset", type=FILE)
@click.option(
    "--format", "kind", required=True, metavar="NAME", help="Format; docs/export.md lists them."
)
@click.option("-o", "--out", type=FILE, required=True, help="Folder for the files.")
@click.option("--sensor", default=None, help="Name of the sensor; default: the first that fits.")
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="OPTION=VALUE",
    help="An option of the format, such as flipud=false; may be given again.",
)
def export(
    dataset: Path, kind: str, out: Path, sensor: str | None, settings: tuple[str, ...]
) -> None:
    """Write DATASET, a folder or segment file, in the format of another project."""
    from datagen.export.base import export_dataset, parse_export, parse_settings

    options = {"kind": kind, "sensor": sensor, **parse_settings(settings)}
    for path in export_dataset(dataset, parse_export(options), out):
        click.echo(path)


@main.group()
def events() -> None:
    """Events from pictures that were not generated here."""


@events.command("from-video")
@click.argument("source", type=FILE)
@click.option("-o", "--out", type=FILE, required=True, help="Folder for the file.")
@click.option(
    "--format", "kind", default="v2e_h5", show_default=True, metavar="NAME",
    help="An event format of docs/export.md.",
)  # fmt: skip
@click.option("--fps", type=float, default=None, help="Frames per second.")
@click.option(
    "--timestamps", type=FILE, default=None,
    help="Text file: a line per picture that ends with its time in seconds.",
)  # fmt: skip
@click.option("--preset", default="clean", show_default=True, help="Preset of the event camera.")
@click.option(
    "--camera", "camera_settings", multiple=True, metavar="OPTION=VALUE",
    help="A setting of the event camera, such as threshold_on=0.15; may be given again.",
)  # fmt: skip
@click.option(
    "--set", "settings", multiple=True, metavar="OPTION=VALUE", help="An option of the format."
)
@click.option(
    "--transfer", type=click.Choice(["codes", "srgb"]), default="codes", show_default=True,
    help="Take the pictures' numbers as luminance, as v2e does, or undo sRGB's curve.",
)  # fmt: skip
@click.option("--seed", type=click.IntRange(0), default=0, help="Seed of mismatch and noise.")
def from_video(
    source: Path,
    out: Path,
    kind: str,
    fps: float | None,
    timestamps: Path | None,
    preset: str,
    camera_settings: tuple[str, ...],
    settings: tuple[str, ...],
    transfer: Literal["codes", "srgb"],
    seed: int,
) -> None:
    """Turn SOURCE, a video file or a folder of pictures, into a file of events.

    A folder's pictures are taken in the order of their names; their times come from
    timestamps.txt in it, --timestamps or --fps. Video files need the `video` extra.
    """
    from datagen.export.base import parse_settings
    from datagen.video.command import events_from_video

    path = events_from_video(
        source, out, form={"kind": kind, **parse_settings(settings)},
        camera={"preset": preset, **parse_settings(camera_settings)},
        fps=fps, stamps=timestamps, transfer=transfer, seed=seed,
    )  # fmt: skip
    click.echo(path)


@main.command()
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
    help="Wall-clock budget; 15 when neither this nor --steps is given.",
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
    """Train a flow network on the train split of DATASETS. Needs the `train` extra.

    Writes best.pt, last.pt, metrics.jsonl and pictures; the same command continues a run.
    """
    from datagen.spec_file import load_yaml, parse_as
    from datagen.training.config import TrainConfig
    from datagen.training.loop import train as run

    given = {"minutes": minutes, "steps": steps, "seed": seed}
    if minutes is None and steps is None:
        given["minutes"] = 15.0
    settings = load_yaml(config) if config else {}
    settings |= {"dataset": datasets[0], "more_datasets": datasets[1:], "out": out}
    settings |= {name: value for name, value in given.items() if value is not None}
    result = run(
        parse_as(TrainConfig, settings, source=str(config or "options")), progress=not quiet
    )
    click.echo(f"{result.steps:,} steps in {result.seconds:.0f} s; {result.best_checkpoint}")


@main.command()
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
    default=1,
    show_default=True,
    help="With --predictions: frame intervals per window.",
)
@click.option("--split", type=click.Choice(get_args(Split)), default="test", show_default=True)
@click.option("--sensor", default=None, help="Event stream; default: the one trained on.")
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
    frames: int,
    split: Split,
    sensor: str | None,
    protocol: Literal["native", "events", "mvsec", "dsec"],
    car: bool,
    out: Path | None,
    as_json: bool,
    quiet: bool,
) -> None:
    """Measure the flow of JUDGED, a checkpoint, on DATASET beside guesses without a network.

    These are zero flow, the mean flow of the train split, and the oracle translation: the mean
    true flow of each window.
    """
    from datagen.training.evaluate import evaluate as evaluate_checkpoint
    from datagen.training.predictions import evaluate_predictions
    from datagen.training.protocols import Protocol

    rules = Protocol(protocol, car=car)
    if predictions:
        report = evaluate_predictions(
            judged, dataset, frames=frames, split=split, protocol=rules, out=out, progress=not quiet
        )
    else:
        report = evaluate_checkpoint(
            judged, dataset, split=split, sensor=sensor, protocol=rules, out=out,
            progress=not quiet,
        )  # fmt: skip
    click.echo(json.dumps(report.to_dict(), indent=2) if as_json else report.to_markdown())


@main.group()
def doctor() -> None:
    """Examine what this machine renders with."""


@doctor.command("isaac")
@click.option(
    "-o", "--out", type=FILE, required=True, help="Folder for report, pictures and profile."
)
@click.option("--renderer", default="{}", help="Renderer of the job as JSON; default: as it is.")
def doctor_isaac(out: Path, renderer: str) -> None:
    """Settle what is only documented of Isaac Sim, on this machine (docs/isaac.md)."""
    from datagen.render.isaac.doctor.examine import examine
    from datagen.render.isaac.installation import find_installation
    from datagen.spec_file import parse_as
    from schemas.render import IsaacRendererSpec

    try:
        given = json.loads(renderer)
    except ValueError as error:
        raise SpecError(f"--renderer: not valid JSON: {error}") from error
    spec = parse_as(IsaacRendererSpec, given, source="--renderer")
    result = examine(find_installation(os.environ), spec, out)
    click.echo(result.describe())
    if not result.passed:
        raise SystemExit(1)


@main.command()
def schema() -> None:
    """Print the JSON Schema of a job spec."""
    from schemas.job import JobSpec

    click.echo(json.dumps(JobSpec.model_json_schema(), indent=2))


@main.command("prepare-job", hidden=True)
@click.argument("spec", type=FILE)
@click.argument("out", type=FILE)
@click.option("--supervised", is_flag=True, help="End when standard input closes.")
def prepare_job(spec: Path, out: Path, supervised: bool) -> None:
    """Check everything that can be wrong with SPEC and get OUT ready for `run-segment`."""
    from datagen.pipeline.job import open_job, prepare, read_manifest
    from datagen.pipeline.layout import WORK
    from datagen.store import folder_lock

    with _as_worker(supervised):
        if read_manifest(out) is None:
            with folder_lock(out / WORK):
                prepare(open_job(spec), out)
        _report({"event": "prepared"})


@main.command("run-segment", hidden=True)
@click.argument("out", type=FILE)
@click.argument("index", type=int)
@click.option("--base-dir", type=FILE, required=True)
@click.option("--chunk-frames", type=click.IntRange(1, 10_000), required=True)
@click.option("--threads", type=click.IntRange(1, 1024), default=1)
@click.option("--supervised", is_flag=True, help="End when standard input closes.")
def run_segment(
    out: Path, index: int, base_dir: Path, chunk_frames: int, threads: int, supervised: bool
) -> None:
    """Bring one segment of the job in OUT to its file; progress as JSON lines on standard output."""
    from datagen.pipeline.worker import run_segment as run
    from datagen.plan import plan_job

    with _as_worker(supervised):
        spec = _held_spec(out)
        plan = plan_job(spec)[index]
        run(
            spec, plan, out=out, base_dir=base_dir, chunk_frames=chunk_frames, threads=threads,
            report=_report,
        )  # fmt: skip
        _report({"event": "sealed"})


@main.command("finish-job", hidden=True)
@click.argument("out", type=FILE)
@click.option("--supervised", is_flag=True, help="End when standard input closes.")
def finish_job(out: Path, supervised: bool) -> None:
    """Describe the dataset in OUT, whose segments are all there, and list its files."""
    from datagen.archive import digest_folder
    from datagen.pipeline.job import UnverifiedError, finish

    with _as_worker(supervised):
        spec = _held_spec(out)
        try:
            finish(spec, out)
        except UnverifiedError as error:
            _report({"event": "unverified", "segments": error.segments})
            return
        found = digest_folder(out, folder=spec.name)
        files = [
            {"name": name, "size": size, "sha256": digest} for name, size, digest in found.files
        ]
        _report({"event": "described", "files": files, "archive_sha256": found.archive_sha256})


def _held_spec(out: Path) -> JobSpec:
    from datagen.pipeline.layout import JOB
    from datagen.spec_file import parse_as
    from schemas.job import JobSpec

    held = json.loads((out / JOB).read_text(encoding="utf-8"))
    return parse_as(JobSpec, held["spec"], source=JOB)


@contextlib.contextmanager
def _as_worker(supervised: bool) -> Iterator[None]:
    """Report errors raised on purpose; do not outlive the supervisor."""
    if supervised:
        threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        with _memory_told():
            yield
    except DatagenError as error:
        _report({"event": "error", "kind": kind_of(error), "message": str(error)})
        raise SystemExit(2) from error


def _report(report: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(report) + "\n")
    sys.stdout.flush()


def _end_with_parent() -> None:
    while os.read(0, 4096):  # not sys.stdin: its lock would be held at interpreter shutdown
        pass
    os._exit(1)

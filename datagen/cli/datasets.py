"""Commands about a dataset: estimate, generate, validate, inspect, preview; and the schema of a job."""

from __future__ import annotations

import json
import os
from pathlib import Path

import click

from datagen.cli.group import FILE, resumable


@click.command()
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
    default=8,
    show_default=True,
    help="Frames between two seals: the most work lost in a crash.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
@click.option("-q", "--quiet", is_flag=True, help="No progress bar.")
def generate(
    spec: Path, out: Path, workers: int | None, chunk_frames: int, as_json: bool, quiet: bool
) -> None:
    """Render a job into a dataset folder.

    SPEC is a job in YAML or JSON; docs/job.md has every field of it. Interrupted at any point, the
    same command goes on where it stopped; the result is the same to the byte, whatever the number
    of workers.

    \b
    Example:
      datagen generate examples/quickstart.yaml -o my-dataset
    """
    from datagen.pipeline.job import generate as run
    from datagen.pipeline.job import open_job
    from datagen.pipeline.progress import JobProgress

    job = open_job(spec)
    with resumable(), JobProgress(job.spec, quiet=quiet) as progress:
        run(
            job,
            out,
            workers=workers or os.cpu_count() or 1,
            chunk_frames=chunk_frames,
            on_report=progress,
        )
    summary = progress.summary(out)
    click.echo(json.dumps(summary, indent=2) if as_json else progress.describe(out))


@click.command()
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
    """Say what a job will cost: frames, pictures, bytes, time.

    SPEC is a job in YAML or JSON; a small sample of it is rendered.

    \b
    Example:
      datagen estimate examples/quickstart.yaml
    """
    from datagen.pipeline.estimate import estimate as run
    from datagen.pipeline.job import open_job

    result = run(open_job(spec), workers=workers or os.cpu_count() or 1)
    click.echo(result.model_dump_json(indent=2) if as_json else result.describe())


@click.command()
@click.argument("dataset", type=FILE)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def validate(dataset: Path, as_json: bool) -> None:
    """Check every promise of a dataset, physics included.

    DATASET is a folder or one segment file. Ends with code 1 if a check fails.

    \b
    Example:
      datagen validate my-dataset
    """
    from datagen.validate import validate as run

    report = run(dataset)
    click.echo(report.to_json() if as_json else report.describe())
    if not report.passed:
        raise SystemExit(1)


@click.command()
@click.argument("dataset", type=FILE)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def inspect(dataset: Path, as_json: bool) -> None:
    """Show what a dataset holds.

    DATASET is a folder or one segment file.

    \b
    Example:
      datagen inspect my-dataset
    """
    from datagen.inspect import describe, inspect_dataset

    entries = inspect_dataset(dataset)
    click.echo(json.dumps(entries, indent=2) if as_json else describe(entries))


@click.command()
@click.argument("dataset", type=FILE)
@click.option(
    "-o",
    "--out",
    type=FILE,
    default=None,
    help="Folder for the pictures; default: previews/ in the dataset.",
)
def preview(dataset: Path, out: Path | None) -> None:
    """Draw contact sheets and animations of a dataset.

    DATASET is a folder or one segment file.

    \b
    Example:
      datagen preview my-dataset
    """
    from datagen.dataset import open_dataset
    from datagen.preview import write_previews

    folder = out or (dataset if dataset.is_dir() else dataset.parent) / "previews"
    with open_dataset(dataset) as opened:
        for segment in opened.segments:
            for path in write_previews(segment.path, folder):
                click.echo(path)


@click.command()
def schema() -> None:
    """Print the JSON Schema of a job: every field, its unit and meaning.

    \b
    Example:
      datagen schema > job.schema.json
    """
    from schemas.job import JobSpec

    click.echo(json.dumps(JobSpec.model_json_schema(), indent=2))

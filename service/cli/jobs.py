"""Commands of who uses a service: `submit`, `jobs`, `watch`, `cancel`, `download`."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from datagen.cli.group import FILE, INTERRUPTED
from datagen.errors import InputError
from service.cli.connect import connected, key_option, url_option
from service.states import JobState

if TYPE_CHECKING:
    from service.client import Client
    from service.models import JobView

FAILED = 1


def _id_of(*kinds: str) -> Callable[[click.Context, click.Parameter, str], str]:
    """A check of an argument: an id of one of these kinds."""

    def check(_context: click.Context, _parameter: click.Parameter, value: str) -> str:
        if not re.fullmatch(rf"({'|'.join(kinds)})_[0-9a-f]{{32}}", value):
            forms = " or ".join(f"{kind}_<32 hex digits>" for kind in kinds)
            raise click.BadParameter(f"{value!r}; expected {forms}, as `datagen jobs` lists them")
        return value

    return check


@click.command()
@click.argument("spec", type=FILE)
@url_option
@key_option
@click.option(
    "--idempotency-key",
    default=None,
    help="Any text; sent again with the same job, it makes no second one.",
)
@click.option("--wait", is_flag=True, help="Show progress until it is finished.")
@click.option(
    "-o", "--out", type=FILE, default=None, help="Wait, and download the dataset into this folder."
)
@click.option("--json", "as_json", is_flag=True, help="Print the job as JSON.")
def submit(
    spec: Path,
    url: str,
    key: str | None,
    idempotency_key: str | None,
    wait: bool,
    out: Path | None,
    as_json: bool,
) -> None:
    """Submit a job to a service.

    SPEC is a job in YAML or JSON; the scene and the recordings that it names go with it.

    \b
    Example:
      datagen submit examples/quickstart.yaml -o my-dataset
    """
    if out is not None:
        _refuse_taken(out)
    with connected(url, key) as client:
        job = client.submit(spec, key=idempotency_key)
        waited = wait or out is not None
        if waited:
            job = _wait(client, job.id, quiet=as_json)
        click.echo(job.model_dump_json(indent=2) if as_json else _line(job))
        if out is not None and job.dataset is not None:
            click.echo(_download(client, job.dataset, out, quiet=as_json), err=as_json)
    if job.error is not None or (waited and job.state is not JobState.SUCCEEDED):
        raise SystemExit(FAILED)


@click.command("jobs")
@url_option
@key_option
@click.option(
    "--state", "states", multiple=True, type=click.Choice(JobState, case_sensitive=False),
    help="Only jobs in this state; may be given again.",
)  # fmt: skip
@click.option(
    "-n", "--limit", type=click.IntRange(1), default=20, show_default=True, help="Jobs at most."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_jobs(
    url: str, key: str | None, states: tuple[JobState, ...], limit: int, as_json: bool
) -> None:
    """List jobs, the newest first.

    \b
    Example:
      datagen jobs --state running
    """
    from itertools import islice

    with connected(url, key) as client:
        found = list(islice(client.jobs(states=list(states)), limit))
    if as_json:
        click.echo(json.dumps([job.model_dump(mode="json") for job in found], indent=2))
        return
    if not found:
        click.echo("no such jobs" if states else "no jobs", err=True)
    for job in found:
        click.echo(_line(job))


@click.command()
@click.argument("job_id", callback=_id_of("job"))
@url_option
@key_option
def watch(job_id: str, url: str, key: str | None) -> None:
    """Show the progress of a job until it is finished.

    JOB_ID is as `datagen jobs` lists it. Ends with code 1 when the job failed or was cancelled.

    \b
    Example:
      datagen watch job_4f1c2d9e4f1c2d9e4f1c2d9e4f1c2d9e
    """
    with connected(url, key) as client:
        job = _watch(client, job_id, quiet=False)
    click.echo(_line(job))
    if job.state is not JobState.SUCCEEDED:
        raise SystemExit(FAILED)


@click.command()
@click.argument("job_id", callback=_id_of("job"))
@url_option
@key_option
def cancel(job_id: str, url: str, key: str | None) -> None:
    """Cancel a job; what it has sealed is kept.

    JOB_ID is as `datagen jobs` lists it.

    \b
    Example:
      datagen cancel job_4f1c2d9e4f1c2d9e4f1c2d9e4f1c2d9e
    """
    with connected(url, key) as client:
        click.echo(_line(client.cancel(job_id)))


@click.command()
@click.argument("source", callback=_id_of("job", "dataset"))
@click.option("-o", "--out", type=FILE, required=True, help="Folder to create or complete.")
@url_option
@key_option
@click.option("-q", "--quiet", is_flag=True, help="No progress bar.")
def download(source: str, out: Path, url: str, key: str | None, quiet: bool) -> None:
    """Download a dataset; verified, and resumed when repeated.

    SOURCE is the id of the dataset or of its job.

    \b
    Example:
      datagen download job_4f1c2d9e4f1c2d9e4f1c2d9e4f1c2d9e -o my-dataset
    """
    with connected(url, key) as client:
        click.echo(_download(client, _dataset_of(client, source), out, quiet=quiet))


def _dataset_of(client: Client, source: str) -> str:
    """The id of a dataset, also by its job's."""
    if source.startswith("dataset_"):
        return source
    job = client.job(source)
    if job.dataset is None:
        raise InputError(f"{job.id} is {job.state}; only a job that SUCCEEDED has a dataset")
    return job.dataset


def _refuse_taken(out: Path) -> None:
    """Raise OutputError before a job is made whose dataset could not be downloaded."""
    from datagen.pipeline.layout import JOB
    from service.client.folder import refuse_foreign_folder

    if not (out / JOB).exists():  # with it, it may be a download to go on with
        refuse_foreign_folder(out, [])


def _line(job: JobView) -> str:
    share = f"{job.frames_done:,}/{job.frames:,} frames"
    more = job.dataset or (job.error.message if job.error else job.waiting_for and f"waits for {job.waiting_for}")  # fmt: skip
    return "  ".join(part for part in (job.id, f"{job.state:10}", job.name, share, more) if part)


def _wait(client: Client, job_id: str, *, quiet: bool) -> JobView:
    """Watch, and say to who interrupts where to find the job again."""
    try:
        return _watch(client, job_id, quiet=quiet)
    except KeyboardInterrupt as interrupt:
        click.echo(f"\nthe job goes on: datagen watch {job_id}", err=True)
        raise SystemExit(INTERRUPTED) from interrupt


def _watch(client: Client, job_id: str, *, quiet: bool) -> JobView:
    from datagen.progress_bar import progress_bar

    job = client.job(job_id)
    with progress_bar(job.frames, name=job.name, unit="frame", shown=not quiet) as bar:
        for event in client.watch(job_id):
            if event.type == "progress":
                bar.update(int(event.data["job_frames_done"]) - bar.n)
            elif event.type == "state":
                bar.set_postfix_str(str(event.data["state"]))
        job = client.job(job_id)
        bar.update(job.frames_done - bar.n)
    return job


def _download(client: Client, dataset_id: str, out: Path, *, quiet: bool) -> str:
    """Bring a dataset; what came, in a line."""
    from datagen.progress_bar import progress_bar

    here: dict[str, int] = {}
    total = client.dataset(dataset_id).bytes
    with progress_bar(total, name=out.name, unit="B", unit_scale=True, shown=not quiet) as bar:

        def on_progress(name: str, so_far: int, _size: int) -> None:
            here[name] = so_far
            bar.update(sum(here.values()) - bar.n)

        done = client.download(dataset_id, out, on_progress=on_progress)
    return f"{out}: {len(done.files)} files verified, {done.bytes_received:,} bytes received"

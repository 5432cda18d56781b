"""The `datagen` command with the service: `serve`, `keys`, and the client's verbs.

The core's commands are in `datagen.cli`, which knows nothing of a service. Everything heavy is
imported inside the command that needs it.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from datagen.cli import main
from datagen.errors import DatagenError, InputError

if TYPE_CHECKING:
    from service.client import Client
    from service.ledger import Database
    from service.models import JobView
    from service.settings import Settings

FILE = click.Path(path_type=Path)
FAILED = 1
UNAUTHORIZED = 401

_url = click.option(
    "--url",
    envvar="DATAGEN_URL",
    default="http://127.0.0.1:8000",
    show_default=True,
    help="Of the service [DATAGEN_URL].",
)
_key = click.option("--key", envvar="DATAGEN_KEY", default=None, help="API key [DATAGEN_KEY].")
_data = click.option(
    "--data", type=FILE, default=None, help="Folder of everything it keeps [DATAGEN_DATA]."
)


def _settings(**overrides: Any) -> Settings:
    _need_extra()
    from service.settings import settings_from

    return settings_from(os.environ, **overrides)


def _need_extra() -> None:
    try:
        import fastapi  # noqa: F401
        import httpx  # noqa: F401
        import sqlalchemy  # noqa: F401
    except ImportError as error:
        raise DatagenError(
            f"{error.name} is not installed: the service is an extra; "
            "pip install 'neuromorphic-datagen[service]'"
        ) from error


@contextmanager
def _client(url: str, key: str | None) -> Iterator[Client]:
    _need_extra()
    import httpx

    from service.client import Client, ServiceError

    try:
        with Client(url, key) as client:
            yield client
    except ServiceError as error:
        if error.status != UNAUTHORIZED:
            raise
        seen = "does not know this API key" if key else "asks for an API key"
        raise InputError(f"{url}: {seen}; give --key or set DATAGEN_KEY") from error
    except httpx.TransportError as error:
        raise DatagenError(
            f"{url}: cannot be reached ({error}); start it with `datagen serve`, or give --url"
        ) from error


@contextmanager
def _ledger(settings: Settings) -> Iterator[Database]:
    from service.ledger import open_database

    if not settings.database_url and not settings.data.is_dir():
        raise InputError(f"{settings.data}: no such folder; expected that of a service (--data)")
    database = open_database(settings.ledger_url)
    try:
        yield database
    finally:
        database.close()


def _id_of(*kinds: str) -> Callable[[click.Context, click.Parameter, str], str]:
    """A check of an argument: an id of one of these kinds."""

    def check(_context: click.Context, _parameter: click.Parameter, value: str) -> str:
        if not re.fullmatch(rf"({'|'.join(kinds)})_[0-9a-f]{{32}}", value):
            forms = " or ".join(f"{kind}_<32 hex digits>" for kind in kinds)
            raise click.BadParameter(f"{value!r}; expected {forms}, as `datagen jobs` lists them")
        return value

    return check


@main.command()
@_data
@click.option("--host", default=None, help="Address to listen on [DATAGEN_HOST].")
@click.option("--port", type=int, default=None, help="Port to listen on [DATAGEN_PORT].")
@click.option(
    "--api-only", is_flag=True, help="Leave dispatching to a `datagen dispatch` elsewhere."
)
def serve(data: Path | None, host: str | None, port: int | None, api_only: bool) -> None:
    """Serve jobs over REST with a page in the browser. All settings: docs/service.md."""
    settings = _settings(data=data, host=host, port=port)
    from service.server import serve as run

    click.echo(
        f"http://{settings.host}:{settings.port}  data in {settings.data.resolve()}", err=True
    )
    run(settings, dispatch=not api_only)


@main.command()
@_data
def dispatch(data: Path | None) -> None:
    """Only dispatch: run the workers of a `datagen serve --api-only` on the same data folder."""
    settings = _settings(data=data)
    from service.dispatch.process import run

    run(settings)


@main.command()
@click.argument("spec", type=FILE)
@_url
@_key
@click.option("--idempotency-key", default=None, help="The same key and job give the same job.")
@click.option("--wait", is_flag=True, help="Show progress until it is finished.")
@click.option(
    "-o", "--out", type=FILE, default=None, help="With --wait: download the dataset here."
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
    """Submit SPEC (YAML or JSON) to a service, with the scene and recordings that it names."""
    with _client(url, key) as client:
        job = client.submit(spec, key=idempotency_key)
        if wait or out is not None:
            job = _watch(client, job.id, quiet=as_json)
        click.echo(job.model_dump_json(indent=2) if as_json else _line(job))
        if out is not None and job.dataset is not None:
            _download(client, job.dataset, out, quiet=as_json)
    if job.error is not None:
        raise SystemExit(FAILED)


@main.command("jobs")
@_url
@_key
@click.option("--state", "states", multiple=True, help="Only these states.")
@click.option("-n", "--limit", type=click.IntRange(1), default=20, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_jobs(
    url: str, key: str | None, states: tuple[str, ...], limit: int, as_json: bool
) -> None:
    """List jobs, the newest first."""
    from itertools import islice

    with _client(url, key) as client:
        found = list(islice(client.jobs(states=[s.upper() for s in states]), limit))
    if as_json:
        click.echo(json.dumps([job.model_dump(mode="json") for job in found], indent=2))
        return
    for job in found:
        click.echo(_line(job))


@main.command()
@click.argument("job_id", callback=_id_of("job"))
@_url
@_key
def watch(job_id: str, url: str, key: str | None) -> None:
    """Show the progress of a job until it is finished."""
    with _client(url, key) as client:
        job = _watch(client, job_id, quiet=False)
    click.echo(_line(job))
    if job.error is not None:
        raise SystemExit(FAILED)


@main.command()
@click.argument("job_id", callback=_id_of("job"))
@_url
@_key
def cancel(job_id: str, url: str, key: str | None) -> None:
    """Cancel a job; what it has sealed is kept."""
    with _client(url, key) as client:
        click.echo(_line(client.cancel(job_id)))


@main.command()
@click.argument("source", callback=_id_of("job", "dataset"))
@click.option("-o", "--out", type=FILE, required=True, help="Folder to create or complete.")
@_url
@_key
@click.option("-q", "--quiet", is_flag=True, help="No progress bar.")
def download(source: str, out: Path, url: str, key: str | None, quiet: bool) -> None:
    """Download the dataset of SOURCE, a job's or dataset's id; verified, resumed when repeated."""
    with _client(url, key) as client:
        _download(client, source.replace("job_", "dataset_"), out, quiet=quiet)


@main.group("keys")
def keys_group() -> None:
    """API keys of the service on this machine's data folder."""


@keys_group.command("create")
@_data
@click.option("--owner", default=None, help="Whose jobs it sees; default: an owner of its own.")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    type=click.Choice(["read", "submit", "admin"]),
    default=["submit"],
    show_default=True,
)
def create_key(data: Path | None, owner: str | None, scopes: tuple[str, ...]) -> None:
    """Make an API key and print it, once: only its digest is kept."""
    settings = _settings(data=data)
    from service.clock import now_ms
    from service.folders import make_data_folder
    from service.ledger import keys

    if owner is not None and not keys.OWNER.fullmatch(owner):
        raise InputError(f"owner {owner!r}; expected letters, digits and . _ - @, at most 64")
    make_data_folder(settings.data)
    with _ledger(settings) as database, database.write() as connection:
        wanted = frozenset(keys.Scope(scope) for scope in scopes)
        key_id, key = keys.create(connection, owner=owner, scopes=wanted, now=now_ms())
    click.echo(f"key {key_id} for owner {owner or key_id}, scopes {' '.join(scopes)}", err=True)
    click.echo(key)


@keys_group.command("list")
@_data
def list_keys(data: Path | None) -> None:
    """List keys: id, owner, scopes, state."""
    settings = _settings(data=data)
    from service.ledger import keys

    with _ledger(settings) as database, database.read() as connection:
        found = keys.all_keys(connection)
    for row in found:
        state = "in force" if row.revoked_ms is None else "revoked"
        click.echo(f"{row.id}  {row.owner:20}  {row.scopes:18}  {state}")


@keys_group.command("revoke")
@_data
@click.argument("key_id")
def revoke_key(data: Path | None, key_id: str) -> None:
    """End a key and its browser sessions at once."""
    settings = _settings(data=data)
    from service.clock import now_ms
    from service.ledger import keys

    with _ledger(settings) as database, database.write() as connection:
        keys.revoke(connection, key_id, now=now_ms())
    click.echo(f"{key_id} is revoked")


def _line(job: JobView) -> str:
    share = f"{job.frames_done:,}/{job.frames:,} frames"
    more = job.dataset or (job.error.message if job.error else job.waiting_for and f"waits for {job.waiting_for}")  # fmt: skip
    return "  ".join(part for part in (job.id, f"{job.state:10}", job.name, share, more) if part)


def _watch(client: Client, job_id: str, *, quiet: bool) -> JobView:
    from tqdm import tqdm

    job = client.job(job_id)
    with tqdm(total=job.frames, unit="frame", desc=job.name, disable=quiet) as bar:
        for event in client.watch(job_id):
            if event.type == "progress":
                bar.n = int(event.data["job_frames_done"])
                bar.refresh()
            elif event.type == "state":
                bar.set_postfix_str(str(event.data["state"]))
        job = client.job(job_id)
        bar.n = job.frames_done
        bar.refresh()
    return job


def _download(client: Client, dataset_id: str, out: Path, *, quiet: bool) -> None:
    from tqdm import tqdm

    here: dict[str, int] = {}
    total = client.dataset(dataset_id).bytes
    with tqdm(total=total, unit="B", unit_scale=True, desc=out.name, disable=quiet) as bar:

        def on_progress(name: str, so_far: int, _size: int) -> None:
            here[name] = so_far
            bar.n = sum(here.values())
            bar.refresh()

        done = client.download(dataset_id, out, on_progress=on_progress)
    click.echo(f"{out}: {len(done.files)} files verified, {done.bytes_received:,} bytes received")


if __name__ == "__main__":
    main()

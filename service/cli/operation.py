"""Commands of who runs a service: `serve`, `dispatch`, and `keys` for its users."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from datagen.cli.group import FILE
from datagen.errors import InputError
from service.cli.connect import need_extra

if TYPE_CHECKING:
    from service.ledger import Database
    from service.settings import Settings

data_option = click.option(
    "--data",
    type=FILE,
    default=None,
    help="Folder of everything it keeps; default: datagen-data [DATAGEN_DATA].",
)


def _settings(**overrides: Any) -> Settings:
    need_extra()
    from service.settings import settings_from, unknown_names

    settings = settings_from(os.environ, **overrides)
    for name in unknown_names(os.environ):
        click.echo(f"warning: {name} is no setting; docs/service.md lists them", err=True)
    return settings


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


@click.command()
@data_option
@click.option(
    "--host", default=None, help="Address to listen on; default: 127.0.0.1 [DATAGEN_HOST]."
)
@click.option(
    "--port",
    type=int,
    default=None,
    help="Port to listen on; default: 8000, 0 takes a free one [DATAGEN_PORT].",
)
@click.option(
    "--api-only", is_flag=True, help="Leave dispatching to a `datagen dispatch` elsewhere."
)
def serve(data: Path | None, host: str | None, port: int | None, api_only: bool) -> None:
    """Serve jobs over REST and pages in the browser.

    docs/service.md has every other setting, as a variable.

    \b
    Example:
      datagen serve --port 8080
    """
    settings = _settings(data=data, host=host, port=port)
    from service.server import serve as run

    def announce(url: str) -> None:
        click.echo(f"{url}  data in {settings.data.resolve()}", err=True)

    run(settings, announce=announce, dispatch=not api_only)


@click.command()
@data_option
def dispatch(data: Path | None) -> None:
    """Run the workers of a service that serves only.

    That is `datagen serve --api-only`, on the same data folder.

    \b
    Example:
      datagen dispatch --data datagen-data
    """
    settings = _settings(data=data)
    from service.dispatch.process import run

    run(settings)


@click.group("keys")
def keys_group() -> None:
    """API keys of the service on this machine's data folder."""


@keys_group.command("create")
@data_option
@click.option("--owner", default=None, help="Whose jobs it sees; default: an owner of its own.")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    type=click.Choice(["read", "submit", "admin"]),
    default=["submit"],
    show_default=True,
    help="What it allows: submit includes read, admin all; may be given again.",
)
def create_key(data: Path | None, owner: str | None, scopes: tuple[str, ...]) -> None:
    """Make an API key and print it, once: only its digest is kept.

    \b
    Example:
      datagen keys create --owner ann --scope submit
    """
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
@data_option
def list_keys(data: Path | None) -> None:
    """List keys: id, owner, scopes, state.

    \b
    Example:
      datagen keys list
    """
    settings = _settings(data=data)
    from service.ledger import keys

    with _ledger(settings) as database, database.read() as connection:
        found = keys.all_keys(connection)
    for row in found:
        state = "in force" if row.revoked_ms is None else "revoked"
        click.echo(f"{row.id}  {row.owner:20}  {row.scopes:18}  {state}")


@keys_group.command("revoke")
@data_option
@click.argument("key_id")
def revoke_key(data: Path | None, key_id: str) -> None:
    """End a key and its browser sessions at once.

    KEY_ID is as `datagen keys list` shows it.

    \b
    Example:
      datagen keys revoke 4f1c2d9e4f1c
    """
    settings = _settings(data=data)
    from service.clock import now_ms
    from service.ledger import keys

    with _ledger(settings) as database, database.write() as connection:
        keys.revoke(connection, key_id, now=now_ms())
    click.echo(f"{key_id} is revoked")

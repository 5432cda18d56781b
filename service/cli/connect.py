"""How the shell reaches a service: its options, and what it says when it cannot."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from datagen.errors import DatagenError, InputError

if TYPE_CHECKING:
    from service.client import Client

UNAUTHORIZED = 401

url_option = click.option(
    "--url",
    envvar="DATAGEN_URL",
    default="http://127.0.0.1:8000",
    show_default=True,
    help="Address of the service [DATAGEN_URL].",
)
key_option = click.option(
    "--key",
    envvar="DATAGEN_KEY",
    default=None,
    help="API key, where one is asked for [DATAGEN_KEY].",
)


def need_extra() -> None:
    """Raise DatagenError where the service's packages are not installed."""
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
def connected(url: str, key: str | None) -> Iterator[Client]:
    """A client of a service.

    Raises:
        InputError: the address, the key or a variable is wrong.
        DatagenError: it cannot be reached.
    """
    need_extra()
    import httpx

    from service.client import Client, ServiceError
    from service.settings import refuse_misspelt

    refuse_misspelt(os.environ)
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

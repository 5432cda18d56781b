"""`datagen serve`: the API in this process, the dispatcher in a child."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

from datagen.errors import InputError
from service.folders import make_data_folder
from service.ledger import keys, open_database
from service.logs import set_up_logging
from service.port import open_port, url_of
from service.settings import Settings
from service.supervise import DispatcherChild


def serve(settings: Settings, *, announce: Callable[[str], object], dispatch: bool = True) -> None:
    """Serve until told to stop.

    Args:
        settings: everything.
        announce: takes the address when the port is ours.
        dispatch: also run the dispatcher; False where another container does.

    Raises:
        InputError: it would be open to other machines without any API key, or its folder or port
            cannot be had.
    """
    make_data_folder(settings.data)
    set_up_logging(settings.log_format)
    refuse_open(settings)
    with open_port(settings.host, settings.port) as sockets:
        announce(url_of(settings.host, sockets))
        with DispatcherChild(settings) if dispatch else contextlib.nullcontext():
            from service.listen import listen  # takes a second, in which the dispatcher starts

            listen(settings, sockets)


def refuse_open(settings: Settings) -> None:
    """Raise InputError when other machines could connect and nobody needs a key."""
    if settings.loopback:
        return
    database = open_database(settings.ledger_url)
    with database.read() as connection:
        closed = keys.any_keys(connection)
    database.close()
    if not closed:
        raise InputError(
            f"DATAGEN_HOST is {settings.host}: other machines could connect, and there is no API key. "
            "Make one with `datagen keys create`, or listen on 127.0.0.1."
        )

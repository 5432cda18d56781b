"""`datagen serve`: the API in this process, the dispatcher in a child that is kept alive.

The two share nothing but the ledger and the data folder. The child ends when this process does.
"""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
from types import FrameType

import uvicorn

from datagen.errors import InputError
from service.app import create_app
from service.ledger import keys, open_database
from service.logs import set_up_logging
from service.settings import Settings, as_environment

log = logging.getLogger("datagen.server")

RESTART_SECONDS = 1.0
GRACE_SECONDS = 5


def serve(settings: Settings, *, dispatch: bool = True) -> None:
    """Serve until told to stop.

    Args:
        settings: everything.
        dispatch: also run the dispatcher; False where another container does.

    Raises:
        InputError: it would be open to other machines without any API key.
    """
    set_up_logging(settings.log_format)
    app = create_app(settings)
    refuse_open(settings)
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
        h11_max_incomplete_event_size=64 * 1024,
    )
    child = DispatcherChild(settings) if dispatch else None
    server = _Server(config)
    if child is not None:
        child.start()
    try:
        server.run()
    finally:
        if child is not None:
            child.stop()


class _Server(uvicorn.Server):
    """Tells where it listens."""

    def handle_exit(self, sig: int, _frame: FrameType | None) -> None:
        """Stop serving. uvicorn would raise the signal again at its end, past `DispatcherChild.stop`."""
        log.info("stopping", extra={"action": "stopping", "signal": sig})
        self.should_exit = True


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


class DispatcherChild:
    """The dispatcher as a child process, started again when it dies."""

    def __init__(self, settings: Settings) -> None:
        self._environment = os.environ | as_environment(settings)
        self._patience = settings.drain_seconds + settings.stop_seconds + 10.0
        self._stopping = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None
        self._thread = threading.Thread(target=self._keep_alive, daemon=True)

    def start(self) -> None:
        """Start it and watch over it."""
        self._thread.start()

    def _keep_alive(self) -> None:
        while not self._stopping.is_set():
            self._process = subprocess.Popen(
                [sys.executable, "-m", "service.dispatch", "--supervised"],
                stdin=subprocess.PIPE,
                env=self._environment,
                start_new_session=True,  # an interrupt from the keyboard is ours to pass on
            )
            code = self._process.wait()
            if not self._stopping.wait(RESTART_SECONDS):
                log.warning("dispatcher died", extra={"action": "dispatcher_died", "code": code})

    def stop(self) -> None:
        """Ask it to end its workers or hand them back, and wait."""
        self._stopping.set()
        process = self._process
        if process is None:
            return
        process.terminate()
        try:
            process.wait(self._patience)
        except subprocess.TimeoutExpired:
            process.kill()
        self._thread.join()

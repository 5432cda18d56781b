"""The API's process: uvicorn with the app of some settings, until told to stop."""

from __future__ import annotations

import logging
import socket
from types import FrameType

import uvicorn

from service.app import create_app
from service.settings import Settings

log = logging.getLogger("datagen.server")

GRACE_SECONDS = 5


def listen(settings: Settings, sockets: list[socket.socket]) -> None:
    """Answer requests that come to listening sockets, until told to stop."""
    config = uvicorn.Config(
        create_app(settings),
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
        h11_max_incomplete_event_size=64 * 1024,
    )
    _Server(config).run(sockets)


class _Server(uvicorn.Server):
    """Ends quietly, so that what surrounds it can end in order."""

    def handle_exit(self, sig: int, _frame: FrameType | None) -> None:
        """Stop serving. uvicorn would raise the signal again at its end, past all clearing up."""
        log.info("stopping", extra={"action": "stopping", "signal": sig})
        self.should_exit = True

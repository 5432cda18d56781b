"""The dispatcher as a child process that is kept alive.

It shares nothing with its parent but the ledger and the data folder, and ends when the parent does.
"""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading

from service.settings import Settings, as_environment

log = logging.getLogger("datagen.server")

RESTART_SECONDS = 1.0


class DispatcherChild:
    """The dispatcher of some settings while a block runs; started again when it dies."""

    def __init__(self, settings: Settings) -> None:
        self._environment = os.environ | as_environment(settings)
        self._patience = settings.drain_seconds + settings.stop_seconds + 10.0
        self._stopping = threading.Event()
        self._turn = threading.Lock()  # so that nothing is started after the order to stop
        self._process: subprocess.Popen[bytes] | None = None
        self._thread = threading.Thread(target=self._keep_alive, daemon=True)

    def __enter__(self) -> None:
        """Start it and watch over it."""
        self._thread.start()

    def _keep_alive(self) -> None:
        while (process := self._start()) is not None:
            code = process.wait()
            if not self._stopping.wait(RESTART_SECONDS):
                log.warning("dispatcher died", extra={"action": "dispatcher_died", "code": code})

    def _start(self) -> subprocess.Popen[bytes] | None:
        with self._turn:
            if self._stopping.is_set():
                return None
            self._process = subprocess.Popen(
                [sys.executable, "-m", "service.dispatch", "--supervised"],
                stdin=subprocess.PIPE,
                env=self._environment,
                start_new_session=True,  # an interrupt from the keyboard is ours to pass on
            )
            return self._process

    def __exit__(self, *_: object) -> None:
        """Ask it to end its workers or hand them back, and wait."""
        with self._turn:
            self._stopping.set()
            process = self._process
        if process is not None:
            process.terminate()
            try:
                process.wait(self._patience)
            except subprocess.TimeoutExpired:
                process.kill()
        self._thread.join()

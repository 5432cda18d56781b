"""The dispatcher as a process of its own.

Ends on TERM, on INT, and (when supervised) when standard input closes.
"""

from __future__ import annotations

import os
import signal
import threading

from service.dispatch.executor import Limits, LocalExecutor
from service.dispatch.loop import Dispatcher
from service.dispatch.place import sole_dispatcher
from service.folders import Folders, make_data_folder
from service.ledger.database import open_database
from service.logs import set_up_logging
from service.settings import WORKER_MARK, Settings


def run(settings: Settings, *, supervised: bool = False) -> None:
    """Dispatch until told to stop."""
    set_up_logging(settings.log_format)
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    if supervised:
        threading.Thread(target=_stop_with_parent, args=(stopping,), daemon=True).start()
    dispatch(settings, stopping)


def dispatch(settings: Settings, stopping: threading.Event) -> None:
    """Wait for the place of dispatcher, then work until asked to stop."""
    folders = Folders(settings.data.resolve())
    make_data_folder(folders.data)
    database = open_database(settings.ledger_url)
    limits = Limits(
        segment_seconds=settings.segment_seconds,
        stall_seconds=settings.stall_seconds,
        memory_bytes=settings.segment_memory_bytes,
        stop_seconds=settings.stop_seconds,
    )
    executor = LocalExecutor(limits, mark={WORKER_MARK: str(folders.data)})
    with sole_dispatcher(folders.lock, database, wait=stopping.wait) as alone:
        if alone:
            Dispatcher(settings, database, executor, stopping).run()
    database.close()


def _stop_with_parent(stopping: threading.Event) -> None:
    while os.read(0, 4096):
        pass
    stopping.set()

"""Serves an exchange folder: renders what the host asks for, under Isaac Sim's interpreter.

In: the exchange folder (see `exchange`), named by the environment variable DATAGEN_ISAAC_FOLDER; the
command line belongs to Kit. Out: shards of .npy files, and `done.json` per request.
"""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import time
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from . import exchange
from .frame_reader import FrameReader
from .isaac_driver import Kit, SetupError

FOLDER = "DATAGEN_ISAAC_FOLDER"
POLL_SECONDS = 0.01
WARM_UP_MORE = 100
"""Frames that are waited for beyond the usual ones when a render product stays empty."""
Frame = dict[str, Any]


class Worker:
    """Serves the requests of one exchange folder, in order."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._session = exchange.read_json(folder / exchange.SESSION)
        self._reader = FrameReader(self._session)
        self._beat("start")

    def run(self) -> None:
        """Serve until the host says stop."""
        self._kit = kit = Kit(self._session)
        self._beat("started")
        kit.open()
        exchange.write_json(
            self._folder / exchange.READY,
            {
                "version": exchange.VERSION,
                "versions": kit.versions(),
                "settings": kit.settings(),
            },
        )
        number = 0
        while not (self._folder / exchange.STOP).exists():
            path = exchange.request_file(self._folder, number)
            if path.exists():
                self._serve(exchange.read_json(path), exchange.result_folder(self._folder, number))
                number += 1
            else:
                time.sleep(POLL_SECONDS)
        kit.close()

    def _serve(self, request: dict[str, Any], result: Path) -> None:
        result.mkdir(parents=True, exist_ok=True)
        cold = self._kit.prepare(request)
        if cold:
            self._warm_up(request)
        lead = [] if request["continues"] and not cold else request["before"]
        if cold or not request["continues"]:
            self._reader = FrameReader(self._session)
        shards = Shards(result, request)
        for i, frame in enumerate(self._frames(lead + request["views"], request, len(lead))):
            if i >= len(lead):
                shards.add(frame)
            self._beat(f"frame {i}")
        shards.close(self._kit.settings())

    def _warm_up(self, request: dict[str, Any]) -> None:
        """Render the first view until a frame passes: buffers of a new product may be empty.

        When none does, the first frame that counts says what is wrong.
        """
        first, least = (request["before"] or request["views"])[:1], self._session["warm_up"]
        for i in range(least + WARM_UP_MORE):
            self._reader = FrameReader(self._session)
            (frame,) = self._frames(first, request, 1)
            self._beat(f"warm-up {i}")
            if frame and i + 1 >= least:
                return

    def _frames(self, views: list[Frame], request: dict[str, Any], warming: int) -> Iterator[Frame]:
        """Render and read views; the first `warming` ones may be empty."""
        if request["strategy"] == "T":
            self._kit.write_samples(views)
        for i, view in enumerate(views):
            if request["strategy"] == "P":
                self._kit.write_pose(view)
            self._kit.step(request)
            yield self._reader.read(self._kit.capture(), view, request, warming=i < warming)

    def _beat(self, what: str) -> None:
        with (self._folder / exchange.PROGRESS).open("a", encoding="utf-8") as file:
            file.write(f'{{"at": {time.time():.3f}, "what": "{what}"}}\n')

    def report(self, error: BaseException) -> None:
        """Say what went wrong."""
        full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
        guard, setup = getattr(error, "guard", None), isinstance(error, SetupError)
        kind = "guard" if guard else "setup" if setup else "disk" if full else "vendor"
        exchange.write_json(
            self._folder / exchange.ERROR,
            {
                "kind": kind,
                "guard": guard,
                "message": str(error) if guard or setup else f"{type(error).__name__}: {error}",
                "traceback": traceback.format_exc(),
            },
        )


class Shards:
    """Frames to shards of a fixed number of rows."""

    def __init__(self, result: Path, request: dict[str, Any]) -> None:
        self._result, self._request = result, request
        self._rows: list[Frame] = []
        self._first = 0
        self._digests: list[str] = []

    def add(self, frame: Frame) -> None:
        """Take one frame; seal a shard when it is full."""
        self._rows.append({name: frame[name] for name in self._request["outputs"]})
        if len(self._rows) == self._request["shard_frames"]:
            self._seal()

    def _seal(self) -> None:
        names = self._request["outputs"]
        columns = {name: np.stack([row[name] for row in self._rows]) for name in names}
        index = len(self._digests)
        self._digests.append(exchange.write_shard(self._result, index, self._first, columns))
        self._first += len(self._rows)
        self._rows = []

    def close(self, settings: dict[str, Any]) -> None:
        """Seal the rest and say that the request is done, and what the settings are now."""
        if self._rows:
            self._seal()
        done = {"frames": self._first, "shards": self._digests, "settings": settings}
        exchange.write_json(self._result / exchange.DONE, done)


def _end_with_host() -> subprocess.Popen[bytes]:
    """A process that ends our whole group when the host is gone, even while Kit blocks Python.

    The host holds our standard input open and writes nothing; it closes when the host dies.
    """
    return subprocess.Popen(["/bin/sh", "-c", "read _; kill -KILL 0"])


def _close_input() -> None:
    """Whoever asks this process a question gets the end of the file, and no wait for ever."""
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)


def main() -> None:
    """Serve the exchange folder; the exit code means nothing."""
    watch = _end_with_host()
    _close_input()
    worker = Worker(Path(os.environ[FOLDER]))
    try:
        worker.run()
    except BaseException as error:
        worker.report(error)
        raise
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        watch.kill()
        watch.wait()
        os._exit(0)

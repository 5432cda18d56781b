"""One life of the child process: started, watched, asked, ended; never left behind.

Its exit code says nothing: only `done.json` with digests that verify counts as success. It is given
up when its heartbeat stops, when it ends before it is done, or when a shard does not verify.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from datagen.errors import DatagenError, DiskFullError
from datagen.render.isaac.datagen_kit import exchange
from datagen.render.isaac.errors import GuardTrippedError, ProcessLostError
from datagen.render.isaac.installation import Installation, NoIsaacSimError
from datagen.render.isaac.limits import Limits

WORKER = Path(exchange.__file__).with_name("worker.py")
FOLDER = "DATAGEN_ISAAC_FOLDER"
LOG = "worker.log"
LOG_LINES = 20
POLL = 0.01
Columns = dict[str, NDArray[Any]]


@dataclass(frozen=True, slots=True)
class Ending:
    """How a process ended when it was told to."""

    by_itself: bool
    seconds: float
    code: int | None


class Session:
    """A running child process and its exchange folder."""

    def __init__(
        self, installation: Installation, folder: Path, session: dict[str, Any], limits: Limits
    ) -> None:
        """Start it and wait until its stage is open.

        Args:
            installation: how to start it.
            folder: exchange folder; created here, removed by `close`.
            session: what `session.json` says.
            limits: how long it may take.

        Raises:
            ProcessLostError, DiskFullError: it did not get there.
            NoIsaacSimError: it cannot, however often it is tried.
        """
        folder.mkdir(parents=True)
        self._folder, self._limits = folder, limits
        self._requests, self._warm = 0, False
        self.frames = 0
        exchange.write_json(folder / exchange.SESSION, session)
        self._log = (folder / LOG).open("wb")
        self._process = subprocess.Popen(
            [*installation.command, str(WORKER)],
            stdin=subprocess.PIPE,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            cwd=folder,
            env=installation.environment | {FOLDER: str(folder)},
            start_new_session=True,
        )
        try:
            self.ready = self._wait_until_ready()
        except BaseException:
            self.kill()
            raise

    @property
    def process_id(self) -> int:
        """Also of its group."""
        return self._process.pid

    def _wait_until_ready(self) -> dict[str, Any]:
        path, deadline = self._folder / exchange.READY, time.monotonic() + self._limits.start
        while not path.is_file():
            self._refuse_error()
            self._refuse_end("before its stage was open")
            if time.monotonic() > deadline:
                raise self._lost(f"was not ready after {self._limits.start:g} s")
            time.sleep(POLL)
        ready: dict[str, Any] = exchange.read_json(path)
        if ready["version"] != exchange.VERSION:
            raise self._lost(f"speaks version {ready['version']}; expected {exchange.VERSION}")
        return ready

    def render(self, request: dict[str, Any]) -> Iterator[tuple[int, Columns]]:
        """Ask for views and take them shard by shard: (first row, columns by name).

        Raises:
            ProcessLostError, GuardTrippedError, DiskFullError: what is yielded before is good.
        """
        number, self._requests = self._requests, self._requests + 1
        result = exchange.result_folder(self._folder, number)
        exchange.write_json(exchange.request_file(self._folder, number), request)
        self.frames += len(request["views"])
        taken = index = 0
        while taken < len(request["views"]):
            said, columns = self._next_shard(result, index)
            if said["first"] != taken:
                raise self._lost(f"gave row {said['first']}; expected {taken}")
            self._warm = True
            yield taken, columns
            taken, index = taken + int(said["count"]), index + 1
        self._wait_until_done(result, taken)
        shutil.rmtree(result)

    def _next_shard(self, result: Path, index: int) -> tuple[dict[str, Any], Columns]:
        while True:
            ended = self._process.poll() is not None
            try:
                shard = exchange.read_shard(result, index)
            except ValueError as error:
                raise self._lost(f"wrote a shard that does not verify: {error}") from error
            if shard is not None:
                shutil.rmtree(result / shard[0]["name"])
                return shard
            self._watch(ended)

    def _wait_until_done(self, result: Path, frames: int) -> None:
        path = result / exchange.DONE
        while not path.is_file():
            self._watch(self._process.poll() is not None)
        done = exchange.read_json(path)
        names = [result / f"shard_{i:05d}.json" for i in range(len(done["shards"]))]
        if done["frames"] != frames or done["shards"] != [exchange.digest(name) for name in names]:
            raise self._lost("said it was done with other shards than those it wrote")
        self.ready["settings"] = done["settings"]

    def _watch(self, ended: bool) -> None:
        """Wait a little; raise when nothing more can come."""
        self._refuse_error()
        if ended:
            self._refuse_end("before it was done")
        age = time.time() - (self._folder / exchange.PROGRESS).stat().st_mtime
        # the first picture of an installation waits for its shaders to be compiled
        if age > (self._limits.silence if self._warm else self._limits.start):
            raise self._lost(f"gave no sign of life for {age:.0f} s")
        time.sleep(POLL)

    def _refuse_error(self) -> None:
        path = self._folder / exchange.ERROR
        if not path.is_file():
            return
        said = exchange.read_json(path)
        raise self._error(said)

    def _error(self, said: dict[str, Any]) -> DatagenError:
        match said["kind"]:
            case "guard":
                return GuardTrippedError(said["guard"], said["message"])
            case "setup":
                return NoIsaacSimError(f"renderer isaac: {said['message']}")
            case "disk":
                return DiskFullError(f"renderer isaac: {self._folder}: {said['message']}")
            case _:
                return self._lost(f"failed: {said['message']}")

    def _refuse_end(self, when: str) -> None:
        if self._process.poll() is not None:
            raise self._lost(f"ended {when} (code {self._process.returncode}, which says nothing)")

    def _lost(self, what: str) -> ProcessLostError:
        lines = (self._folder / LOG).read_text(errors="replace").splitlines()[-LOG_LINES:]
        return ProcessLostError(
            f"renderer isaac: the process {what}. Its last words:\n" + "\n".join(lines)
        )

    def close(self) -> Ending:
        """Let it end by itself for a while, then end it; a hang while closing is no failure."""
        start = time.monotonic()
        if self._process.poll() is None:
            (self._folder / exchange.STOP).touch()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(self._limits.close)
        by_itself = self._process.poll() is not None
        seconds = time.monotonic() - start
        self.kill()
        return Ending(by_itself, seconds, self._process.returncode)

    def kill(self) -> None:
        """End it and everything that it started, and remove the exchange folder."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            if self._group_lives():
                os.killpg(self._process.pid, number)
                self._wait_for_group(self._limits.terminate)
        self._process.wait()
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._log.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _group_lives(self) -> bool:
        self._process.poll()
        try:
            os.killpg(self._process.pid, 0)
        except ProcessLookupError:
            return False
        return True

    def _wait_for_group(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while self._group_lives() and time.monotonic() < deadline:
            time.sleep(POLL)

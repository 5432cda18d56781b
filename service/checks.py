"""Estimates and scene checks: short worker commands in a temporary folder, few at a time."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import signal
import tempfile
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from datagen.pipeline.process import SINGLE_THREADED, parsed
from service.dispatch.executor import worker_environment
from service.dispatch.orders import lay_out_files
from service.errors import Busy, Fault, Invalid, Unavailable
from service.state import State
from service.submission import invalid

REFUSED = 2
"""Exit code of a command that says what is wrong."""
_REFUSAL = re.compile(r"^error: (.*)", re.MULTILINE | re.DOTALL)
_PLACE = re.compile(r"^((?:segments|scene|camera|sensors)(?:/[\w-]+)*):? ")


@dataclass(frozen=True, slots=True)
class Finished:
    """What a command said."""

    code: int
    output: str
    errors: str


@contextlib.asynccontextmanager
async def turn(state: State) -> AsyncIterator[None]:
    """One of the few places for checks.

    Raises:
        Busy: all are taken.
    """
    if state.checks.locked():
        raise Busy("another estimate or check is at work", headers={"Retry-After": "5"})
    async with state.checks:
        yield


async def estimate(state: State, spec: str, uploads: list[tuple[str, str]]) -> dict[str, Any]:
    """What a job will cost.

    Raises:
        Invalid: the scene or a path cannot be used.
        Busy, Unavailable: not now; not in the time allowed, or not on this machine.
    """
    workers = str(max(1, state.settings.slots["cpu"]))
    async with turn(state):
        with _inputs(state, spec, uploads) as file:
            done = await run(
                [*state.settings.command, "estimate", str(file), "-j", workers, "--json"],
                folder=file.parent,
                seconds=state.settings.check_seconds,
                advice="`datagen estimate` in a shell has no limit",
            )
    if done.code == REFUSED and (told := _REFUSAL.search(done.errors)):
        raise _refusal(told[1].strip(), file.parent)
    try:
        cost: dict[str, Any] = json.loads(done.output[done.output.find("{") :])
    except ValueError as error:
        raise Unavailable(f"the estimate ended with code {done.code}") from error
    return cost


async def check_scene(state: State, spec: str, uploads: list[tuple[str, str]]) -> None:
    """Open every scene and look at every camera position, as a job does first.

    Raises:
        Invalid: one cannot be used.
        Busy, Unavailable: not now; not in the time allowed, or not on this machine.
    """
    async with turn(state):
        with _inputs(state, spec, uploads) as file:
            done = await run(
                [*state.settings.command, "prepare-job", str(file), str(file.parent / "out")],
                folder=file.parent,
                seconds=state.settings.check_seconds,
                advice="submit the job: it is checked the same way, without that limit, before its "
                "first picture",
            )
    reports = [report for line in done.output.splitlines() if (report := parsed(line)) is not None]
    report = reports[-1] if reports else {"event": "nothing"}
    if report["event"] == "error" and report["kind"] == "input":
        raise _refusal(str(report["message"]), file.parent)
    if report["event"] == "error":
        raise Unavailable(str(report["message"]).replace(f"{file.parent}/", ""))
    if report["event"] != "prepared":
        raise Unavailable(f"the check ended with code {done.code}")


@contextlib.contextmanager
def _inputs(state: State, spec: str, uploads: list[tuple[str, str]]) -> Iterator[Path]:
    state.folders.uploads.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="check-", dir=state.folders.uploads) as folder:
        file = Path(folder) / "spec.json"
        lay_out_files(Path(folder), state.folders.assets, uploads)
        file.write_text(spec, encoding="utf-8")
        yield file


def _refusal(message: str, folder: Path) -> Invalid:
    """A worker's words with the place they speak of, and without our paths."""
    faults = []
    for line in message.replace(f"{folder}/", "").splitlines():
        place = _PLACE.match(line)
        faults.append(Fault(f"/{place[1]}", line[place.end() :]) if place else Fault("", line))
    return invalid(tuple(faults)) if faults else Invalid("the job cannot be used")


async def run(command: Sequence[str], *, folder: Path, seconds: float, advice: str) -> Finished:
    """Run a command to its end; killed with all that it started when it takes too long.

    Raises:
        Unavailable: it took too long; ends with the advice.
    """
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=folder,
        env=worker_environment(SINGLE_THREADED),
        start_new_session=True,
    )
    try:
        async with asyncio.timeout(seconds):
            output, errors = await process.communicate()
    except TimeoutError as error:
        raise Unavailable(f"the check took longer than {seconds:g} s; {advice}") from error
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
    assert process.returncode is not None
    return Finished(
        process.returncode, output.decode(errors="replace"), errors.decode(errors="replace")
    )

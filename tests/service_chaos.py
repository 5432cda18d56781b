"""Chaos: users at work on a service whose processes are killed, stopped and doubled under them.

In: a `ChaosPlan` (seed, number of kills). Out: a `ChaosReport` (see `service_chaos_audit.py`), with
every promise that was broken in words. The victims are `datagen serve`, its dispatcher and their
workers; workers are fake (`service/fake_worker.py`) but seal and package as real ones do.
"""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from service_chaos_audit import ChaosReport, audit, published_digests
from service_chaos_users import Users, chaos_job
from service_kit import fake_command, make_settings, serving, until

from service.dispatch.processes import marked
from service.settings import WORKER_MARK, Settings, as_environment

VARIANTS = 3
"""Distinct jobs; an undisturbed run of each tells what its dataset must be."""
PACE = 0.02
VICTIMS = ("worker", "worker", "worker", "worker", "dispatcher", "dispatcher", "api")


@dataclass(frozen=True, slots=True, kw_only=True)
class ChaosPlan:
    """What is done to one service."""

    seed: int
    kills: int
    jobs: int
    """Unfinished jobs that users keep at a time."""
    pause: tuple[float, float] = (0.1, 0.7)
    """Seconds between two kills."""
    stop_every: int = 5
    """Every so many kills, a worker is stopped (SIGSTOP)."""
    double_every: int = 7
    """Every so many kills, a worker is started a second time beside itself."""
    fill_every: int = 12
    """Every so many kills, the disk of the workers is full for a while."""
    patience: float = 240.0
    """Seconds for everything to be finished once the kills are over."""


@dataclass(slots=True)
class Machine:
    """The processes of one service: started, found, hurt."""

    settings: Settings
    full: Path
    port: int
    api: subprocess.Popen[bytes] | None = None
    doubles: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start `datagen serve`, as a service manager does when it has died."""
        environment = os.environ | as_environment(self.settings)
        with (self.settings.data / "chaos.log").open("ab") as log:
            command = [sys.executable, "-m", "service.cli", "serve", "--port", str(self.port)]
            self.api = subprocess.Popen(command, env=environment, stderr=log, stdout=log)

    def workers(self) -> list[int]:
        """Live workers."""
        return marked(WORKER_MARK, str(self.settings.data))

    def packagers(self) -> list[int]:
        """Live workers that are packaging."""
        return [pid for pid in self.workers() if "finish-job" in command_line(pid)]

    def dispatchers(self) -> list[int]:
        """Live dispatchers: one at work and those that wait for its place."""
        own = self.api.pid if self.api is not None else 0
        return [
            pid
            for pid in marked("DATAGEN_DATA", str(self.settings.data))
            if pid != own and "service.dispatch" in command_line(pid)
        ]

    def kill_api(self) -> bool:
        """Kill the API and start it again."""
        assert self.api is not None
        self.api.kill()
        self.api.wait()
        self.start()
        return True

    def renderers(self) -> list[list[str]]:
        """Command lines of live workers that make segments."""
        lines = [command_line(pid) for pid in self.workers()]
        return [line for line in lines if "run-segment" in line]

    def double(self, command: list[str]) -> None:
        """Start a worker's command a second time; nobody hears what the double says."""
        quiet = subprocess.DEVNULL
        copy = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=quiet, stderr=quiet)
        self.doubles.append(copy)

    def stop(self) -> int:
        """Stop the API as a service manager does; its exit code."""
        assert self.api is not None
        self.api.terminate()
        return self.api.wait(60.0)

    def clear(self) -> None:
        """Leave no process behind."""
        for process in (self.api, *self.doubles):
            if process is not None:
                process.kill()
                process.wait()
                if process.stdin is not None:
                    process.stdin.close()
        for pid in [*self.dispatchers(), *self.workers()]:
            send(pid, signal.SIGKILL)


def command_line(pid: int) -> list[str]:
    """A process's arguments; empty when it is gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().split("\0")[:-1]
    except OSError:
        return []


def send(pid: int, number: signal.Signals) -> bool:
    """Signal a process; False when it is gone."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)
        return True
    return False


class Killer:
    """Hurts a machine as its plan says."""

    def __init__(self, machine: Machine, plan: ChaosPlan, users: Users) -> None:
        self._machine = machine
        self._plan = plan
        self._users = users
        self._random = random.Random(plan.seed)
        self.kills: Counter[str] = Counter()
        self.harm: Counter[str] = Counter()

    def run(self) -> None:
        """Kill so many processes, and do the other harm between."""
        rounds = -(-self._plan.kills // len(VICTIMS))
        victims = self._random.sample(VICTIMS * rounds, self._plan.kills)
        for number, victim in enumerate(victims):
            self._do_other_harm(number)
            time.sleep(self._random.uniform(*self._plan.pause))
            self._kill(victim, packaging=number % 3 == 0)
        self._machine.full.unlink(missing_ok=True)

    def _do_other_harm(self, number: int) -> None:
        plan = self._plan
        self._machine.full.unlink(missing_ok=True)
        if number % plan.fill_every == plan.fill_every // 2:
            self._machine.full.touch()
            self.harm["disk_fills"] += 1
        elif number % plan.stop_every == 2:
            worker = self._random.choice(until(self._machine.workers))
            self.harm["stopped_workers"] += send(worker, signal.SIGSTOP)
        elif number % plan.double_every == 3:
            self._machine.double(self._random.choice(until(self._machine.renderers)))
            self.harm["doubled_workers"] += 1

    def _kill(self, victim: str, *, packaging: bool) -> None:
        """Kill one process of a kind, when there is one."""
        while not self._kill_one(victim, packaging=packaging):
            pass
        self.kills[victim] += 1

    def _kill_one(self, victim: str, *, packaging: bool) -> bool:
        """Kill one process of a kind; False when it was gone before."""
        machine = self._machine
        if packaging:
            wait(machine.packagers, seconds=5.0)
        self.harm["kills_while_packaging"] += bool(machine.packagers())
        match victim:
            case "worker":
                pids = until(machine.workers)
                return send(self._random.choice(machine.packagers() or pids), signal.SIGKILL)
            case "dispatcher":
                return send(self._random.choice(until(machine.dispatchers)), signal.SIGKILL)
            case _:
                wait(self._users.asking.is_set, seconds=1.0)  # amid a request
                return machine.kill_api()


def wait(condition: Callable[[], Any], *, seconds: float) -> None:
    """Wait for something, but not for ever."""
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.005)


def chaos_settings(data: Path, full: Path) -> Settings:
    """A service that notices and tries again quickly."""
    return make_settings(
        data, worker=fake_command(pace=PACE, full=full), stall_seconds=4.0, retry_seconds=0.1
    )


def undisturbed(folder: Path) -> dict[str, dict[str, str]]:
    """Digests of the files of each job's dataset, by the job's name, made in peace."""
    expected = {}
    with serving(make_settings(folder / "data")) as local:
        for variant in range(VARIANTS):
            job = chaos_job(variant)
            job_id = local.finished(job)
            expected[job["name"]] = published_digests(local.database, job_id)
    return expected


def run_chaos(plan: ChaosPlan, folder: Path, expected: dict[str, dict[str, str]]) -> ChaosReport:
    """Carry a plan out in an empty folder.

    Args:
        plan: what to do.
        folder: for the service's data.
        expected: of an undisturbed run (`undisturbed`).

    Returns:
        What was done, and every broken promise.
    """
    data, full = folder / "data", folder / "full"
    data.mkdir(parents=True)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    machine = Machine(chaos_settings(data.resolve(), full), full, port)
    users = Users(machine.url, seed=plan.seed, jobs=plan.jobs, variants=VARIANTS, expected=expected)
    killer = Killer(machine, plan, users)
    try:
        machine.start()
        users.start()
        killer.run()
        users.finish(plan.patience)
        code = machine.stop()
    finally:
        users.give_up()
        machine.clear()
    report = audit(machine.settings, users, expected)
    if code != 0:
        report.lost.append(f"the API ended with code {code} when asked to stop")
    report.kills, report.harm = killer.kills, killer.harm
    shutil.rmtree(folder, ignore_errors=True)
    return report

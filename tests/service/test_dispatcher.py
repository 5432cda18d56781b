"""The dispatcher with fake workers: retries, limits, cancellation, adoption, doubles, full disks."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from service_kit import LocalService, fake_command, until
from sqlalchemy import select

from datagen.store import folder_lock
from service.clock import now_ms
from service.dispatch import outcomes
from service.dispatch.orders import command_for, lay_out_inputs
from service.dispatch.place import sole_dispatcher
from service.dispatch.processes import marked
from service.ledger import jobs, work
from service.ledger.tables import events, files
from service.settings import WORKER_MARK
from service.states import JobState

PREPARE, FIRST, SECOND, PACKAGE = range(4)

STUBBORN = """
import json, os, signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen(["sleep", "1000"])
open("pids", "w").write(f"{os.getpid()} {child.pid}")
while True:
    print(json.dumps({"event": "frame", "frame": 0}), flush=True)
    time.sleep(0.1)
"""


def script(code: str) -> str:
    """A worker's command line that runs some code instead."""
    return shlex.join([sys.executable, "-c", code])


def task(service: LocalService, job_id: str, number: int) -> Any:
    with service.database.read() as connection:
        return jobs.tasks_of(connection, job_id)[number]


def told(service: LocalService, job_id: str) -> list[dict[str, Any]]:
    """What was written about tasks, in order."""
    statement = select(events.c.data).where(events.c.job_id == job_id, events.c.type == "task")
    with service.database.read() as connection:
        found = connection.execute(statement.order_by(events.c.seq)).scalars()
        return [json.loads(data) for data in found]


def digests(service: LocalService, job_id: str) -> dict[str, str]:
    dataset = work.dataset_of(job_id)
    statement = select(files.c.name, files.c.sha256).where(files.c.dataset_id == dataset)
    with service.database.read() as connection:
        return {row.name: row.sha256 for row in connection.execute(statement)}


def workers(service: LocalService) -> list[int]:
    return marked(WORKER_MARK, str(service.folders.data))


def is_gone(pid: int) -> bool:
    """The process has ended; a zombie that nobody has waited for counts as ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def by_hand(service: LocalService, job_id: str, number: int, *, seal: bool) -> None:
    """Do a task's work outside of any dispatcher, and seal it in the ledger or leave it leased."""
    with service.database.write() as connection:
        lease = work.lease(connection, job_id, number, now=now_ms())
        assert lease is not None
        lay_out_inputs(service.folders, job_id, jobs.spec_of(connection, job_id), [])
    command = command_for(lease, service.folders, service.settings.command, 2)
    subprocess.run([part for part in command if part != "--supervised"], check=True, capture_output=True)  # fmt: skip
    if seal:
        with service.database.write() as connection:
            assert work.sealed(connection, lease, now=now_ms())


def test_a_killed_worker_is_tried_again(service: LocalService) -> None:
    """Start a new attempt that goes on from the last seal and gives the same bytes."""
    expected = digests(service, service.finished())
    job_id = service.submit()
    with service.dispatcher(worker_command=fake_command(pace=0.5)):
        until(lambda: task(service, job_id, FIRST).frames_done >= 3)
        for pid in workers(service):
            os.kill(pid, signal.SIGKILL)
        assert service.wait(job_id) is JobState.SUCCEEDED
    assert task(service, job_id, FIRST).attempt == 2
    assert task(service, job_id, FIRST).failures == 1
    assert digests(service, job_id) == expected


def test_attempts_are_numbered_and_bounded(service: LocalService) -> None:
    """Give up after so many failures; every attempt has its number and its own log."""
    job_id = service.submit()
    crash = script("import sys; sys.stderr.write('out of luck'); sys.exit(9)")
    with service.dispatcher(worker_command=crash):
        assert service.wait(job_id) is JobState.FAILED
    error = service.http.get(f"/v1/jobs/{job_id}").json()["error"]
    assert (error["kind"], error["attempt"]) == ("died", 3)
    assert "code 9" in error["message"]
    logs = sorted(path.name for path in service.folders.logs(job_id).iterdir())
    assert logs == [f"00000-prepare.{attempt}.log" for attempt in (1, 2, 3)]


def test_a_worker_that_cannot_be_started(service: LocalService) -> None:
    """Fail the job with the reason, and go on dispatching."""
    job_id = service.submit()
    with service.dispatcher(worker_command="/nonexistent/worker"):
        assert service.wait(job_id) is JobState.FAILED
    error = service.http.get(f"/v1/jobs/{job_id}").json()["error"]
    assert "/nonexistent/worker" in error["message"]


def test_cancel_kills_the_process_group(service: LocalService) -> None:
    """End a worker that ignores TERM, and what it started."""
    job_id = service.submit()
    with service.dispatcher(worker_command=script(STUBBORN), stop_seconds=0.3):
        pids_file = service.folders.job(job_id) / "pids"
        until(lambda: pids_file.exists() and len(pids_file.read_text().split()) == 2)
        pids = [int(pid) for pid in pids_file.read_text().split()]
        service.http.post(f"/v1/jobs/{job_id}:cancel")
        assert service.wait(job_id) is JobState.CANCELLED
        until(lambda: all(is_gone(pid) for pid in pids))
    assert task(service, job_id, PREPARE).failures == 0


def test_a_stopped_worker_is_cancelled(service: LocalService) -> None:
    """End a worker that was stopped and hears no TERM."""
    job_id = service.submit()
    with service.dispatcher(worker_command=fake_command(pace=0.5)):
        until(lambda: task(service, job_id, FIRST).frames_done)
        for pid in workers(service):
            os.kill(pid, signal.SIGSTOP)
        service.http.post(f"/v1/jobs/{job_id}:cancel")
        assert service.wait(job_id) is JobState.CANCELLED
        assert workers(service) == []


@pytest.mark.parametrize(
    ("options", "limits", "reason"),
    [
        ({"pace": 30}, {"stall_seconds": 1.0}, "reported nothing for 1 s"),
        ({"pace": 0.3}, {"segment_seconds": 1.0}, "took longer than 1 s"),
        ({"pace": 0.5, "hog": 400_000_000}, {"segment_memory_bytes": 300_000_000}, "bytes of memory"),
    ],
)  # fmt: skip
def test_limits(
    service: LocalService, options: dict[str, Any], limits: dict[str, Any], reason: str
) -> None:
    """End a worker that is silent, slow or greedy, and say so."""
    job_id = service.submit()
    by_hand(service, job_id, PREPARE, seal=True)
    with service.dispatcher(worker_command=fake_command(**options), max_failures=1, **limits):
        assert service.wait(job_id) is JobState.FAILED
        until(lambda: workers(service) == [])
    error = service.http.get(f"/v1/jobs/{job_id}").json()["error"]
    assert reason in error["message"]


def test_adoption_at_start(service: LocalService) -> None:
    """Adopt what a predecessor's workers finished, hand the rest back, and count no failure."""
    job_id = service.submit()
    by_hand(service, job_id, PREPARE, seal=True)
    by_hand(service, job_id, FIRST, seal=False)
    with service.database.write() as connection:
        work.lease(connection, job_id, SECOND, now=now_ms())
    with service.dispatcher():
        assert service.wait(job_id) is JobState.SUCCEEDED
    reasons = {(e["task"], e.get("reason")) for e in told(service, job_id) if "reason" in e}
    assert reasons == {("orbit", "adopted"), ("radial", "the dispatcher was restarted")}
    assert (task(service, job_id, FIRST).attempt, task(service, job_id, SECOND).attempt) == (1, 2)
    assert task(service, job_id, SECOND).failures == 0


def test_a_damaged_segment_is_not_adopted(service: LocalService) -> None:
    """Make again what does not verify."""
    expected = digests(service, service.finished())
    job_id = service.submit()
    by_hand(service, job_id, PREPARE, seal=True)
    by_hand(service, job_id, FIRST, seal=False)
    (service.folders.dataset(job_id) / "orbit.h5").write_bytes(b"damaged")
    with service.dispatcher():
        assert service.wait(job_id) is JobState.SUCCEEDED
    assert task(service, job_id, FIRST).attempt == 2
    assert digests(service, job_id) == expected


def test_packaging_makes_damaged_segments_again(service: LocalService) -> None:
    """Publish nothing that no longer verifies."""
    expected = digests(service, service.finished())
    job_id = service.submit()
    for number in (PREPARE, FIRST, SECOND):
        by_hand(service, job_id, number, seal=True)
    (service.folders.dataset(job_id) / "radial.h5").write_bytes(b"damaged")
    with service.dispatcher():
        assert service.wait(job_id) is JobState.SUCCEEDED
    assert task(service, job_id, SECOND).attempt == 2
    assert digests(service, job_id) == expected


def test_a_left_over_worker_is_ended(service: LocalService) -> None:
    """Kill what a predecessor left behind, stopped or not, before anything is started."""
    code = "import time; time.sleep(1000)"
    mark = {WORKER_MARK: str(service.folders.data)}
    left = subprocess.Popen([sys.executable, "-c", code], env=os.environ | mark)
    os.kill(left.pid, signal.SIGSTOP)
    with service.dispatcher():
        assert left.wait(30.0) == -signal.SIGKILL


def test_a_doubled_worker_waits(service: LocalService, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hand a task back, without a failure, while someone else writes there."""
    monkeypatch.setattr(outcomes, "BUSY_MS", 100)
    job_id = service.submit()
    by_hand(service, job_id, PREPARE, seal=True)
    busy = lambda: any(e.get("reason") == "busy" for e in told(service, job_id))  # noqa: E731
    with service.dispatcher():
        with folder_lock(service.folders.dataset(job_id) / ".work" / "orbit"):
            until(busy)
        assert service.wait(job_id) is JobState.SUCCEEDED
    assert task(service, job_id, FIRST).failures == 0


def test_a_full_disk_is_waited_for(
    service: LocalService, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Hand tasks back, without a failure, until there is room again."""
    monkeypatch.setattr(outcomes, "DISK_MS", 100)
    full = tmp_path / "full"
    full.touch()
    job_id = service.submit()
    with service.dispatcher(worker_command=fake_command(full=full)):
        until(lambda: task(service, job_id, PREPARE).attempt >= 2)
        full.unlink()
        assert service.wait(job_id) is JobState.SUCCEEDED
    assert task(service, job_id, PREPARE).failures == 0


def test_a_stopping_dispatcher_hands_back(service: LocalService) -> None:
    """Leave no worker behind at a graceful stop; the next dispatcher goes on from the seals."""
    job_id = service.submit()
    with service.dispatcher(worker_command=fake_command(pace=0.5)):
        until(lambda: task(service, job_id, FIRST).frames_done >= 3)
    assert workers(service) == []
    row = task(service, job_id, FIRST)
    assert (row.state, row.failures) == ("PENDING", 0)
    with service.dispatcher():
        assert service.wait(job_id) is JobState.SUCCEEDED


def test_one_dispatcher_at_a_time(service: LocalService) -> None:
    """Let a second dispatcher wait for the place, and give up when told to."""
    stopping = threading.Event()
    with (
        sole_dispatcher(service.folders.lock, service.database, wait=stopping.wait) as first,
        sole_dispatcher(service.folders.lock, service.database, wait=lambda _: True) as second,
    ):
        assert (first, second) == (True, False)

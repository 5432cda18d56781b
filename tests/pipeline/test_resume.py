"""A dataset's bytes depend on the job alone: not on workers, chunks, kills or a full disk."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tiny_job import digests, tiny_job, write_job

from datagen.pipeline.job import generate, open_job


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Digests of the job run whole: one worker, one chunk per segment."""
    folder = tmp_path_factory.mktemp("whole")
    generate(open_job(write_job(folder, tiny_job())), folder / "out", workers=1, chunk_frames=100)
    return digests(folder / "out")


@pytest.mark.parametrize(("workers", "chunk_frames"), [(1, 1), (2, 2), (2, 3)])
def test_workers_and_chunks_change_nothing(tmp_path: Path, whole: dict[str, str], workers: int, chunk_frames: int) -> None:  # fmt: skip
    """Give the same bytes in every file for any cut of the work."""
    job = open_job(write_job(tmp_path, tiny_job()))
    generate(job, tmp_path / "out", workers=workers, chunk_frames=chunk_frames)
    assert digests(tmp_path / "out") == whole


@pytest.mark.slow
def test_killed_ten_times_and_resumed(tmp_path: Path, whole: dict[str, str]) -> None:
    """Kill the whole process group at random moments; go on each time; end with the same bytes."""
    out = tmp_path / "out"
    command = [
        sys.executable, "-m", "datagen", "generate", str(write_job(tmp_path, tiny_job())),
        "-o", str(out), "-j", "2", "--chunk-frames", "1", "--quiet",
    ]  # fmt: skip
    rng = random.Random(7)
    begin = time.monotonic()
    subprocess.run(
        [*command[:6], str(tmp_path / "timing"), *command[7:]], check=True, capture_output=True
    )
    duration = time.monotonic() - begin
    for _ in range(10):
        process = subprocess.Popen(command, start_new_session=True, stdout=subprocess.DEVNULL)
        time.sleep(rng.uniform(0.2, 1.0) * duration)
        with_children = os.getpgid(process.pid)
        os.killpg(with_children, signal.SIGKILL)
        process.wait()
    finished = subprocess.run(command, capture_output=True, text=True)
    assert finished.returncode == 0, finished.stderr
    assert digests(out) == whole


def damage(chunk: Path) -> None:
    with (chunk / "frames.depth.npy").open("r+b") as file:
        file.seek(-1, os.SEEK_END)
        file.write(b"\x55")


def age(chunk: Path) -> None:
    seal = json.loads((chunk / "seal.json").read_text())
    seal["versions"]["numba"] = "0.1"
    (chunk / "seal.json").write_text(json.dumps(seal))


@pytest.mark.parametrize("spoil", [damage, age])
def test_spoilt_chunk_is_made_anew(
    tmp_path: Path, whole: dict[str, str], spoil: Callable[[Path], None]
) -> None:
    """Adopt the chunks before one that is damaged, or that other versions made; make the rest again."""
    from datagen.pipeline.worker import run_segment
    from datagen.plan import plan_job

    job = open_job(write_job(tmp_path, tiny_job()))
    out = tmp_path / "out"
    plans = plan_job(job.spec)
    frames: list[int] = []

    def stop_at_five(report: dict[str, object]) -> None:
        if report["event"] == "frame":
            frames.append(int(str(report["frame"])))
        if report.get("frame") == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_segment(job.spec, plans[0], out=out, base_dir=job.base_dir, chunk_frames=2, report=stop_at_five)  # fmt: skip
    chunks = sorted((out / ".work" / "orbit" / "chunks").iterdir())
    assert [chunk.name for chunk in chunks] == ["000000-000002", "000002-000004"]
    spoil(chunks[1])
    frames.clear()
    run_segment(job.spec, plans[0], out=out, base_dir=job.base_dir, chunk_frames=2, report=lambda r: frames.append(r["frame"]) if r["event"] == "frame" else None)  # fmt: skip
    assert frames == [2, 3, 4, 5, 6]
    assert digests(out)["orbit.h5"] == whole["orbit.h5"]


def test_finished_dataset_is_left_alone(tmp_path: Path, whole: dict[str, str]) -> None:
    """Do nothing when the same job is already finished."""
    job = open_job(write_job(tmp_path, tiny_job()))
    generate(job, tmp_path / "out", workers=1)
    before = (tmp_path / "out" / "orbit.h5").stat().st_mtime_ns
    generate(job, tmp_path / "out", workers=1)
    assert (tmp_path / "out" / "orbit.h5").stat().st_mtime_ns == before
    assert digests(tmp_path / "out") == whole

"""The commands that a supervisor starts: one stage of a job each, reports as JSON lines.

`datagen generate` and the service run the same three; people have no need of them.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from datagen.cli.group import FILE, machine_told
from datagen.errors import DatagenError, kind_of

if TYPE_CHECKING:
    from schemas.job import JobSpec


@click.command("prepare-job", hidden=True)
@click.argument("spec", type=FILE)
@click.argument("out", type=FILE)
@click.option("--supervised", is_flag=True, help="End when standard input closes.")
def prepare_job(spec: Path, out: Path, supervised: bool) -> None:
    """Check everything that can be wrong with SPEC and get OUT ready for `run-segment`."""
    from datagen.pipeline.job import finished_manifest, open_job, prepare
    from datagen.pipeline.layout import WORK
    from datagen.store import folder_lock

    with _as_worker(supervised):
        if finished_manifest(out) is None:
            with folder_lock(out / WORK):
                prepare(open_job(spec), out, on_report=lambda _index, report: _report(report))
        _report({"event": "prepared"})


@click.command("run-segment", hidden=True)
@click.argument("out", type=FILE)
@click.argument("index", type=int)
@click.option("--base-dir", type=FILE, required=True)
@click.option("--chunk-frames", type=click.IntRange(1, 10_000), required=True)
@click.option("--threads", type=click.IntRange(1, 1024), default=1)
@click.option("--supervised", is_flag=True, help="End when standard input closes.")
def run_segment(
    out: Path, index: int, base_dir: Path, chunk_frames: int, threads: int, supervised: bool
) -> None:
    """Bring one segment of the job in OUT to its file; progress as JSON lines on standard output."""
    from datagen.pipeline.worker import run_segment as run
    from datagen.plan import plan_job

    with _as_worker(supervised):
        spec = _held_spec(out)
        plan = plan_job(spec)[index]
        run(
            spec, plan, out=out, base_dir=base_dir, chunk_frames=chunk_frames, threads=threads,
            report=_report,
        )  # fmt: skip
        _report({"event": "sealed"})


@click.command("finish-job", hidden=True)
@click.argument("out", type=FILE)
@click.option("--supervised", is_flag=True, help="End when standard input closes.")
def finish_job(out: Path, supervised: bool) -> None:
    """Describe the dataset in OUT, whose segments are all there, and list its files."""
    from datagen.archive import digest_folder
    from datagen.pipeline.job import UnverifiedError, finish

    with _as_worker(supervised):
        spec = _held_spec(out)
        try:
            finish(spec, out, on_report=_report)
        except UnverifiedError as error:
            _report({"event": "unverified", "segments": error.segments})
            return
        found = digest_folder(
            out, folder=spec.name, on_file=lambda name: _report({"event": "digested", "file": name})
        )
        files = [
            {"name": name, "size": size, "sha256": digest} for name, size, digest in found.files
        ]
        _report({"event": "described", "files": files, "archive_sha256": found.archive_sha256})


def _held_spec(out: Path) -> JobSpec:
    from datagen.pipeline.layout import JOB
    from datagen.spec_file import parse_as
    from schemas.job import JobSpec

    held = json.loads((out / JOB).read_text(encoding="utf-8"))
    return parse_as(JobSpec, held["spec"], source=JOB)


@contextlib.contextmanager
def _as_worker(supervised: bool) -> Iterator[None]:
    """Report errors raised on purpose; do not outlive the supervisor."""
    if supervised:
        threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        with machine_told():
            yield
    except DatagenError as error:
        _report({"event": "error", "kind": kind_of(error), "message": str(error)})
        raise SystemExit(2) from error


def _report(report: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(report) + "\n")
    sys.stdout.flush()


def _end_with_parent() -> None:
    while os.read(0, 4096):  # not sys.stdin: its lock would be held at interpreter shutdown
        pass
    os._exit(1)

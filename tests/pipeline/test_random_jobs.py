"""Whatever a job may ask for comes out as a dataset that passes its own checks."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from random_jobs import RandomJobs
from tiny_job import write_job

from datagen.pipeline.job import finish, open_job, prepare
from datagen.pipeline.worker import run_segment
from datagen.plan import plan_job
from datagen.store import folder_lock
from datagen.validate import validate

SEEDS = range(int(os.environ.get("DATAGEN_RANDOM_JOBS", "16")))


def made(job: dict[str, Any], folder: Path) -> Path:
    """The dataset of a job, made in this process."""
    opened, out = open_job(write_job(folder, job)), folder / "out"
    with folder_lock(out / ".work"):
        prepare(opened, out)
        for plan in plan_job(opened.spec):
            run_segment(
                opened.spec, plan, out=out, base_dir=opened.base_dir, chunk_frames=2,
                report=lambda _: None,
            )  # fmt: skip
    finish(opened.spec, out)
    return out


@pytest.mark.parametrize("seed", SEEDS)
def test_random_jobs_pass_their_checks(seed: int, tmp_path: Path) -> None:
    """Generate and validate; DATAGEN_RANDOM_JOBS=1000 looks further."""
    job = RandomJobs(seed).job()
    report = validate(made(job, tmp_path))
    assert report.passed, f"{job}\n{report.describe()}"

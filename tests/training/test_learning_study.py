"""The study in examples/: its job is a job, and its results can be told."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from schemas.job import JobSpec

SCRIPT = Path(__file__).parents[2] / "examples" / "learning_study.py"


@pytest.fixture(scope="module")
def study() -> ModuleType:
    """The script as a module; it needs matplotlib."""
    pytest.importorskip("matplotlib").use("Agg")
    spec = importlib.util.spec_from_file_location("learning_study", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def found(study: ModuleType) -> dict[str, Any]:
    """Results as `judge` gives them."""
    epe = {"epe_zero_flow": 2.0, "epe_mean_flow": 1.9, "epe_oracle_translation": 1.0}
    by_stream = {
        stream: {"ratio": 0.3, "density": 0.1 * (k + 1), "protocol": "native", "epe": epe}
        for k, stream in enumerate(study.STREAMS)
    }
    return dict.fromkeys(study.TRAINED_ON, by_stream)


def test_the_job_holds_out_takes_and_a_scene(study: ModuleType) -> None:
    """Keep a take of each trajectory in a layout of its own, and a room, from training."""
    job = JobSpec.model_validate(study.job(takes=2, duration=0.2))
    held_out = [s.file_stem for s in job.segments if s.split == "test"]
    assert len(held_out) == 4
    assert len(job.segments) == 3 * 2 + 4
    assert {sensor.name for sensor in job.sensors} == set(study.STREAMS)


def test_results_are_told_in_a_table_and_a_plot(study: ModuleType, tmp_path: Path) -> None:
    """Name every network and stream, and the baselines."""
    text = study.table(found(study))
    for name in (*study.TRAINED_ON, *study.STREAMS, "oracle translation", "0.500"):
        assert name in text
    study.draw(found(study), tmp_path / "study.png")
    assert (tmp_path / "study.png").stat().st_size > 10_000

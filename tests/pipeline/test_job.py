"""What a whole job promises: it validates, rests when nothing moves, and needs bounded memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from tiny_job import SENSORS, tiny_job, write_job

from datagen.cli import main
from datagen.dataset import open_dataset
from datagen.pipeline.job import generate, open_job
from datagen.validate import validate


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("job")
    generate(open_job(write_job(folder, tiny_job())), folder / "out", workers=2)
    return folder / "out"


def test_dataset_passes_its_own_checks(dataset: Path) -> None:
    """Validate what was generated, physics included."""
    report = validate(dataset)
    assert report.passed, report.describe()


def test_folder_holds_what_the_manifest_names_and_no_work(dataset: Path) -> None:
    """Leave no temporary and no working file behind."""
    manifest = json.loads((dataset / "manifest.json").read_text())
    files = {str(p.relative_to(dataset)) for p in dataset.rglob("*") if p.is_file()}
    assert {segment["file"] for segment in manifest["segments"]} <= files
    assert {"job.json", "card.json", "card.md", "previews/orbit.png"} <= files
    assert not [name for name in files if ".work" in name or ".partial" in name]


def test_workers_are_never_silent_for_long(tmp_path: Path) -> None:
    """Report every frame that is rendered and packaged, every segment and file that is read again."""
    spec, out = str(write_job(tmp_path, tiny_job())), str(tmp_path / "out")
    place = ("--base-dir", str(tmp_path), "--chunk-frames", "4")
    heard: list[list[str]] = []
    for command in (("prepare-job", spec, out), *(("run-segment", out, i, *place) for i in "01"), ("finish-job", out)):  # fmt: skip
        said = CliRunner().invoke(main, command, catch_exceptions=False).stdout
        heard.append([json.loads(line)["event"] for line in said.splitlines()])
    for events, frames in zip(heard[1:3], (7, 5), strict=True):
        assert events.count("frame") == events.count("packaged") == frames
    assert heard[3].count("verified") == heard[3].count("counted") == 2
    files = [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
    assert heard[3].count("digested") == len(files)


def test_stored_flow_follows_from_the_stored_labels(dataset: Path) -> None:
    """Recompute flow from depth, instances and poses alone: the same bits."""
    with open_dataset(dataset) as opened:
        for segment in opened.segments:
            for k in range(segment.frame_count - 1):
                for (flow, valid), (again, valid_again) in (
                    (segment.flow_forward(k), segment.flow(k, k + 1)),
                    (segment.flow_backward(k + 1), segment.flow(k + 1, k)),
                ):
                    np.testing.assert_array_equal(flow, again)
                    np.testing.assert_array_equal(valid, valid_again)
                    assert valid.any()


def test_sub_frames_do_not_lie_apart_further_than_asked(dataset: Path) -> None:
    """Render more pictures where motion is faster: at least |flow| / max_displacement."""
    with open_dataset(dataset) as opened:
        for segment in opened.segments:
            counts = segment.read("frames/sub_frame_count")
            bound = segment.spec.sub_frames.max_displacement
            assert counts[0] == 1
            for k in range(segment.frame_count - 1):
                flow, valid = segment.flow_forward(k)
                furthest = float(np.linalg.norm(flow[valid], axis=1).max())
                assert counts[k + 1] >= np.floor(furthest / bound)


def test_a_world_at_rest_gives_no_events(tmp_path: Path) -> None:
    """Give not one event when neither camera nor object moves."""
    job = tiny_job(
        scene={"kind": "preset", "preset": "tabletop", "seed": 2, "objects": 6, "moving_objects": 0},
        segments=[
            {
                "segment_id": 0, "duration": 0.5, "frame_rate": 20.0,
                "trajectory": {"kind": "static", "position": [1.5, 0.3, 0.9]},
            }
        ],
    )  # fmt: skip
    generate(open_job(write_job(tmp_path, job)), tmp_path / "out", workers=1, chunk_frames=4)
    with open_dataset(tmp_path / "out") as opened:
        segment = opened.segments[0]
        assert [len(segment.events(s["name"])) for s in SENSORS if s["kind"] != "spike_camera"] == [
            0,
            0,
        ]
        assert len(np.unique([segment.rgb(k) for k in range(10)], axis=0)) == 1


def test_spikes_count_the_integral_of_luminance(tmp_path: Path) -> None:
    """Count spikes at rest: the integral of light over the threshold, within one per pixel."""
    job = tiny_job(
        sensors=[{"kind": "spike_camera", "name": "spikes", "rate_hz": 4000.0, "start": "zero"}],
        segments=[
            {
                "segment_id": 0, "duration": 0.5, "frame_rate": 20.0,
                "trajectory": {"kind": "static", "position": [1.5, 0.3, 0.9]},
            }
        ],
    )  # fmt: skip
    job["scene"]["moving_objects"] = 0
    generate(open_job(write_job(tmp_path, job)), tmp_path / "out", workers=1)
    with open_dataset(tmp_path / "out") as opened:
        segment = opened.segments[0]
        spikes = segment.spikes()
        counts = spikes.slice_by_poll(0, len(spikes)).unpack().sum(axis=0)
        charge = np.minimum(segment.luminance(0) * spikes.alpha, 1.0) * len(spikes)
    rounding = charge * 2.0**-11  # stored luminance is half precision
    assert (np.abs(counts - charge) <= 1 + rounding).all()


@pytest.mark.slow
def test_memory_does_not_grow_with_the_length_of_a_segment(tmp_path: Path) -> None:
    """Need at most 10 % more memory for 600 frames than for 60."""
    peaks = [peak_memory(tmp_path / str(n), n) for n in (60, 600)]
    assert peaks[1] <= 1.1 * peaks[0]


def peak_memory(folder: Path, frames: int) -> int:
    """Peak resident memory of the worker of a segment of so many frames."""
    folder.mkdir()
    job = tiny_job(
        segments=[
            {
                "segment_id": 0, "duration": frames / 200, "frame_rate": 200.0,
                "trajectory": {"kind": "orbital", "angular_speed": 0.05},
            }
        ]
    )  # fmt: skip
    code = (
        "import sys; from pathlib import Path\n"
        "from datagen.pipeline.job import open_job\n"
        "from datagen.pipeline.worker import run_segment\n"
        "from datagen.plan import plan_job\n"
        "job = open_job(Path(sys.argv[1]))\n"
        "run_segment(job.spec, plan_job(job.spec)[0], out=Path(sys.argv[2]), base_dir=job.base_dir,"
        " report=lambda _: None)\n"
    )
    command = [sys.executable, "-c", code, str(write_job(folder, job)), str(folder / "out")]
    environment = os.environ | {"NUMBA_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    with subprocess.Popen(command, env=environment) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    return usage.ru_maxrss


def test_noise_labels_reach_the_file(tmp_path: Path) -> None:
    """Tell noise from signal: at rest every event of a noisy camera is labelled noise."""
    rest = {"kind": "static", "position": [1.5, 0.3, 0.9]}
    noisy = {"kind": "event_camera", "shot_noise_rate_hz": 20.0, "labels": True}
    segment = {"segment_id": 0, "duration": 0.5, "frame_rate": 20.0, "trajectory": rest}
    job = tiny_job(sensors=[noisy], segments=[segment])
    job["scene"]["moving_objects"] = 0
    generate(open_job(write_job(tmp_path, job)), tmp_path / "out", workers=1, chunk_frames=1)
    assert validate(tmp_path / "out").passed
    with open_dataset(tmp_path / "out") as opened:
        events = opened.segments[0].events().slice_by_frame(0, 9)
        assert len(events) > 100
        assert events.noise is not None
        assert (events.noise == 1).all()

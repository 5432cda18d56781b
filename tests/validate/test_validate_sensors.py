"""What the cameras of every preset record passes its own checks."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

import h5py
from tiny_job import tiny_job, write_job

from datagen.pipeline.job import generate, open_job
from datagen.validate import Report, validate
from schemas.sensor import EventCameraSpec, SpikeCameraSpec


def _presets(kind: type[EventCameraSpec] | type[SpikeCameraSpec]) -> list[str]:
    return [p for p in get_args(get_args(kind.model_fields["preset"].annotation)[0]) if p]


def test_every_camera_passes(tmp_path: Path) -> None:
    """Pass what presets, dead times and resets record, at a frame rate that divides no microsecond."""
    spikes = [
        *({"preset": preset} for preset in _presets(SpikeCameraSpec)),
        {"reset": "zero"}, {"dead_time_us": 40.0}, {"electrons_per_spike": 3.0},
    ]  # fmt: skip
    events = [*({"preset": preset} for preset in _presets(EventCameraSpec)), {"brownian": "dvs346"}]
    sensors = [
        {"kind": kind, "name": f"{kind[0]}{number}", **settings}
        for kind, list_of in (("event_camera", events), ("spike_camera", spikes))
        for number, settings in enumerate(list_of)
    ]
    segment = {
        "segment_id": 0,
        "duration": 0.1,
        "frame_rate": 60.0,
        "trajectory": {"kind": "orbital"},
    }
    job = open_job(write_job(tmp_path, tiny_job(sensors=sensors, segments=[segment])))
    generate(job, tmp_path / "out", workers=1)
    report = validate(tmp_path / "out")
    assert report.passed, report.describe()
    checked = {check.name for check in report.checks if check.limit is not None}
    assert {"spikes/rate", "spikes_s4/correlation", "spikes_s5/correlation"} <= checked


def test_slow_pixels_and_readouts_pass(tmp_path: Path) -> None:
    """Do not ask of events what a low-pass, jitter or a jammed readout takes away from them."""
    settings: dict[str, dict[str, Any]] = {
        "jitter": {"preset": "dvxplorer", "threshold_on": 0.03, "threshold_off": 0.03},
        "slow": {"cutoff_hz": 2.0},
        "slower": {"cutoff_hz": 4.0, "filter_order": 2},
        "filtered": {
            "cutoff_hz": 60.0,
            "filter_order": 2,
            "threshold_on": 0.05,
            "threshold_off": 0.05,
        },
        "late": {"latency_us": 100_000},
        "jammed": {"arbiter": "serial", "readout_rate": 2e3},
    }
    sensors = [{"kind": "event_camera", "name": name, **given} for name, given in settings.items()]
    segment = {
        "segment_id": 0,
        "duration": 0.15,
        "frame_rate": 60.0,
        "trajectory": {"kind": "orbital", "angular_speed": 3.0},
    }
    job = open_job(write_job(tmp_path, tiny_job(sensors=sensors, segments=[segment])))
    generate(job, tmp_path / "out", workers=1)
    report = validate(tmp_path / "out")
    assert report.passed, report.describe()
    measured = {check.name: check.value for check in report.checks}
    assert measured["events/dead_time"] is measured["events_slow/correlation"] is None
    assert measured["events_filtered/correlation"] > 0.6


def test_motion_that_frames_do_not_show_passes(tmp_path: Path) -> None:
    """Do not take the light between two frames for theirs where the camera goes to and fro."""
    sensors = [
        {
            "kind": "event_camera",
            "name": "dvs",
            "threshold_sigma": 0.1,
            "refractory_period_us": 900,
        },
        {"kind": "spike_camera", "name": "rods"},
    ]
    segment = {
        "segment_id": 0,
        "duration": 0.6,
        "frame_rate": 10.0,
        "trajectory": {"kind": "radial", "amplitude": 0.3, "frequency": 19.0},
    }
    spec = tiny_job(sensors=sensors, segments=[segment], sub_frames={"max_per_frame": 48})
    job = open_job(write_job(tmp_path, spec))
    generate(job, tmp_path / "out", workers=1)
    report = validate(tmp_path / "out")
    assert report.passed, report.describe()
    seen = {check.name: check.value for check in report.checks}
    assert seen["spikes/total"] is seen["spikes/rate"] is seen["events/correlation"] is None


def test_polls_that_end_with_a_frame_are_counted_exactly(tmp_path: Path) -> None:
    """Agree on polls whose end rounding alone brings onto a frame: 1000 / 3 Hz is below a third."""
    report = _report(tmp_path, {"kind": "spike_camera", "rate_hz": 1000 / 3})
    assert report.passed, report.describe()
    assert "spikes/polls" in {check.name for check in report.checks}


def _report(folder: Path, sensor: dict[str, object]) -> Report:
    """The checks of a short segment at 20 frames per second."""
    segment = {
        "segment_id": 0,
        "duration": 0.35,
        "frame_rate": 20.0,
        "trajectory": {"kind": "orbital"},
    }
    job = open_job(write_job(folder, tiny_job(sensors=[sensor], segments=[segment])))
    generate(job, folder / "out", workers=1)
    return validate(folder / "out")


def test_held_light_of_a_damaged_count_of_pictures_is_reported(tmp_path: Path) -> None:
    """Go on to the end where a file says that an interval had no picture."""
    assert _report(tmp_path, {"kind": "spike_camera", "interpolation": "hold"}).passed
    (file,) = (tmp_path / "out").glob("*.h5")
    with h5py.File(file, "a") as opened:
        opened["frames/sub_frame_count"][2] = 0
    assert not validate(tmp_path / "out").passed

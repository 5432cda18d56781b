"""What the cameras of every preset record passes its own checks."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

from tiny_job import tiny_job, write_job

from datagen.pipeline.job import generate, open_job
from datagen.validate import validate
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

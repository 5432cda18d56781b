"""A job small enough for tests: a textured stage, two segments, all three sensors."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import yaml

SENSORS = [
    {"kind": "event_camera", "name": "events", "threshold_on": 0.1, "threshold_off": 0.1},
    {"kind": "spike_camera", "name": "spikes", "rate_hz": 2000},
    {"kind": "frame_difference", "name": "difference"},
]


def tiny_job(**changes: Any) -> dict[str, Any]:
    """A job of two segments of 7 and 5 frames at 40x32 over a preset with one moving object."""
    base = {"duration": 0.35, "frame_rate": 20.0}
    return {
        "name": "tiny",
        "seed": 3,
        "scene": {"kind": "preset", "preset": "planes", "seed": 1, "objects": 3, "moving_objects": 1},
        "camera": {"width": 40, "height": 32},
        "renderer": {"kind": "embedded", "samples": 4},
        "sensors": SENSORS,
        "segments": [
            {"segment_id": 4, "name": "orbit", **base, "trajectory": {"kind": "orbital"}},
            {
                "segment_id": 7, "name": "radial", **base, "duration": 0.25, "split": "test",
                "trajectory": {"kind": "radial", "shake": {"seed": 2}},
            },
        ],
        **changes,
    }  # fmt: skip


def write_job(folder: Path, job: dict[str, Any]) -> Path:
    """Write a job as YAML and return its path."""
    path = folder / "job.yaml"
    path.write_text(yaml.safe_dump(job))
    return path


def digests(folder: Path) -> dict[str, str]:
    """SHA-256 of every file of a dataset folder by its name."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }

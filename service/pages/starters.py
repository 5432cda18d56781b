"""What the form starts from: whole jobs, and one good example of every part that can be added."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from service.pages.documents import Document

ORBIT: Document = {"kind": "orbital", "radius": 1.6, "height": 0.8, "angular_speed": 0.6}
RADIAL: Document = {
    "kind": "radial", "direction": [0.8, 0.6, 0.6], "distance": 1.7, "amplitude": 0.4,
    "frequency": 0.35,
}  # fmt: skip
VERTICAL: Document = {
    "kind": "vertical", "base": [-1.4, 0.8, 0.9], "amplitude": 0.4, "frequency": 0.4,
}  # fmt: skip
LINEAR: Document = {"kind": "linear", "start": [-1.2, -1.5, 0.9], "velocity": [0.8, 0.1, 0.0]}
LISSAJOUS: Document = {
    "kind": "lissajous", "center": [0.2, -1.6, 0.9], "amplitude": [0.4, 0.15, 0.2],
    "frequency": [0.3, 0.2, 0.4],
}  # fmt: skip
SHAKE: Document = {"position_rms": 0.003, "rotation_rms_deg": 0.25}
WAYPOINTS: list[Document] = [
    {"t": 0.0, "position": [1.5, -0.6, 0.8]},
    {"t": 1.0, "position": [1.4, 0.3, 1.0]},
    {"t": 2.0, "position": [0.9, 1.2, 0.8]},
]

#: one good example of every kind in a union, by the kind's name
KINDS: dict[str, Document] = {
    "orbital": ORBIT,
    "radial": RADIAL,
    "vertical": VERTICAL,
    "linear": LINEAR,
    "static": {"kind": "static", "position": [1.5, 0.0, 0.8]},
    "lissajous": LISSAJOUS,
    "spline": {"kind": "spline", "waypoints": WAYPOINTS},
    "recorded": {"kind": "recorded", "path": "", "format": "tum"},
    "preset": {"kind": "preset", "preset": "tabletop", "seed": 1, "objects": 14, "moving_objects": 2},
    "usd": {"kind": "usd", "path": ""},
    "event_camera": {
        "kind": "event_camera", "name": "events", "threshold_on": 0.15, "threshold_off": 0.15,
    },
    "spike_camera": {"kind": "spike_camera", "name": "spikes", "rate_hz": 5000},
    "frame_difference": {"kind": "frame_difference", "name": "difference", "threshold": 0.2},
    "look_at": {"kind": "look_at", "target": [0.0, 0.0, 0.0]},
    "fixed": {"kind": "fixed", "quaternion_xyzw": [0.0, 0.0, 0.0, 1.0]},
    "ramp": {"kind": "ramp", "start": 1.0, "rate": 0.1},
    "sine": {"kind": "sine", "mean": 0.8, "amplitude": 0.3, "frequency": 0.5},
}  # fmt: skip

#: one good example of parts that have no kind, by the field's name
PARTS: dict[str, Document] = {
    "shake": SHAKE,
    "segments": {"segment_id": 0, "duration": 2.0, "frame_rate": 30, "trajectory": ORBIT},
    "waypoints": {"t": 3.0, "position": [1.5, 0.0, 0.8]},
}


@dataclass(frozen=True, slots=True)
class Template:
    """A job to start from."""

    key: str
    title: str
    about: str
    document: Document


def _shipped(name: str) -> Document:
    text = (Path(__file__).parent / "jobs" / f"{name}.yaml").read_text(encoding="utf-8")
    document: Document = yaml.safe_load(text)
    return document


def _short(name: str, trajectory: Document, **changes: Any) -> Document:
    """A small job with one path, some minutes of work at most."""
    return {
        "name": name,
        "seed": 1,
        "scene": KINDS["preset"],
        "camera": {"width": 128, "height": 128, "horizontal_fov_deg": 60},
        "sensors": [KINDS["event_camera"], KINDS["spike_camera"]],
        "segments": [
            {
                "segment_id": 0, "name": name, "duration": 2.0, "frame_rate": 30,
                "trajectory": trajectory,
            }
        ],
        **changes,
    }  # fmt: skip


def _templates() -> tuple[Template, ...]:
    return (
        Template(
            "quickstart", "Quickstart",
            "Four short paths around a table, one held out for testing.", _shipped("quickstart"),
        ),
        Template(
            "seed-five", "Seed five",
            "Five paths of 600 frames at 256 x 256 and 100 Hz.", _shipped("seed_five"),
        ),
        Template("orbit", "Orbit", "A circle around the scene.", _short("orbit", ORBIT)),
        Template("radial", "Radial", "Towards the scene and away.", _short("radial", RADIAL)),
        Template("vertical", "Vertical", "Up and down beside it.", _short("vertical", VERTICAL)),
        Template(
            "hand-held", "Hand-held", "A wandering path with tremor.",
            _short("hand-held", {**LISSAJOUS, "shake": SHAKE}),
        ),
        Template(
            "fly-through", "Fly-through", "Along a corridor in a straight line.",
            _short(
                "fly-through",
                {
                    "kind": "linear", "start": [-2.0, 0.0, 1.2], "velocity": [1.2, 0.0, 0.0],
                    "orientation": {"kind": "along_path"},
                },
                scene={**KINDS["preset"], "preset": "corridor"},
            ),
        ),
        Template(
            "waypoints", "Waypoints", "A smooth curve through points of your own.",
            _short("waypoints", KINDS["spline"]),
        ),
    )  # fmt: skip


TEMPLATES = {template.key: template for template in _templates()}

"""Faults name the field, and what may have been meant."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from datagen.faults import describe_faults
from schemas.export import ExportSpec
from schemas.job import JobSpec


def lines(kind: Any, data: Any) -> list[str]:
    with pytest.raises(ValidationError) as caught:
        TypeAdapter(kind).validate_python(data)
    return describe_faults(caught.value, kind)


def job(trajectory: Any = None, **changes: Any) -> dict[str, Any]:
    path = {"kind": "orbital"} if trajectory is None else trajectory
    segment = {"segment_id": 0, "duration": 1.0, "frame_rate": 30.0, "trajectory": path}
    return {"segments": [segment], **changes}


PATH = "segments/0/trajectory"


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (job(sensors=[{"kind": "event_camera", "threshhold_on": 0.2}]),
         "sensors/0/event_camera/threshhold_on: no such field; did you mean 'threshold_on'?"),
        (job(camera={"optics": {"colour": 1}}), "camera/optics/colour: no such field; expected one"),
        (job({"kind": "orbital", "radius": {"kind": "ramp", "start": 1.0, "rate": 0.0, "rat": 1}}),
         f"{PATH}/orbital/radius/ramp/rat: no such field; did you mean 'rate'?"),
        (job({"kind": "orbit"}), f"{PATH}: kind is 'orbit'; expected one of 'orbital', 'radial'"),
        (job({"radius": 1.0}), f"{PATH}: kind is missing; expected one of 'linear', 'lissajous'"),
        (job({"kind": "orbital", "radius": {"start": 1.0}}),
         f"{PATH}/orbital/radius: kind is missing; expected one of 'ramp', 'sine'"),
        (job({"kind": "orbital", "radius": "wide"}),
         f"{PATH}/orbital/radius: Input should be a valid number (got 'wide')"),
        (job({"kind": "orbital", "radius": -1.0}),
         f"{PATH}/orbital: radius is -1.0; expected above 0"),
        (job(camera={"exposure": "manual"}),
         "camera/exposure: Input should be a valid number (got 'manual'); or: Input should be 'auto'"),
        (job(camera={"my-lens": 1}), "camera/my-lens: no such field"),
        (job(name="My Dataset"), "name: expected a to z, digits, - and _"),
    ],
)  # fmt: skip
def test_fault_of_a_job(data: dict[str, Any], expected: str) -> None:
    """Tell one fault in one line, with the nearest name or all that are known."""
    [line] = lines(JobSpec, data)
    assert line.startswith(expected)


def test_fault_of_an_export() -> None:
    """Tell the faults of a union of specs alike."""
    assert lines(ExportSpec, {"kind": "evt3", "clok": "job"}) == [
        "evt3/clok: no such field; did you mean 'clock'?"
    ]


def test_long_values_are_cut() -> None:
    """Show no more of a wrong value than helps."""
    [line] = lines(JobSpec, job(name="x" * 1000))
    assert len(line) < 220

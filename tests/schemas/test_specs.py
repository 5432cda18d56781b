"""Specs are frozen, closed and finite, and their digests are stable."""

import json
import math
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from datagen.errors import SpecError
from datagen.spec_file import load_spec, load_yaml, parse_as
from schemas.camera import CameraSpec
from schemas.job import JobSpec
from schemas.sensor import EventCameraSpec
from schemas.trajectory import Radial, Vertical, first_turn

SEGMENT: dict[str, Any] = {
    "segment_id": 0, "duration": 1.0, "frame_rate": 30.0,
    "trajectory": {"kind": "orbital", "radius": 1.5},
}  # fmt: skip

ZERO_TURN = {
    "kind": "recorded", "path": "a.txt", "world_from_recording": {"quaternion_xyzw": [0, 0, 0, 0]},
}  # fmt: skip


def with_trajectory(**changes: Any) -> dict[str, Any]:
    return {"segments": [{**SEGMENT, "trajectory": {**SEGMENT["trajectory"], **changes}}]}


def test_digest_ignores_how_a_number_is_written() -> None:
    """Give 1, 1.0 and a default written out the same digest."""
    plain = JobSpec.model_validate({"segments": [SEGMENT]})
    spelled = JobSpec.model_validate_json(
        json.dumps({"seed": 0, "segments": [{**SEGMENT, "duration": 1}]})
    )
    assert plain.digest() == spelled.digest()


@pytest.mark.parametrize(
    ("data", "where", "what"),
    [
        (with_trajectory(kind="orbitel"), "segments/0/trajectory", "orbitel"),
        (with_trajectory(direction="up"), "segments/0/trajectory/orbital/direction", "up"),
        (with_trajectory(radius=float("inf")), "segments/0/trajectory/orbital/radius", "inf"),
        (with_trajectory(kind="radial", distance=-1.0), "segments/0/trajectory/radial/distance", "-1.0"),
        (with_trajectory(radius=-1.0), "segments/0/trajectory/orbital", "radius is -1.0"),
        (with_trajectory(phase="3"), "segments/0/trajectory/orbital/phase", "'3'"),
        (with_trajectory(phase=True), "segments/0/trajectory/orbital/phase", "True"),
        (with_trajectory(orientation={"kind": "fixed", "quaternion_xyzw": [0, 0, 0, 0]}),
         "segments/0/trajectory/orbital/orientation/fixed/quaternion_xyzw", "zero length"),
        ({"segments": [{**SEGMENT, "trajectory": ZERO_TURN}]},
         "segments/0/trajectory/recorded/world_from_recording/quaternion_xyzw", "zero length"),
        ({"segments": [SEGMENT], "camera": {"mount": {"quaternion_xyzw": [0, 0, 0, 0]}}},
         "camera/mount/quaternion_xyzw", "zero length"),
        ({"segments": [{**SEGMENT, "duration": 0.001}]}, "segments/0", "gives 0 frames"),
        ({"segments": []}, "segments", "at least 1"),
        ({"segments": [SEGMENT], "sensors": [{"kind": "event_camera", "threshold_on": 20}]},
         "sensors/0", "less than or equal to 5 (got 20)"),
        ({"segments": [SEGMENT, SEGMENT]}, "job: segments: ", "segment_id 0 is given more than once; each must be unique"),
        ({"segments": [SEGMENT], "sensors": [{"kind": "spike_camera"}] * 2}, "job: sensors: ",
         "name spikes is given more than once; each must be unique"),
        ({"segments": [SEGMENT], "colour": 1}, "colour", "no such field; expected one of camera"),
        ({"segments": [SEGMENT], "camera": {"fx": 100.0, "horizontal_fov_deg": 60.0}}, "camera", "both"),
        ({"segments": [{**SEGMENT, "name": "../x"}]}, "segments/0/name", "../x"),
    ],
)  # fmt: skip
def test_fault_names_the_field_and_the_value(data: Any, where: str, what: str) -> None:
    """Say where the fault is and what was seen."""
    with pytest.raises(SpecError) as caught:
        parse_as(JobSpec, data, source="job")
    assert where in str(caught.value)
    assert what in str(caught.value)
    assert "{'" not in str(caught.value)  # no part of the job as Python would print it


@pytest.mark.parametrize(
    ("path", "turns_at"),
    [
        (Radial(frequency=0.5), 0.5),
        (Radial(frequency=0.5, phase=1.0), (math.pi / 2 - 1) / math.pi),
        (Radial(frequency=0.5, phase=math.pi / 2), 1.0),
        (Vertical(frequency=2.0, phase=-20.0), (20 - 6.5 * math.pi + math.pi) / (4 * math.pi)),
        (Vertical(frequency=2.0, phase=20.0), (6.5 * math.pi - 20) / (4 * math.pi)),
    ],
)
def test_a_path_that_turns_back_has_no_direction_to_look_along(
    path: Radial | Vertical, turns_at: float
) -> None:
    """Find the first turn, and refuse `along_path` where a segment reaches it."""
    assert first_turn(path) == pytest.approx(turns_at)
    looking = {**path.model_dump(), "orientation": {"kind": "along_path", "up": [0.0, 1.0, 0.2]}}
    for frames in (5, 6):  # the last one before the turn, and after it
        segment = {**SEGMENT, "trajectory": looking, "duration": 1.1 * turns_at * frames / 5}
        segment |= {"frame_rate": frames / segment["duration"]}
        if frames == 5:
            parse_as(JobSpec, {"segments": [segment]}, source="job")
            continue
        with pytest.raises(SpecError, match="turns back at t ="):
            parse_as(JobSpec, {"segments": [segment]}, source="job")


def test_specs_are_frozen() -> None:
    """Refuse to change a spec."""
    spec = CameraSpec()
    with pytest.raises(ValidationError):
        spec.width = 3  # type: ignore[misc]


def test_intrinsics_follow_the_field_of_view() -> None:
    """Put the principal point in the middle and 90 degrees at half the width."""
    camera = CameraSpec(width=200, height=100, horizontal_fov_deg=90.0).intrinsics
    assert (camera.cx, camera.cy) == (100.0, 50.0)
    assert camera.fx == pytest.approx(100.0)
    assert camera.fy == camera.fx


def test_yaml_floats_may_leave_out_the_point(tmp_path: Path) -> None:
    """Read 1e-3 as a number, which plain YAML 1.1 does not."""
    text = (
        json.dumps({"sensors": [], "segments": [SEGMENT]})[:-1] + ', "camera": {"exposure": 1e-3}}'
    )
    (tmp_path / "job.yaml").write_text(text)
    assert load_spec(tmp_path / "job.yaml").camera.exposure == 1e-3


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"{a: [", b"- 1", b"3"])
def test_unreadable_spec_file_is_refused(tmp_path: Path, content: bytes) -> None:
    """Name the file that is not a job."""
    path = tmp_path / "job.yaml"
    path.write_bytes(content)
    with pytest.raises(SpecError, match=r"job\.yaml"):
        load_spec(path)


def test_missing_spec_file_is_refused(tmp_path: Path) -> None:
    """Name the file that is not there."""
    with pytest.raises(SpecError, match="no such file"):
        load_spec(tmp_path / "none.yaml")


def test_names_of_v2e() -> None:
    """Take v2e's names in v2e's units."""
    given = {"pos_thres": 0.3, "neg_thres": 0.4, "sigma_thres": 0.01, "refractory_period_s": 5e-4}
    spec = EventCameraSpec.model_validate(given)
    assert (spec.threshold_on, spec.threshold_off, spec.threshold_sigma) == (0.3, 0.4, 0.01)
    assert spec.refractory_period_us == 500


@pytest.mark.parametrize(
    "given",
    [
        {"refractory_period_s": "0.0005"},
        {"refractory_period_s": float("inf")},
        {"refractory_period_s": float("nan")},
        {"refractory_period_s": True},
        {"refractory_period_s": None},
        {"refractory_period_s": 5e-4, "refractory_period_us": 500},
        {"pos_thres": 0.3, "threshold_on": 0.1},
        {"threshold_off": 0.1, "neg_thres": 0.3},
    ],
)
def test_names_of_v2e_are_never_dropped(given: dict[str, Any]) -> None:
    """Refuse a value that cannot be used, and one quantity given twice."""
    with pytest.raises(ValidationError, match=r"expected seconds|give one of them"):
        EventCameraSpec.model_validate(given)


def test_dates_are_text(tmp_path: Path) -> None:
    """Take a date in YAML for the name that it is."""
    file = tmp_path / "job.yaml"
    file.write_text(f"name: 2024-01-31\nsegments: {json.dumps([SEGMENT])}\n")
    assert load_spec(file).name == "2024-01-31"


@pytest.mark.parametrize(
    ("file", "content"),
    [("job.yaml", "name: a\nsensors: []\nname: b"), ("job.yaml", "camera: {width: 8, width: 9}"),
     ("job.json", '{"name": "a", "name": "b"}')],
)  # fmt: skip
def test_field_given_twice_is_refused(tmp_path: Path, file: str, content: str) -> None:
    """Do not drop the first of two values in silence."""
    (tmp_path / file).write_text(content)
    with pytest.raises(SpecError, match=r"(?s)'(name|width)' is given.*give it once"):
        load_spec(tmp_path / file)


def test_merged_yaml_keys_may_be_overridden(tmp_path: Path) -> None:
    """Take `<<` and a value of one's own beside it, and a merge of merges."""
    text = "base: &base {a: 1, b: 2}\nmore: &more {<<: *base, a: 3}\nlast: {<<: *more, a: 4}\n"
    (tmp_path / "x.yaml").write_text(text)
    assert load_yaml(tmp_path / "x.yaml")["last"] == {"a": 4, "b": 2}

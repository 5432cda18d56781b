"""Every check passes on a good file and fails, alone where it can, when its promise is broken."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from tiny_dataset import build_segment

from datagen.dataset import Segment
from datagen.errors import DatasetError
from datagen.validate import Report, validate
from schemas.job import JobSpec

Damage = Callable[[h5py.File], object]


def _failed(report: Report) -> set[str]:
    return {check.name for check in report.failed}


def _put(column: str, index: Any, value: Any) -> Damage:
    """Write a value into a part of a column."""

    def damage(file: h5py.File) -> None:
        whole = file[column][()]
        whole[index] = value
        file[column][...] = whole

    return damage


def _change(column: str, change: Callable[[np.ndarray], np.ndarray]) -> Damage:
    """Replace the values of a column."""

    def damage(file: h5py.File) -> None:
        file[column][...] = change(file[column][()])

    return damage


def _both(*damages: Damage) -> Damage:
    def damage(file: h5py.File) -> None:
        for one in damages:
            one(file)

    return damage


def _recast(column: str, dtype: str) -> Damage:
    def damage(file: h5py.File) -> None:
        values = file[column][()].astype(dtype)
        del file[column]
        file[column] = values

    return damage


def _shorten(column: str) -> Damage:
    def damage(file: h5py.File) -> None:
        values = file[column][:-1]
        del file[column]
        file[column] = values

    return damage


def _delete(name: str) -> Damage:
    def damage(file: h5py.File) -> None:
        del file[name]

    return damage


def _attribute(group: str, name: str, value: Any) -> Damage:
    def damage(file: h5py.File) -> None:
        if value is None:
            del file[group].attrs[name]
        else:
            file[group].attrs[name] = value

    return damage


def _swap_times(file: h5py.File) -> None:
    """Exchange the times of two neighbours in different pixels, within one millisecond."""
    t, x = file["events/t"][()], file["events/x"][()]
    near = (np.diff(t) > 0) & (np.diff(x.astype(int)) != 0) & (np.diff(t // 1000) == 0)
    i = int(np.flatnonzero(near & (t[:-1] % 1000 > 0))[0])
    t[[i, i + 1]] = t[[i + 1, i]]
    file["events/t"][...] = t


def _early_difference(file: h5py.File) -> None:
    """Let a pixel that fired in the last frame fire 5 us before this one."""
    t, x, y = (file[f"events_difference/{n}"][()] for n in ("t", "x", "y"))
    last = {(a, b) for a, b, c in zip(x, y, t, strict=True) if c == 80_000}
    first = int(np.flatnonzero(t == 120_000)[0])
    again = next(i for i in range(first, len(t)) if (x[i], y[i]) in last)
    for name, values in (("x", x), ("y", y)):
        values[[first, again]] = values[[again, first]]
        file[f"events_difference/{name}"][...] = values
    p = file["events_difference/p"][()]
    p[[first, again]] = p[[again, first]]
    file["events_difference/p"][...] = p
    t[first] -= 5
    file["events_difference/t"][...] = t


def _sensor(**changes: Any) -> Damage:
    """Change the first event sensor in the job and in the stream."""

    def damage(file: h5py.File) -> None:
        spec = _change_job(file, "sensors", changes)
        file["events"].attrs["sensor"] = spec.sensors[0].model_dump_json()

    return damage


def _spike_sensor(**changes: Any) -> Damage:
    """Change the spike camera in the job and in the stream."""

    def damage(file: h5py.File) -> None:
        spec = _change_job(file, "sensors", changes, index=1)
        file["spikes"].attrs["sensor"] = spec.sensors[1].model_dump_json()

    return damage


def _segment(**changes: Any) -> Damage:
    """Change the first segment in the job."""
    return lambda file: _change_job(file, "segments", changes)


def _change_job(file: h5py.File, part: str, changes: dict[str, Any], *, index: int = 0) -> JobSpec:
    job = json.loads(file.attrs["spec"])
    job[part][index].update(changes)
    spec = JobSpec.model_validate(job)
    file.attrs["spec"], file.attrs["spec_sha256"] = spec.canonical_json(), spec.digest()
    return spec


def _true_flow(file: h5py.File) -> None:
    """Make the flow fit to damaged labels, so that only the labels are wrong."""
    path = Path(file.filename)
    file.flush()
    with Segment(path) as segment:
        for k in range(segment.frame_count):
            for name, j in (("forward", k + 1), ("backward", k - 1)):
                if 0 <= j < segment.frame_count:
                    flow, valid = segment.flow(k, j)
                    file[f"flow/{name}"][k], file[f"flow/{name}_valid"][k] = flow, valid


def _flip_three(p: np.ndarray) -> np.ndarray:
    return np.append(1 - p[:3], p[3:])


def _bright_as_dark(packed: np.ndarray) -> np.ndarray:
    """Give the brightest pixel the spikes of the darkest and so on; as many as before."""
    bits = np.unpackbits(packed, axis=1, count=23 * 33, bitorder="little")
    order = np.argsort(bits.sum(axis=0))
    bits[:, order] = bits[:, order[::-1]]
    return np.packbits(bits, axis=1, bitorder="little")


DAMAGES: list[tuple[str, Damage]] = [
    ("layout/columns", _delete("frames/rgb")),
    ("layout/columns", _recast("frames/depth", "f8")),
    ("layout/columns", _shorten("frames/depth")),
    ("layout/columns", _shorten("events/p")),
    ("layout/columns", _delete("spikes/frame_to_poll")),
    ("layout/attributes", _attribute("calib", "exposure", None)),
    ("layout/attributes", _attribute("events", "key", "seven")),
    ("layout/spec", _attribute("/", "spec_sha256", "0" * 64)),
    ("layout/spec", _attribute("/", "spec", "{}")),
    ("layout/spec", _attribute("/", "licence", "none")),
    ("layout/spec", _attribute("calib", "fx", 25.0)),
    ("layout/spec", _change("t_offset", lambda t: t + 1)),
    ("layout/spec", _attribute("spikes", "width", 16)),
    ("layout/spec", _attribute("spikes", "rate_hz", np.nan)),
    ("frames/times", _segment(frame_rate=25.0001)),
    ("frames/segment_id", _put("frames/segment_id", 4, 9)),
    ("frames/sub_frame_count", _put("frames/sub_frame_count", 4, 0)),
    ("flow/interval", _put("flow/to_us", 1, 7)),
    ("objects", _put("objects/instance_id", 2, 1)),
    ("objects", _both(_put("objects/moving_id", 0, 9), _true_flow)),
    ("pose/continuous", _change("pose/quaternion_xyzw", lambda q: np.append(q[:3], -q[3:], 0))),
    ("pose/linear_velocity", _change("pose/linear_velocity", lambda v: v + 0.01)),
    ("pose/angular_velocity", _change("pose/angular_velocity", lambda w: 1.02 * w)),
    ("events/order", _swap_times),
    ("events/range", _put("events/x", -1, 33)),
    ("events/range", _put("events/p", -1, 2)),
    ("events/index", _change("events/frame_to_idx", lambda i: i - (i == i[2]))),
    ("events/index", _put("ms_to_idx", 5, 0)),
    ("events/dead_time", _sensor(refractory_period_us=1000)),
    ("events_difference/dead_time", _early_difference),
    ("events/balance", _change("events/p", lambda p: 1 - p)),
    ("events/balance", _put("events/p", slice(None, None, 10), 1)),
    ("events/correlation", _both(_sensor(refractory_period_us=1),
                                 _change("events/p", lambda p: 1 - p))),
    ("events_difference/difference", _change("events_difference/p", _flip_three)),
    ("spikes/polls", _put("spikes/frame_to_poll", 2, 161)),
    ("spikes/polls", _attribute("spikes", "bitorder", "big")),
    ("spikes/padding", _put("spikes/packed", (7, -1), 255)),
    ("spikes/total", _put("spikes/packed", (slice(None), slice(8)), 255)),
    ("spikes/rate", _change("spikes/packed", _bright_as_dark)),
    ("spikes/correlation", _both(_spike_sensor(gain_sigma=0.01),
                                 _change("spikes/packed", _bright_as_dark))),
    ("depth/positive", _both(_put("frames/depth", (1, 3, 3), -1), _true_flow)),
    ("instance/known", _both(_put("frames/instance", (1, 3, 3), 7), _true_flow)),
    ("instance/background", _both(_put("frames/depth", (1, 3, 3), np.inf), _true_flow)),
    ("rgb/luminance", _change("frames/rgb", lambda rgb: rgb + 3)),
    ("flow/exact", _put("flow/forward", (0, 5, 5, 0), 0.01)),
    ("flow/exact", _put("flow/backward_valid", (3, 5, 9), 0)),
    ("flow/borders", _put("flow/forward_valid", (-1, 5, 5), 1)),
    ("flow/borders", _put("flow/backward", (0, 5, 5), 1)),
]  # fmt: skip

CONSEQUENCES: list[tuple[set[str], Damage]] = [
    ({"pose/unit", "flow/exact"}, _change("pose/quaternion_xyzw", lambda q: q * (1 + 1e-6))),
    ({"pose/unit", "flow/exact"}, _put("pose/quaternion_xyzw", 2, 0)),
    ({"pose/unit", "flow/exact"}, _put("pose/quaternion_xyzw", 2, np.nan)),
    ({"spikes/polls", "spikes/total", "spikes/rate"}, _put("spikes/frame_to_poll", 2, 2**63 + 5)),
    ({"flow/cycle", "flow/exact"}, _change("flow/backward", lambda f: f + 0.2 * (f != 0))),
    ({"flow/warp", "flow/exact"}, _both(_change("flow/forward", np.negative),
                                        _change("flow/backward", np.negative))),
]  # fmt: skip
"""Promises whose breach breaks another by necessity."""


def test_good_dataset_passes(tiny: Path) -> None:
    """Pass every check, of files and of the folder, each measured where it can be."""
    report = validate(tiny)
    assert report.passed, report.describe()
    assert {check.segment for check in report.checks} == {"first", "second"}
    measured = {check.name for check in report.checks if check.limit is not None}
    wanted = {name for name, _ in DAMAGES} | {n for names, _ in CONSEQUENCES for n in names}
    wanted |= {"manifest/file", "manifest/entry"}
    assert wanted - measured == {"events/correlation", "spikes/correlation"}


@pytest.mark.parametrize(
    ("name", "damage"), DAMAGES, ids=[f"{i}-{name}" for i, (name, _) in enumerate(DAMAGES)]
)
def test_broken_promise_fails_its_check_alone(copy: Path, name: str, damage: Damage) -> None:
    """Fail the check of the broken promise and no other."""
    with h5py.File(copy / "first.h5", "a") as file:
        damage(file)
    assert _failed(validate(copy / "first.h5")) == {name}


@pytest.mark.parametrize(("names", "damage"), CONSEQUENCES, ids=[min(n) for n, _ in CONSEQUENCES])
def test_broken_promise_fails_with_its_consequence(
    copy: Path, names: set[str], damage: Damage
) -> None:
    """Fail the check of the broken promise and the one that follows from it."""
    with h5py.File(copy / "first.h5", "a") as file:
        damage(file)
    assert _failed(validate(copy / "first.h5")) == names


def test_still_scene_passes_and_may_not_change(tmp_path: Path) -> None:
    """Accept a scene at rest, and refuse a change of light in it."""
    path = build_segment(tmp_path / "still.h5", still=True)
    report = validate(path)
    assert report.passed, report.describe()
    with h5py.File(path, "a") as file:
        file["frames/luminance"][2, 4, 4] *= 1.01
    assert _failed(validate(path)) == {"flow/still"}


def test_damaged_bytes_are_reported(copy: Path) -> None:
    """Report a chunk whose checksum is wrong instead of stopping."""
    path = copy / "first.h5"
    with h5py.File(path, "a") as file:
        depth = file["frames/depth"][()]
        del file["frames/depth"]
        stored = file.create_dataset("frames/depth", data=depth, fletcher32=True)
        offset = stored.id.get_chunk_info(0).byte_offset
    data = bytearray(path.read_bytes())
    data[offset + 10] ^= 255
    path.write_bytes(data)
    report = validate(path)
    assert _failed(report) == {"layout/readable"}
    assert "frames/depth" in report.failed[0].message


def test_changed_file_is_reported(copy: Path) -> None:
    """Report a file that the manifest's digest does not fit."""
    with h5py.File(copy / "first.h5", "a") as file:
        file.attrs["versions"] = json.dumps({"tiny": "2"})
    assert _failed(validate(copy)) == {"manifest/file"}


def test_missing_file_is_reported(copy: Path) -> None:
    """Report a missing file and go on with the next."""
    (copy / "first.h5").unlink()
    report = validate(copy)
    assert [(c.name, c.segment) for c in report.failed] == [("manifest/file", "first")]
    assert any(check.segment == "second" for check in report.checks)


def test_wrong_count_in_manifest_is_reported(copy: Path) -> None:
    """Report counts that are not those of the file."""
    manifest = json.loads((copy / "manifest.json").read_text())
    manifest["segments"][1]["streams"][0]["count"] += 1
    (copy / "manifest.json").write_text(json.dumps(manifest))
    report = validate(copy)
    assert [(c.name, c.segment) for c in report.failed] == [("manifest/entry", "second")]


def test_no_dataset_is_refused(tmp_path: Path) -> None:
    """Raise where there is nothing to report on."""
    with pytest.raises(DatasetError, match="no such file"):
        validate(tmp_path / "none.h5")


def test_report_is_json_and_text(copy: Path) -> None:
    """Give the same verdict to machines and to people."""
    with h5py.File(copy / "first.h5", "a") as file:
        file["frames/rgb"][...] = 0
    report = validate(copy / "first.h5")
    parsed = json.loads(report.to_json())
    assert not parsed["passed"]
    bad = [check for check in parsed["checks"] if not check["passed"]]
    assert [check["name"] for check in bad] == ["rgb/luminance"]
    assert bad[0]["value"] > bad[0]["limit"]
    told = report.describe().splitlines()
    assert "1 FAILED" in told[-1]
    assert told[-2].startswith("  FAIL  rgb/luminance")
    assert told[-2].endswith("(first)")
    assert told[-3] == "failed:"
    assert sum("FAIL  " in line for line in told) == 2


def test_report_of_what_is_no_number_is_json(copy: Path) -> None:
    """Say null where a program that reads JSON would stumble over NaN."""
    with h5py.File(copy / "first.h5", "a") as file:
        file["pose/linear_velocity"][2] = np.nan
    text = validate(copy / "first.h5").to_json()
    parsed = json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))
    [bad] = [check for check in parsed["checks"] if not check["passed"]]
    assert (bad["name"], bad["value"]) == ("pose/linear_velocity", None)


def test_progress_counts_frames(tiny: Path) -> None:
    """Call back after every frame."""
    seen: list[tuple[str, int, int]] = []
    validate(tiny / "first.h5", progress=lambda *step: seen.append(step))
    assert seen == [("first", k + 1, 6) for k in range(6)]

"""The same job through both renderers: the same labels, the same pictures, events and spikes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from contract.scenes import CAMERA, busy_scene
from isaac.isaac_kit import SPEC, installation, operator
from isaac.scene_usd import write_scene
from tiny_job import digests, tiny_job, write_job

from datagen.pipeline.job import generate, open_job
from datagen.render.isaac.host import IsaacSimRenderer
from datagen.render.isaac.profile_file import write_profile
from datagen.validate import validate

SEGMENT = {
    "segment_id": 4, "name": "orbit", "duration": 0.25, "frame_rate": 20.0,
    "trajectory": {"kind": "orbital"},
}  # fmt: skip
EXACT = {"frames/instance": 0.0, "frames/t": 0.0, "frames/sub_frame_count": 0.0}
CLOSE = {
    "frames/depth": 1e-4, "flow/forward": 1e-3, "flow/backward": 1e-3, "pose/position": 1e-6,
    "pose/quaternion_xyzw": 1e-6, "frames/rgb": 1.0,
}  # fmt: skip


def made(folder: Path, renderer: dict[str, Any]) -> Path:
    job = tiny_job(renderer=renderer, segments=[SEGMENT])
    folder.mkdir()
    generate(open_job(write_job(folder, job)), folder / "out", workers=1)
    return folder / "out"


@pytest.fixture(scope="module")
def theirs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The job, rendered by the fake."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in operator().items():
            patch.setenv(name, value)
        return made(tmp_path_factory.mktemp("theirs") / "job", {"kind": "isaac"})


@pytest.mark.slow
def test_same_job_through_both(theirs: Path, tmp_path: Path) -> None:
    """Agree to 1e-4 m, 1e-3 px, 1e-6 and a grey level; say that nothing is verified."""
    ours = made(tmp_path / "ours", {"kind": "embedded", "samples": 4})
    with h5py.File(ours / "orbit.h5") as a, h5py.File(theirs / "orbit.h5") as b:
        for name, tolerance in (EXACT | CLOSE).items():
            x, y = (np.asarray(file[name], np.float64) for file in (a, b))
            np.testing.assert_allclose(y, x, rtol=0, atol=tolerance, err_msg=name)
        events = [len(file["events/t"]) for file in (a, b)]
        assert abs(events[1] - events[0]) < 0.01 * events[0]
        assert bool(a.attrs["verified"])
        assert not bool(b.attrs["verified"])
        assert b.attrs["renderer"] == "isaac"
    for folder, verified in ((ours, True), (theirs, False)):
        assert validate(folder).passed, validate(folder).describe()
        for name in ("manifest.json", "card.json"):
            assert json.loads((folder / name).read_text())["verified"] is verified


@pytest.mark.slow
def test_crash_changes_no_byte(
    theirs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Give the same dataset when Isaac Sim crashes on the way."""
    mark = tmp_path / "crashed"
    for name, value in operator(crash_at=25, only_once=str(mark)).items():
        monkeypatch.setenv(name, value)
    again = made(tmp_path / "again", {"kind": "isaac"})
    assert mark.exists()
    assert digests(again) == digests(theirs)


def test_profile_makes_it_verified(tmp_path: Path) -> None:
    """Believe a passing profile of these versions, and no failing one."""
    seen = busy_scene()
    stage_file, profile = write_scene(seen, tmp_path), tmp_path / "profile.json"
    found = installation()
    renderer = IsaacSimRenderer(
        SPEC, seen, CAMERA, stage_file=stage_file, placement=None,
        installation=type(found)(found.command, found.environment, profile),
    )  # fmt: skip
    versions = renderer.ready["versions"]
    for passed in (True, False):
        write_profile(
            profile, versions=versions, spec=SPEC, strategy="P", motion=False,
            checks=[{"passed": passed}],
        )  # fmt: skip
        assert renderer.verified is passed
    renderer.close()

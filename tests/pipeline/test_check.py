"""What is looked at before a job's first picture, and that it is no more than needed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from scipy.spatial.transform import Rotation
from tiny_job import tiny_job, write_job

from datagen.errors import SceneError
from datagen.pipeline import check
from datagen.pipeline.job import open_job, prepare
from datagen.scenes.presets import plan_preset
from datagen.scenes.stage import load_scene
from datagen.store import folder_lock
from schemas.scene import PresetScene

PRESET = PresetScene(preset="tabletop", seed=5)
BOX = '#usda 1.0\n(upAxis = "Z"\nmetersPerUnit = 1)\ndef Cube "Box" {\n double size = 2\n}\n'


def stills(*positions: tuple[float, float, float], **changes: Any) -> dict[str, Any]:
    """A job of a segment per position, with a camera at rest there."""
    segments = [
        {
            "segment_id": i, "duration": 0.1, "frame_rate": 20.0,
            "trajectory": {"kind": "static", "position": position},
        }
        for i, position in enumerate(positions)
    ]  # fmt: skip
    return tiny_job(segments=segments, **changes)


def prepared(folder: Path, job: dict[str, Any]) -> list[int]:
    """The segments that `prepare` reported, in its order."""
    checked: list[int] = []
    out = folder / "out"
    with folder_lock(out / ".work"):
        prepare(
            open_job(write_job(folder, job)), out, on_report=lambda index, _: checked.append(index)
        )
    return checked


def middle_of_an_object(segment_id: int) -> tuple[float, float, float]:
    """The mean of the points of the preset's first object."""
    objects = (
        p for p in plan_preset(PRESET, segment_id=segment_id).placements if p.group == "Objects"
    )
    first = next(objects)
    local = first.scale * first.part.shape.points.mean(axis=0)
    x, y, z = Rotation.from_quat(first.quaternion_xyzw).apply(local) + first.position
    return float(x), float(y), float(z)


def test_a_camera_inside_an_object_of_a_preset(tmp_path: Path) -> None:
    """Name the second of two segments when its camera is put into an object."""
    job = stills((1.5, 0.0, 1.5), middle_of_an_object(1), scene=PRESET.model_dump(mode="json"))
    with pytest.raises(SceneError, match=r"segments/1/trajectory: .* inside /World/Objects/"):
        prepared(tmp_path, job)


def test_nothing_is_painted(tmp_path: Path) -> None:
    """Leave no stage behind: a thousand of them would take an hour and ten gigabytes."""
    assert prepared(tmp_path, tiny_job()) == [0, 1]
    files = {path.name for path in (tmp_path / "out").rglob("*") if path.is_file()}
    assert files == {"job.json"}


def test_a_stage_is_loaded_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Load a stage that three segments show one time."""
    loaded = []

    def load(path: Path, **options: Any) -> Any:
        loaded.append(path.name)
        return load_scene(path, **options)

    monkeypatch.setattr(check, "load_scene", load)
    (tmp_path / "box.usda").write_text(BOX)
    outside = ((3.0, 0.0, 0.0), (0.0, 3.0, 0.0), (-3.0, 0.0, 0.0))
    assert prepared(tmp_path, stills(*outside, scene={"kind": "usd", "path": "box.usda"})) == [
        0,
        1,
        2,
    ]
    assert loaded == ["box.usda"]

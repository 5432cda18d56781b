"""Bad input gives one clear message, exit code 2, and nothing half written."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from click.testing import CliRunner, Result
from tiny_job import digests, tiny_job, write_job

from datagen.cli import main
from schemas.h5 import FORMAT_MAJOR


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments))


def refused(tmp_path: Path, job: dict[str, Any]) -> str:
    """The message that `generate` gives for a job it must refuse, leaving nothing behind."""
    spec = write_job(tmp_path, job)
    result = run("generate", str(spec), "-o", str(tmp_path / "out"), "--quiet")
    assert result.exit_code == 2, result.output
    assert not (tmp_path / "out").exists()
    assert result.stderr.startswith("error: ")
    assert "Traceback" not in result.stderr
    return result.stderr


def one_segment(trajectory: dict[str, Any], **changes: Any) -> dict[str, Any]:
    segment = {"segment_id": 0, "duration": 0.2, "frame_rate": 20.0, "trajectory": trajectory}
    return tiny_job(segments=[{**segment, **changes}])


@pytest.mark.parametrize(
    ("trajectory", "told"),
    [
        ({"kind": "orbitel"}, ("segments/0/trajectory", "orbitel", "orbital")),
        ({"kind": "orbital", "radius": -1.0}, ("radius is -1.0", "above 0")),
        ({"kind": "orbital", "radius": float("inf")}, ("radius", "inf", "finite")),
        (
            {"kind": "static", "position": [0, 0, 2], "orientation": {"kind": "look_at", "target": [0, 0, 2]}},
            ("segments/0/trajectory", "target"),
        ),
        ({"kind": "recorded", "path": "absent.txt"}, ("absent.txt", "no such file")),
    ],
)  # fmt: skip
def test_trajectory(tmp_path: Path, trajectory: dict[str, Any], told: tuple[str, ...]) -> None:
    """Refuse an unknown kind, a negative or infinite radius, an undefined look-at, a missing file."""
    message = refused(tmp_path, one_segment(trajectory))
    for part in told:
        assert part in message


def test_zero_frames(tmp_path: Path) -> None:
    """Refuse a segment without frames."""
    message = refused(tmp_path, one_segment({"kind": "orbital"}, duration=0.001))
    assert "segments/0" in message
    assert "0 frames" in message


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        (["0 0 0 1 0 0 0 1"] * 3, "stamps"),
        (["0 0 0 1 0 0 0 1", "2 0 0 1 0 0 0 1", "1 0 0 1 0 0 0 1", "3 0 0 1 0 0 0 1", "4 0 0 1 0 0 0 1"], "increas"),
        ([f"{i} {i} 0 1 0 0 0 {1 if i != 2 else 0}" for i in range(6)], "zero length"),
        ([f"{i} {i} 0 1 0 0 0 1" if i != 2 else "2 a b" for i in range(6)], ":3"),
    ],
)  # fmt: skip
def test_recording(tmp_path: Path, lines: list[str], told: str) -> None:
    """Refuse too few or unsorted stamps, a quaternion of zero length, a malformed line."""
    (tmp_path / "path.txt").write_text("\n".join(lines) + "\n")
    message = refused(tmp_path, one_segment({"kind": "recorded", "path": "path.txt"}))
    assert "path.txt" in message
    assert told in message


def test_camera_inside_an_object(tmp_path: Path) -> None:
    """Name the time, the place and the object."""
    stage = tmp_path / "box.usda"
    stage.write_text(
        '#usda 1.0\n(upAxis = "Z"\nmetersPerUnit = 1)\ndef Cube "Box" {\n double size = 2\n}\n'
    )
    look = {"kind": "look_at", "target": [5.0, 0.0, 0.0]}
    job = one_segment({"kind": "linear", "start": [-3.0, 0.0, 0.0], "velocity": [15.0, 0.0, 0.0], "orientation": look})  # fmt: skip
    job["scene"] = {"kind": "usd", "path": "box.usda"}
    message = refused(tmp_path, job)
    assert "inside /Box" in message
    assert "t = 0.150 s" in message


def test_too_large_for_the_disk(tmp_path: Path) -> None:
    """Say how much is needed and how much is free."""
    message = refused(tmp_path, one_segment({"kind": "orbital"}, duration=1e7))
    assert "need at least" in message
    assert "are free" in message


def test_too_large_for_the_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Say that memory is short instead of where the program stood."""

    def estimate(*_: object, **__: object) -> None:
        raise MemoryError("Unable to allocate 71.5 GiB")

    monkeypatch.setattr("datagen.pipeline.estimate.estimate", estimate)
    result = run("estimate", str(write_job(tmp_path, tiny_job())))
    assert result.exit_code == 2
    assert result.stderr.startswith("error: out of memory: Unable to allocate 71.5 GiB")


@pytest.mark.parametrize("content", [None, "not a stage", "#usda 1.0\ndef Mesh {{{"])
def test_stage(tmp_path: Path, content: str | None) -> None:
    """Refuse a stage that does not exist or is not USD."""
    if content is not None:
        (tmp_path / "stage.usda").write_text(content)
    job = tiny_job(scene={"kind": "usd", "path": "stage.usda"})
    assert "stage.usda" in refused(tmp_path, job)


def test_missing_texture(tmp_path: Path) -> None:
    """Name the material and the picture that is missing."""
    (tmp_path / "stage.usda").write_text(TEXTURED_STAGE)
    message = refused(tmp_path, tiny_job(scene={"kind": "usd", "path": "stage.usda"}))
    assert "absent.png" in message
    assert "/Paint" in message


def test_folder_of_another_job(tmp_path: Path) -> None:
    """Leave another job's dataset as it is."""
    out = tmp_path / "out"
    first = one_segment({"kind": "orbital"})
    assert (
        run("generate", str(write_job(tmp_path, first)), "-o", str(out), "--quiet").exit_code == 0
    )
    before = digests(out)
    other = write_job(tmp_path, {**first, "seed": 99})
    result = run("generate", str(other), "-o", str(out), "--quiet")
    assert result.exit_code == 2
    assert "already holds another job" in result.stderr
    assert digests(out) == before


def test_folder_with_other_files(tmp_path: Path) -> None:
    """Leave a folder that is not ours as it is."""
    out = tmp_path / "out"
    out.mkdir()
    (out / "thesis.txt").write_text("mine")
    result = run("generate", str(write_job(tmp_path, tiny_job())), "-o", str(out), "--quiet")
    assert result.exit_code == 2
    assert "thesis.txt" in result.stderr
    assert os.listdir(out) == ["thesis.txt"]


def test_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep what was sealed when the disk fills, and finish the same bytes afterwards."""
    import errno

    from datagen.pipeline import sealing
    from datagen.pipeline.job import open_job
    from datagen.pipeline.worker import run_segment
    from datagen.plan import plan_job

    job = open_job(write_job(tmp_path, one_segment({"kind": "orbital"})))
    plan = plan_job(job.spec)[0]
    whole, out = tmp_path / "whole", tmp_path / "out"
    arguments = {"base_dir": job.base_dir, "chunk_frames": 1, "report": lambda _r: None}
    run_segment(job.spec, plan, out=whole, **arguments)
    saved, save = [], np.save

    def fill_up(path: Path, array: Any) -> None:
        saved.append(path)
        if len(saved) > 40:
            raise OSError(errno.ENOSPC, "No space left on device")
        save(path, array)

    monkeypatch.setattr(sealing.np, "save", fill_up)
    from datagen.errors import ResourceError

    with pytest.raises(ResourceError, match="no space left on the device"):
        run_segment(job.spec, plan, out=out, **arguments)
    assert not list(out.glob("*.h5"))
    assert not [p for p in (out / ".work").rglob("*") if p.name.startswith(".partial")]
    monkeypatch.undo()
    run_segment(job.spec, plan, out=out, **arguments)
    assert digests(out)["segment-00000.h5"] == digests(whole)["segment-00000.h5"]


TEXTURED_STAGE = """#usda 1.0
(
    upAxis = "Z"
    metersPerUnit = 1
)
def Mesh "Quad" (
    prepend apiSchemas = ["MaterialBindingAPI"]
)
{
    int[] faceVertexCounts = [4]
    int[] faceVertexIndices = [0, 1, 2, 3]
    point3f[] points = [(-1, -1, 0), (1, -1, 0), (1, 1, 0), (-1, 1, 0)]
    texCoord2f[] primvars:st = [(0, 0), (1, 0), (1, 1), (0, 1)] (interpolation = "vertex")
    rel material:binding = </Paint>
}
def Material "Paint"
{
    token outputs:surface.connect = </Paint/Surface.outputs:surface>
    def Shader "Surface"
    {
        uniform token info:id = "UsdPreviewSurface"
        color3f inputs:diffuseColor.connect = </Paint/Picture.outputs:rgb>
        token outputs:surface
    }
    def Shader "Picture"
    {
        uniform token info:id = "UsdUVTexture"
        asset inputs:file = @absent.png@
        float3 outputs:rgb
    }
}
"""


def trained_on(path: Path, out: Path) -> str:
    """The message that `train` gives for a file it must refuse, leaving nothing behind."""
    result = run("train", str(path), "-o", str(out), "--steps", "1", "--quiet")
    assert result.exit_code == 2, result.output
    assert not list(out.glob("*.pt"))
    assert result.stderr.startswith("error: ")
    return result.stderr


def test_training_on_a_foreign_or_damaged_file(tmp_path: Path, tiny: Path) -> None:
    """Refuse a file that is no HDF5, another program's HDF5, and a truncated one."""
    pytest.importorskip("torch", reason="training needs the extra `train`")
    (tmp_path / "text.h5").write_text("not HDF5")
    with h5py.File(tmp_path / "foreign.h5", "w") as file:
        file["events/t"] = [1, 2, 3]
    whole = (tiny / "first.h5").read_bytes()
    (tmp_path / "truncated.h5").write_bytes(whole[: len(whole) // 2])
    for name in ("text.h5", "foreign.h5", "truncated.h5", "absent.h5"):
        assert name in trained_on(tmp_path / name, tmp_path / "model")


def test_training_on_a_newer_format(tmp_path: Path, tiny: Path) -> None:
    """Name both format versions when the file is from a newer program."""
    pytest.importorskip("torch", reason="training needs the extra `train`")
    newer = tmp_path / "newer.h5"
    newer.write_bytes((tiny / "first.h5").read_bytes())
    with h5py.File(newer, "r+") as file:
        file.attrs["format_version"] = "9.0"
    message = trained_on(newer, tmp_path / "model")
    assert "9.0" in message
    assert f"up to {FORMAT_MAJOR}.x" in message

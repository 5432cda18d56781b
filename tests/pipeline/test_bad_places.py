"""Places where nothing can be read or written: one message in words, exit code 2."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from tiny_dataset import build_segment
from tiny_job import tiny_job, write_job

from datagen.cli import main
from datagen.errors import DiskFullError
from datagen.store import clear_disk_errors


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments))


@pytest.mark.parametrize("verb", ["generate", "export", "preview"])
def test_folder_that_cannot_be_made(tmp_path: Path, verb: str) -> None:
    """Name the place where nothing can be written."""
    (tmp_path / "file").write_text("")
    segment = build_segment(tmp_path / "good.h5")
    given = {
        "generate": [str(write_job(tmp_path, tiny_job())), "--quiet"],
        "export": [str(segment), "--format", "csv"],
        "preview": [str(segment)],
    }
    result = run(verb, *given[verb], "-o", str(tmp_path / "file" / "out"))
    assert result.exit_code == 2, result.output
    assert result.stderr.startswith(f"error: {tmp_path / 'file' / 'out'}")
    assert "Not a directory; expected a place" in result.stderr


def test_a_folder_is_no_job(tmp_path: Path) -> None:
    """Tell a folder from a file that is not there."""
    assert "is a folder; expected YAML" in run("estimate", str(tmp_path)).stderr


def test_interrupt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Say that the same command goes on."""

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("datagen.pipeline.job.generate", interrupted)
    job = write_job(tmp_path, tiny_job())
    result = run("generate", str(job), "-o", str(tmp_path / "out"), "--quiet")
    assert result.exit_code == 130
    assert "the same command goes on" in result.stderr


@pytest.mark.parametrize(
    "error",
    [OSError("1018848 requested and 556812 written"), RuntimeError("unexpected pos 1236 vs 1237")],
)
def test_short_writes_on_a_full_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    """Take bytes that numpy or torch could not write for a full disk, when it is full."""
    with pytest.raises(type(error)), clear_disk_errors(tmp_path):
        raise error
    monkeypatch.setattr("datagen.store.free_bytes", lambda _path: 0)
    with pytest.raises(DiskFullError, match="no space left"), clear_disk_errors(tmp_path):
        raise error

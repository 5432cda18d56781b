"""Places where nothing can be read or written: one message in words, exit code 2."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from tiny_dataset import build_segment
from tiny_job import tiny_job, write_job

from datagen.cli import main


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

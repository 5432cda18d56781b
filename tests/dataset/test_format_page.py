"""The page on the file format is of this version, and its examples run."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from schemas.h5 import FORMAT_VERSION

PAGE = (Path(__file__).parents[2] / "docs" / "dataset_format.md").read_text("utf-8")


def test_page_is_of_this_version() -> None:
    """Head the page with the version of the format."""
    assert PAGE.startswith(f"# Dataset format {FORMAT_VERSION}\n")


@pytest.mark.parametrize("number", [0, 1])
def test_examples_run(tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int) -> None:  # fmt: skip
    """Run the reading examples on a dataset of 6 frames; both give frame 3's events."""
    (tmp_path / "my-dataset").symlink_to(tiny)
    monkeypatch.chdir(tmp_path)
    code = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)[number]
    code = code.replace("segment.flow(3, 7)", "segment.flow(3, 5)").replace("orbit", "first")
    names: dict[str, Any] = {}
    exec(code, names)
    if number == 0:
        assert len(names["spikes"]) == 80
        assert names["events"].t.min() >= 100_000
        assert len(names["samples"]) == 4
    else:
        assert names["t"].min() > 120_000
        assert names["bits"].shape == (80, 23, 33)

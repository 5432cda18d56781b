"""The page on the file format is current, complete, and its examples run."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from datagen.docs_format import dataset_format
from schemas.h5 import ATTRIBUTES, COLUMNS, EVENT_COLUMNS, ROOT_EVENT_COLUMNS, SPIKE_COLUMNS

PAGE = Path(__file__).parents[2] / "docs" / "dataset_format.md"


def test_page_is_current() -> None:
    """Hold the page equal to what the table gives; `make docs` writes it."""
    assert PAGE.read_text(encoding="utf-8") == dataset_format()


def test_page_names_everything() -> None:
    """Name every column and attribute of the format."""
    page = dataset_format()
    for column in (*COLUMNS, *EVENT_COLUMNS, *ROOT_EVENT_COLUMNS, *SPIKE_COLUMNS):
        assert f"| `{column.path}` | {column.dtype} |" in page
    for attribute in ATTRIBUTES:
        assert f"| `{attribute.group}` | `{attribute.name}` |" in page


@pytest.mark.parametrize("number", [0, 1])
def test_examples_run(tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int) -> None:  # fmt: skip
    """Run the reading examples on a dataset of 6 frames; both give frame 3's events."""
    (tmp_path / "my-dataset").symlink_to(tiny)
    monkeypatch.chdir(tmp_path)
    code = re.findall(r"```python\n(.*?)```", dataset_format(), flags=re.DOTALL)[number]
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

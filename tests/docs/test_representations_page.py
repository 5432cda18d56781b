"""The page on representations: its code runs, and it names every public function."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "representations.md").read_text("utf-8")
KERNELS = {"voxel_votes", "__init__"}
INNER = {"voxel_grid_numpy", "check_window", "check_on_sensor"}


def test_its_code_runs(tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Copy the example as it stands: every array has the shape that its comment says."""
    (tmp_path / "my-dataset").symlink_to(tiny)
    monkeypatch.chdir(tmp_path)
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    names: dict[str, Any] = {}
    exec(compile(code, "page", "exec"), names)
    grid, counts, rates, events = (names[n] for n in ("grid", "counts", "rates", "events"))
    assert grid.shape == rates.shape == (5, *counts.shape[1:])
    assert counts.sum() == len(events)


def test_it_names_every_function() -> None:
    """List each public function of the package in the row of its file."""
    for file in (ROOT / "datagen" / "representations").glob("*.py"):
        tree = ast.parse(file.read_text("utf-8"))
        public = {n.name for n in tree.body if isinstance(n, ast.FunctionDef)}
        for name in public - INNER if file.stem not in KERNELS else ():
            ending = name.removeprefix("texture_from")
            assert name.startswith("_") or f"`{name}`" in PAGE or f"`{ending}`" in PAGE, name

"""Small stages, written as text."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from datagen.scenes.model import Scene
from datagen.scenes.stage import load_scene
from schemas.scene import UsdScene

Z_METRES = 'upAxis = "Z"\nmetersPerUnit = 1'


@pytest.fixture
def write_stage(tmp_path: Path) -> Callable[..., Path]:
    def write(body: str, header: str = Z_METRES, name: str = "stage.usda") -> Path:
        path = tmp_path / name
        lines = body.replace(" }", "\n}")  # a statement must end its line
        path.write_text(f"#usda 1.0\n(\n{header}\n)\n{lines}\n")
        return path

    return write


@pytest.fixture
def load(write_stage: Callable[..., Path]) -> Callable[..., Scene]:
    """Write a stage and load it; keywords beside `header` are fields of the spec."""

    def write_and_load(body: str, header: str = Z_METRES, **fields: object) -> Scene:
        path = write_stage(body, header)
        return load_scene(path, spec=UsdScene.model_validate({"path": str(path), **fields}))

    return write_and_load

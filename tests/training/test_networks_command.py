"""The commands `train` and `evaluate`: what they make of options, and the page's own example."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from datagen.training import loop
from datagen.training.config import TrainConfig
from service.cli import main

PAGE = Path(__file__).parents[2] / "docs" / "training.md"


@pytest.mark.parametrize(
    ("content", "options", "budget"),
    [
        ("steps: 6", [], (6, None)),
        ("minutes: 60.0", [], (None, 60.0)),
        ("batch: 2", [], (None, 15.0)),
        ("minutes: 60.0", ["--steps", "7"], (7, 60.0)),
    ],
)
def test_a_configuration_keeps_its_budget(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    content: str,
    options: list[str],
    budget: tuple[int | None, float | None],
) -> None:
    """Give 15 minutes only where neither the file nor the options limit a run."""
    seen: list[TrainConfig] = []

    def note(config: TrainConfig, **_: Any) -> None:
        seen.append(config)
        raise KeyboardInterrupt

    monkeypatch.setattr(loop, "train", note)
    file = tmp_path / "run.yaml"
    file.write_text(content)
    CliRunner().invoke(main, ["train", "data", "-o", "run", "--config", str(file), *options])
    assert [(config.steps, config.minutes) for config in seen] == [budget]


def test_a_network_of_ones_own_trains_as_the_page_says(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Run the page's example on another data set, shortened."""
    [example] = re.findall(
        r"## A network of your own.*?```python\n(.*?)```", PAGE.read_text(), re.S
    )
    monkeypatch.chdir(tmp_path)
    example = example.replace('"my-dataset"', repr(str(tiny))).replace("steps=1000", "steps=2")
    exec(example.replace("crop=64", "crop=16"), {})
    assert "| network  " in capsys.readouterr().out
    assert (tmp_path / "report" / "predictions.png").is_file()

"""The page's example and the worked example run, and what they learn makes a job."""

from __future__ import annotations

import importlib.util
import json
import re
import sys
from pathlib import Path

import pytest
from tiny_job import tiny_job, write_job

from datagen.pipeline.job import open_job

ROOT = Path(__file__).parents[2]


def test_the_pages_example_moves_every_part(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Run it on another job; path, mount, lens and thresholds all leave their start."""
    page = (ROOT / "docs" / "codesign.md").read_text()
    [example] = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    write_job(tmp_path, tiny_job())
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    exec(example, names)
    assert "threshold_on=" in capsys.readouterr().out
    path, mount, lens, pixels = (names[name] for name in ("path", "mount", "lens", "pixels"))
    assert path.values["height"].item() != path._spec.height  # type: ignore[attr-defined]
    assert mount.rotation.all()  # type: ignore[attr-defined]
    assert lens.psf_sigma.log_ratio.item() != 0.0  # type: ignore[attr-defined]
    assert pixels.threshold_on.log_ratio.item() != 0.0  # type: ignore[attr-defined]


def test_the_worked_example_leaves_a_job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Take two steps, judge, draw, and write a job with the learnt camera that opens."""
    place = importlib.util.spec_from_file_location("codesign", ROOT / "examples" / "codesign.py")
    assert place is not None
    assert place.loader is not None
    codesign = importlib.util.module_from_spec(place)
    monkeypatch.setitem(sys.modules, "codesign", codesign)
    place.loader.exec_module(codesign)
    pytest.importorskip("matplotlib").use("Agg")
    monkeypatch.setattr(codesign, "HELD_OUT", 2)
    monkeypatch.setattr(
        sys, "argv", ["codesign", "--out", str(tmp_path), "--steps", "2", "--batch", "1"]
    )
    codesign.main()
    found = json.loads((tmp_path / "codesign.json").read_text())
    first, learnt = (open_job(tmp_path / f"{name}.yaml").spec.camera for name in ("job", "learnt"))
    assert found["learnt camera"]["blur [px]"] == learnt.optics.psf_sigma != first.optics.psf_sigma
    assert learnt.mount != first.mount
    assert (tmp_path / "codesign.png").is_file()

"""The page's example and the worked example run, and what they learn makes a job."""

from __future__ import annotations

import importlib.util
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
import yaml
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


@pytest.fixture(scope="module")
def codesign() -> Iterator[ModuleType]:
    """The worked example as a module; it needs matplotlib."""
    pytest.importorskip("matplotlib").use("Agg")
    place = importlib.util.spec_from_file_location("codesign", ROOT / "examples" / "codesign.py")
    assert place is not None
    assert place.loader is not None
    module = importlib.util.module_from_spec(place)
    sys.modules["codesign"] = module  # dataclasses look there
    place.loader.exec_module(module)
    yield module
    del sys.modules["codesign"]


@pytest.mark.slow
def test_gradients_of_the_event_rate_are_differences_of_the_whole_chain(
    codesign: ModuleType, tmp_path: Path
) -> None:
    """Agree within 30 % with exact pictures, light and events, over 48 windows, for the mount."""
    (tmp_path / "job.yaml").write_text(yaml.safe_dump(codesign.job()))
    flight = codesign.open_flight(tmp_path / "job.yaml", 0)
    hardware = codesign.Hardware(flight.film)
    starts = flight.starts(48, np.random.default_rng(3))

    def rate() -> torch.Tensor:
        torch.manual_seed(0)
        films = [hardware(flight.film, flight.path, start + codesign.WINDOW) for start in starts]
        return torch.stack([film.rate() for film in films]).mean()

    rate().backward()
    for parameter, k in ((hardware.mount.rotation, 0), (hardware.mount.translation, 1)):
        ends = []
        with torch.no_grad():
            for step in (0.03, -0.06):
                parameter[k] += step
                ends.append(rate().item())
            parameter[k] += 0.03
        truth = (ends[0] - ends[1]) / 0.06
        assert parameter.grad[k].item() == pytest.approx(truth, rel=0.3)


def test_the_worked_example_leaves_a_job(
    codesign: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Take its steps, judge, draw, and write a job with the learnt camera that opens."""
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

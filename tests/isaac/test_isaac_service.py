"""What a machine without Isaac Sim says, and that nobody but its operator accepts licence terms."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner
from service_kit import make_settings, serving
from tiny_job import tiny_job, write_job

from datagen.cli import main
from datagen.errors import InputError
from datagen.pipeline.estimate import estimate
from datagen.pipeline.job import open_job
from datagen.render.isaac.installation import (
    CONSENT,
    PROFILE,
    PYTHON,
    NoIsaacSimError,
    child_environment,
    find_installation,
    why_missing,
)
from service.states import JobState

ROOT = Path(__file__).parents[2]
JOB = tiny_job(renderer={"kind": "isaac"})


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without Isaac Sim."""
    for name in (PYTHON, PROFILE, *CONSENT):
        monkeypatch.delenv(name, raising=False)


def test_job_stays_queued_and_says_why(tmp_path: Path) -> None:
    """Keep the job, name the device that it waits for, and say what the machine lacks."""
    with serving(make_settings(tmp_path)) as service, service.dispatcher():
        other = service.submit()
        waiting = service.submit(JOB)
        assert service.wait(other) is JobState.SUCCEEDED
        told = service.http.get(f"/v1/jobs/{waiting}").json()
        assert (told["state"], told["waiting_for"]) == ("QUEUED", "isaac")
        backends = {b["renderer"]: b for b in service.http.get("/v1/backends").json()["backends"]}
    assert (backends["isaac"]["device"], backends["isaac"]["slots"]) == ("isaac", 0)
    assert PYTHON in backends["isaac"]["missing"]
    assert backends["embedded"]["missing"] is None


def test_estimate_says_what_is_missing(tmp_path: Path) -> None:
    """Refuse to estimate what cannot be sampled, in a sentence."""
    with pytest.raises(NoIsaacSimError, match=PYTHON):
        estimate(open_job(write_job(tmp_path, JOB)), workers=1)


def test_doctor_says_what_is_missing(tmp_path: Path) -> None:
    """End with code 2 and the sentence, and write nothing."""
    ran = CliRunner().invoke(main, ["doctor", "isaac", "-o", str(tmp_path / "report")])
    assert ran.exit_code == 2
    assert PYTHON in ran.output
    assert not (tmp_path / "report").exists()


def test_doctor_refuses_a_renderer_that_is_no_json(tmp_path: Path) -> None:
    """Name the option and what is wrong with it."""
    options = ["doctor", "isaac", "-o", str(tmp_path / "report"), "--renderer", "{"]
    ran = CliRunner().invoke(main, options)
    assert ran.exit_code == 2
    assert "error: --renderer: not valid JSON" in ran.output


def test_every_lack_has_its_sentence() -> None:
    """Name the variable, the program and the terms, one after the other."""
    environment = {"PATH": "/usr/bin:/bin"}
    assert PYTHON in (why_missing(environment) or "")
    environment[PYTHON] = "/nowhere/python.sh"
    assert "not an executable" in (why_missing(environment) or "")
    environment[PYTHON] = "sh"
    assert "licence terms are not accepted" in (why_missing(environment) or "")
    with pytest.raises(InputError, match="OMNI_KIT_ACCEPT_EULA"):
        find_installation(environment)
    assert "licence terms" in (why_missing(environment | {"ACCEPT_EULA": "no"}) or "")
    assert why_missing(environment | {"ACCEPT_EULA": "Y"}) is None


def test_child_gets_the_operators_consent_and_nothing_of_our_python() -> None:
    """Pass variables on as they are, without our interpreter's, and add none."""
    given = {
        "ACCEPT_EULA": "Y",
        "HOME": "/h",
        "PYTHONPATH": "/p",
        "VIRTUAL_ENV": "/v",
        "CONDA_X": "1",
    }
    assert child_environment(given) == {"ACCEPT_EULA": "Y", "HOME": "/h"}
    assert child_environment({"HOME": "/h"}) == {"HOME": "/h"}


def test_no_file_of_ours_accepts_the_terms() -> None:
    """Find no value for a licence variable in anything that we ship."""
    listed = subprocess.run(
        ["git", "ls-files", "datagen", "service", "schemas", "trajectories", "docker", "examples",
         "Makefile", "pyproject.toml", ".ci"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    accepts = re.compile(
        r"(?:ACCEPT_EULA|PRIVACY_CONSENT)\w*[\"']?\]?\s*[=:]\s*[\"']?(?:Y|YES|yes|y|1|true)\b"
    )
    guilty = [
        name
        for name in listed.stdout.split()
        if accepts.search((ROOT / name).read_text(encoding="utf-8", errors="replace"))
    ]
    assert not guilty

"""The container files, by their linters and against the project: no engine is needed."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from datagen.render.isaac.installation import VARIABLES as ISAAC_VARIABLES
from service.settings import PREFIX, Settings

ROOT = Path(__file__).parents[2]
DOCKER = ROOT / "docker"
DOCKERFILE = DOCKER / "Dockerfile"
COMPOSE = DOCKER / "compose.yaml"
DOCKERFILES = (DOCKERFILE, DOCKER / "isaac.Dockerfile")
COMPOSES = (COMPOSE, DOCKER / "compose.isaac.yaml")

each_dockerfile = pytest.mark.parametrize("dockerfile", DOCKERFILES, ids=lambda path: path.name)


def tool(name: str) -> str:
    """Path of a linter of the `dev` extra; skips the test where it is not installed."""
    found = shutil.which(name, path=Path(sys.executable).parent) or shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed; it comes with the extra dev")
    return found


def compose() -> dict[str, Any]:
    data: dict[str, Any] = yaml.safe_load(COMPOSE.read_text())
    return data


@each_dockerfile
def test_hadolint(dockerfile: Path) -> None:
    """Find no fault in a Dockerfile, not even a hint."""
    ran = subprocess.run([tool("hadolint"), str(dockerfile)], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout + ran.stderr


@pytest.mark.parametrize("file", COMPOSES, ids=lambda path: path.name)
def test_compose_schema(file: Path) -> None:
    """Follow the compose specification's schema."""
    checker = [tool("check-jsonschema"), "--builtin-schema", "vendor.compose-spec"]
    ran = subprocess.run([*checker, str(file)], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_schema_check_sees_faults(tmp_path: Path) -> None:
    """Refuse a misspelt key: the check above is not empty."""
    bad = tmp_path / "compose.yaml"
    bad.write_text(COMPOSE.read_text().replace("healthcheck:", "healthchek:"))
    checker = [tool("check-jsonschema"), "--builtin-schema", "vendor.compose-spec"]
    assert subprocess.run([*checker, str(bad)], capture_output=True).returncode == 1


@each_dockerfile
def test_copied_paths_exist(dockerfile: Path) -> None:
    """Copy only what the repository has and the ignore file lets through."""
    allowed = dockerfile.with_name(f"{dockerfile.name}.dockerignore").read_text().splitlines()
    copies = re.findall(r"^COPY (?!--from)(.+) \S+$", dockerfile.read_text(), re.MULTILINE)
    names = [name for line in copies for name in line.split()]
    assert names
    for name in names:
        assert (ROOT / name).exists(), name
        assert f"!{name}" in allowed, name


def test_variables_are_settings() -> None:
    """Set no DATAGEN_ variable that the service does not know."""
    text = "".join(path.read_text() for path in (*DOCKERFILES, *COMPOSES))
    assigned = set(re.findall(rf"\b({PREFIX}[A-Z_]+)(?:=|:(?: |$))", text, re.MULTILINE))
    known = {PREFIX + name.upper() for name in Settings.model_fields}
    assert {f"{PREFIX}DATA", f"{PREFIX}ISAAC_PYTHON"} <= assigned <= known | set(ISAAC_VARIABLES)


def test_containers_are_confined() -> None:
    """Run ours without root, capabilities or a writable root; publish on loopback by default."""
    assert "USER 10001:10001" in DOCKERFILE.read_text().rpartition("FROM")[2]
    services = compose()["services"]
    for name in ("api", "worker"):
        assert services[name]["read_only"] is True
        assert services[name]["cap_drop"] == ["ALL"]
    assert services["api"]["ports"] == ["${DATAGEN_PUBLISH:-127.0.0.1:8000}:8000"]


def test_no_secret_and_no_consent() -> None:
    """Hold no password, and accept nobody's licence terms for them."""
    for path in (*DOCKERFILES, *COMPOSES):
        text = path.read_text()
        assert not re.search(r"PASSWORD(?:=|: )(?!\$\{|\.\.\.)", text), path
        assert not re.search(r"^[^#]*(?:ACCEPT_EULA|PRIVACY_CONSENT)(?:=|: *\S)", text, re.M), path

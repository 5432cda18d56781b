"""The Isaac Sim of this machine: its interpreter, the operator's consent, the child's environment.

Read from the environment of the operator; nothing is guessed, downloaded or consented to:

    DATAGEN_ISAAC_PYTHON    command line of Isaac Sim's Python: the `python.sh` of a binary install,
                            the Python of a separate environment, or a container's command line
    DATAGEN_ISAAC_PROFILE   the file that `datagen doctor isaac` wrote
    OMNI_KIT_ACCEPT_EULA, ACCEPT_EULA
                            NVIDIA's licence terms, accepted by the operator; passed on as they are
"""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from datagen.errors import InputError

PYTHON = "DATAGEN_ISAAC_PYTHON"
PROFILE = "DATAGEN_ISAAC_PROFILE"
CONSENT = ("OMNI_KIT_ACCEPT_EULA", "ACCEPT_EULA")
YES = ("y", "yes", "1", "true")
TERMS = "https://docs.isaacsim.omniverse.nvidia.com/latest/common/licenses-isaac-sim.html"
VARIABLES = (PYTHON, PROFILE, *CONSENT, "PRIVACY_CONSENT", "OMNI_KIT_ALLOW_ROOT")
"""What an operator may set, for whoever hands only some variables on."""
OURS = ("VIRTUAL_ENV", "PYTHONPATH", "PYTHONHOME", "PYTHONSAFEPATH", "PYTHONSTARTUP")
"""Variables of this process's Python that would mislead another one; CONDA_* as well."""


class NoIsaacSimError(InputError):
    """This machine has no usable Isaac Sim."""


@dataclass(frozen=True, slots=True)
class Installation:
    """How to start Isaac Sim's Python."""

    command: tuple[str, ...]
    environment: dict[str, str]
    profile: Path | None


def why_missing(environment: Mapping[str, str]) -> str | None:
    """Why Isaac Sim cannot be started here, in one sentence; None when it can be tried."""
    command = shlex.split(environment.get(PYTHON, ""))
    if not command:
        return (
            f"{PYTHON} is not set; expected the command line of Isaac Sim's Python, such as "
            "/opt/isaac-sim/python.sh (see docs/isaac.md)"
        )
    if shutil.which(command[0], path=environment.get("PATH")) is None:
        return f"{PYTHON} names {command[0]!r}, which is not an executable; correct it"
    if not any(environment.get(name, "").strip().lower() in YES for name in CONSENT):
        return (
            f"NVIDIA's licence terms are not accepted; read {TERMS} and set {CONSENT[0]}=YES "
            f"({CONSENT[1]}=Y for a container) if you accept them"
        )
    return None


def find_installation(environment: Mapping[str, str]) -> Installation:
    """The installation that the environment names.

    Raises:
        NoIsaacSimError: there is none, or its terms are not accepted; says what to set.
    """
    reason = why_missing(environment)
    if reason is not None:
        raise NoIsaacSimError(f"renderer isaac: {reason}")
    profile = environment.get(PROFILE)
    return Installation(
        command=tuple(shlex.split(environment[PYTHON])),
        environment=child_environment(environment),
        profile=Path(profile) if profile else None,
    )


def child_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment without what belongs to our own Python; nothing is added."""
    return {
        name: value
        for name, value in environment.items()
        if name not in OURS and not name.startswith("CONDA_")
    }

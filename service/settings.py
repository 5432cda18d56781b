"""Every setting of the service, from `DATAGEN_*` environment variables. docs/service.md lists them.

The environment is read here and nowhere else.
"""

from __future__ import annotations

import difflib
import os
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationError

from datagen.errors import InputError
from datagen.render.isaac.installation import VARIABLES as ISAAC_VARIABLES
from datagen.render.isaac.installation import why_missing
from schemas.base import Spec

PREFIX = "DATAGEN_"
OTHERS = ("DATAGEN_URL", "DATAGEN_KEY", "DATAGEN_PUBLISH")
"""Variables of the client and the containers."""
WORKER_MARK = "DATAGEN_WORKER_OF"
"""Variable in a worker's environment that holds the data folder it works for; nobody sets it."""
ALIKE = 0.7
"""Names that are alike to so much may be meant; of `difflib`."""
MiB = 2**20
GiB = 2**30

Bytes = Annotated[int, Field(ge=0)]
Seconds = Annotated[float, Field(gt=0)]
Number = Annotated[int, Field(ge=1)]


class Settings(Spec):
    """Limits, places and sizes; the docstring of a field is its row in the documentation."""

    data: Path = Path("datagen-data")
    """Folder of everything the service keeps."""
    host: str = "127.0.0.1"
    """Address to listen on; anything but loopback needs an API key to exist."""
    port: Annotated[int, Field(ge=0, le=65_535)] = 8000
    """Port to listen on."""
    database_url: str = ""
    """SQLAlchemy URL of the ledger; empty is SQLite in the data folder."""
    log_format: Literal["json", "text"] = "json"
    """Form of the log on standard error."""

    worker_command: str = ""
    """Command line that stands for `datagen` when workers are started; empty is this package."""
    cpu_slots: Annotated[int, Field(ge=0)] = 0
    """Worker processes of the CPU class at a time; 0 is one per core."""
    chunk_frames: Annotated[int, Field(ge=1, le=10_000)] = 8
    """Frames between two seals: the most work lost in a crash."""
    max_failures: Number = 3
    """A segment that failed so often fails its job."""
    retry_seconds: Seconds = 2.0
    """Pause before a failed segment is tried again; doubles with every failure."""
    segment_seconds: Seconds = 6 * 3600.0
    """Wall time after which a worker is killed."""
    stall_seconds: Seconds = 900.0
    """A worker that reports nothing for so long is killed."""
    segment_memory_bytes: Bytes = 8 * GiB
    """Resident memory at which a worker is killed; 0 is no limit."""
    stop_seconds: Seconds = 2.0
    """Time between TERM and KILL when a worker is stopped."""
    drain_seconds: Annotated[float, Field(ge=0)] = 5.0
    """At shutdown, workers may end by themselves for so long; then they are stopped and handed back."""

    disk_reserve_bytes: Bytes = 2 * GiB
    """Nothing is accepted or started that would leave less than this free."""
    spec_bytes: Bytes = MiB
    """Largest body of a job."""
    asset_bytes: Bytes = GiB
    """Largest upload."""
    asset_unpacked_bytes: Bytes = 4 * GiB
    """Largest archive after unpacking."""
    asset_files: Number = 10_000
    """Most files in an archive."""
    job_segments: Number = 1_000
    """Most segments of a job."""
    job_frames: Number = 1_000_000
    """Most frames of a job."""
    frame_pixels: Number = 16_777_216
    """Most pixels of a picture."""
    quota_jobs: Number = 1_000
    """Unfinished jobs of one owner."""
    quota_frames: Number = 10_000_000
    """Frames in unfinished jobs of one owner."""
    quota_bytes: Bytes = 1024 * GiB
    """Bytes kept for one owner: datasets, uploads, and what unfinished jobs will need."""
    rate_per_minute: Number = 12_000
    """Requests of one owner per minute."""
    rate_burst: Number = 1_000
    """Requests of one owner at once."""
    streams_per_owner: Number = 32
    """Event streams of one owner at a time."""
    streams: Number = 256
    """Event streams in all."""
    check_seconds: Seconds = 120.0
    """Time for an estimate, a scene check or the check of an upload."""
    checks: Number = 1
    """Estimates and checks at a time; more are told to come again."""
    retention_days: Annotated[float, Field(ge=0)] = 0.0
    """Finished jobs and their datasets are deleted after so many days; 0 keeps them."""
    session_hours: Seconds = 12.0
    """Life of a log-in in the browser."""

    @property
    def ledger_url(self) -> str:
        """Where the ledger is."""
        return self.database_url or f"sqlite:///{self.data.resolve() / 'ledger.sqlite'}"

    @property
    def slots(self) -> dict[str, int]:
        """Workers at a time by device class."""
        isaac = 1 if why_missing(os.environ) is None else 0  # one GPU, one process
        return {"cpu": self.cpu_slots or os.cpu_count() or 1, "isaac": isaac}

    @property
    def command(self) -> list[str]:
        """The command line that stands for `datagen`."""
        return shlex.split(self.worker_command) or [sys.executable, "-m", "datagen"]

    @property
    def loopback(self) -> bool:
        """Only this machine can connect."""
        return self.host in ("127.0.0.1", "::1", "localhost")


def settings_from(environment: Mapping[str, str], **overrides: object) -> Settings:
    """Settings from environment variables, then from arguments that are not None.

    Raises:
        InputError: a value cannot be used, or a name is misspelt; names the variable.
    """
    refuse_misspelt(environment)
    given: dict[str, object] = {
        name: environment[PREFIX + name.upper()]
        for name in Settings.model_fields
        if PREFIX + name.upper() in environment
    }
    given |= {name: value for name, value in overrides.items() if value is not None}
    try:
        return Settings.model_validate(given)
    except ValidationError as error:
        lines = [
            f"{PREFIX}{str(fault['loc'][0]).upper()}={fault['input']!r}: {fault['msg']}"
            for fault in error.errors()
        ]
        raise InputError("\n".join(lines)) from error


def refuse_misspelt(environment: Mapping[str, str]) -> None:
    """Raise InputError for variables whose names are nearly those that are read."""
    known = [name.removeprefix(PREFIX) for name in _known_names()]
    lines = []
    for name in unknown_names(environment):
        seen = name.removeprefix(PREFIX)
        if near := difflib.get_close_matches(seen, known, n=1, cutoff=ALIKE):
            lines.append(f"{name}: no such setting; did you mean {PREFIX}{near[0]}?")
    if lines:
        raise InputError("\n".join(lines))


def unknown_names(environment: Mapping[str, str]) -> list[str]:
    """Variables with our prefix that nothing here reads."""
    ours = {name for name in environment if name.startswith(PREFIX)}
    return sorted(ours - {*_known_names(), WORKER_MARK})


def _known_names() -> list[str]:
    isaac = [name for name in ISAAC_VARIABLES if name.startswith(PREFIX)]
    return [*(PREFIX + name.upper() for name in Settings.model_fields), *OTHERS, *isaac]


def as_environment(settings: Settings) -> dict[str, str]:
    """The same settings as variables, for a child process."""
    plain = settings.model_dump(mode="json")
    return {PREFIX + name.upper(): str(value) for name, value in plain.items()}

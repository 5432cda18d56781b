"""Where everything lies under the data folder. Every path is made of ids, never of a user's text.

```
ledger.sqlite
dispatcher.lock
assets/<asset id>/                 a checked upload
uploads/                           uploads on their way in
jobs/<job id>/inputs/spec.json     what workers read, with links to the uploads it names
jobs/<job id>/dataset/             what workers write; the dataset when the job has succeeded
jobs/<job id>/logs/<number>-<task>.<attempt>.log
```
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from datagen.errors import InputError


def make_data_folder(data: Path) -> None:
    """Make the data folder unless it is there.

    Raises:
        InputError: it cannot be made.
    """
    try:
        data.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"{data}: {error.strerror}; expected a folder, or a place for one (--data or DATAGEN_DATA)"
        ) from error


@dataclass(frozen=True, slots=True)
class Folders:
    """The data folder."""

    data: Path

    @property
    def assets(self) -> Path:
        """Checked uploads by id."""
        return self.data / "assets"

    @property
    def uploads(self) -> Path:
        """Uploads on their way in."""
        return self.data / "uploads"

    @property
    def lock(self) -> Path:
        """Held by the dispatcher."""
        return self.data / "dispatcher.lock"

    def job(self, job_id: str) -> Path:
        """Everything of one job."""
        return self.data / "jobs" / job_id

    def inputs(self, job_id: str) -> Path:
        """What the workers of a job read."""
        return self.job(job_id) / "inputs"

    def spec(self, job_id: str) -> Path:
        """The job as workers read it."""
        return self.inputs(job_id) / "spec.json"

    def dataset(self, job_id: str) -> Path:
        """What the workers of a job write."""
        return self.job(job_id) / "dataset"

    def logs(self, job_id: str) -> Path:
        """What its workers said."""
        return self.job(job_id) / "logs"


def log_name(number: int, task: str, attempt: int) -> str:
    """Name of the log of one attempt at a task."""
    return f"{number:05d}-{task}.{attempt}.log"

"""Where a download may go: a new folder, an empty one, or one that holds what it brings."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from datagen.errors import OutputError
from datagen.pipeline.layout import JOB
from service.client.transfer import PART, is_whole
from service.models import FileView


def refuse_foreign_folder(folder: Path, files: Sequence[FileView]) -> None:
    """Leave a folder alone that another dataset or something else lives in.

    What a user added to a dataset whose `job.json` has come is no obstacle.

    Args:
        folder: where the download is to go.
        files: what it brings.

    Raises:
        OutputError: names what is in the way.
    """
    if folder.exists() and not folder.is_dir():
        raise OutputError(f"{folder}: is a file; expected a folder to create or complete")
    if not folder.is_dir() or _is_of_this_job(folder, files):
        return
    brought = {PurePosixPath(file.name).parts[0] for file in files} - {JOB}
    known = {name + end for name in (*brought, JOB) for end in ("", PART)} - {JOB}
    foreign = sorted({path.name for path in folder.iterdir()} - known)
    if foreign:
        raise OutputError(
            f"{folder}: already holds {foreign[0]!r}, which is not of this dataset; expected a new "
            "or empty folder, or one in which this download began"
        )


def _is_of_this_job(folder: Path, files: Sequence[FileView]) -> bool:
    return any(file.name == JOB and is_whole(folder / JOB, file) for file in files)

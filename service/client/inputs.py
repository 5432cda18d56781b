"""The files that a job names beside it: uploaded, and named as the service knows them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

from datagen.errors import SpecError
from service.models import ASSET_PATH, AssetView

FILE_KINDS = ("usd", "recorded")
"""Kinds of scenes and trajectories that name a file, in `path`."""


async def with_uploads(
    job: dict[str, Any], folder: Path, upload: Callable[[Path], Awaitable[AssetView]]
) -> dict[str, Any]:
    """The job with `<upload id>/<file>` in place of every path; the given one stays as it is.

    Args:
        job: plain data; what is wrong with it is left for the service to tell.
        folder: what its paths are relative to.
        upload: sends a file; called once per file.

    Raises:
        SpecError: a file is missing.
    """
    job, sent = deepcopy(job), dict[Path, str]()
    for part in _parts(job):
        path = part.get("path")
        if part.get("kind") not in FILE_KINDS or not isinstance(path, str):
            continue
        if ASSET_PATH.fullmatch(path):
            continue
        file = folder / path
        if not file.is_file():
            raise SpecError(f"{file}: no such file; the job names it as {path!r}")
        if file not in sent:
            asset = await upload(file)
            sent[file] = asset.files[0].path
        part["path"] = sent[file]
    return job


def _parts(job: dict[str, Any]) -> list[dict[str, Any]]:
    """The scenes and trajectories of a job that may be malformed."""
    segments = job.get("segments")
    owners = [job, *(segments if isinstance(segments, list) else [])]
    parts = [o.get(name) for o in owners if isinstance(o, dict) for name in ("scene", "trajectory")]
    return [part for part in parts if isinstance(part, dict)]

"""From a lease to a command line, and what its worker finds on disk."""

from __future__ import annotations

from pathlib import Path

from datagen.store import link_or_copy, write_file
from service.folders import Folders
from service.ledger.work import Lease
from service.states import Stage


def command_for(lease: Lease, folders: Folders, datagen: list[str], chunk_frames: int) -> list[str]:
    """The worker command of a task."""
    out = str(folders.dataset(lease.job_id))
    match lease.stage:
        case Stage.PREPARE:
            order = ["prepare-job", str(folders.spec(lease.job_id)), out]
        case Stage.SEGMENTS:
            order = [
                "run-segment", out, str(lease.number - 1),
                "--base-dir", str(folders.inputs(lease.job_id)),
                "--chunk-frames", str(chunk_frames),
            ]  # fmt: skip
        case Stage.PACKAGE:
            order = ["finish-job", out]
    return [*datagen, *order, "--supervised"]


def lay_out_inputs(
    folders: Folders, job_id: str, spec: str, uploads: list[tuple[str, str]]
) -> None:
    """Put a job's spec and its uploads where its workers read them."""
    lay_out_files(folders.inputs(job_id), folders.assets, uploads)
    write_file(folders.spec(job_id), spec.encode())


def lay_out_files(inputs: Path, assets: Path, uploads: list[tuple[str, str]]) -> None:
    """Link files, given as (upload, name), into a folder of inputs.

    Links share the bytes, so an upload may be deleted while a job that uses it lives on.
    """
    for asset_id, name in uploads:
        source, target = assets / asset_id / name, inputs / asset_id / name
        if source.exists() and not target.exists():
            link_or_copy(source, target)

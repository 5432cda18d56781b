"""A whole job: check everything first, run its segments in worker processes, describe the result.

The dataset folder holds `job.json` (what it is for, written first), one file per segment,
`previews/`, `card.json`, `card.md` and `manifest.json` (written last). `.work/` holds unfinished
work and is gone at the end.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from datagen.card import write_card
from datagen.errors import InputError, OutputError
from datagen.pipeline.check import check_segments
from datagen.pipeline.layout import (
    JOB,
    WORK,
    finished_entry,
)
from datagen.pipeline.size import least_bytes
from datagen.pipeline.supervisor import OnReport, run_workers
from datagen.pipeline.worker import CHUNK_FRAMES
from datagen.plan import input_files, plan_job
from datagen.spec_file import load_spec
from datagen.store import (
    folder_lock,
    free_bytes,
    sha256_file,
    sweep_temporaries,
    write_file,
    write_json,
)
from schemas.dataset import MANIFEST, DatasetManifest, SegmentEntry
from schemas.job import JobSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A checked job and where its inputs are."""

    spec: JobSpec
    base_dir: Path
    inputs: dict[str, str]
    """SHA-256 of every input file by its path in the spec."""

    @property
    def identity(self) -> dict[str, Any]:
        """What `job.json` holds: equal identities give equal datasets."""
        return {"spec": self.spec.model_dump(mode="json"), "inputs": self.inputs}


def open_job(spec_file: Path) -> Job:
    """Read a job and find its input files.

    Raises:
        SpecError: the spec is wrong.
        InputError: a file that it names does not exist.
    """
    spec = load_spec(spec_file)
    base_dir = spec_file.resolve().parent
    inputs = {}
    for name in input_files(spec):
        path = base_dir / name
        if not path.is_file():
            raise InputError(f"{path}: no such file; {spec_file} names it as {str(name)!r}")
        inputs[str(name)] = sha256_file(path)
    return Job(spec=spec, base_dir=base_dir, inputs=inputs)


def generate(
    job: Job,
    out: Path,
    *,
    workers: int,
    chunk_frames: int = CHUNK_FRAMES,
    on_report: OnReport = lambda _index, _report: None,
) -> DatasetManifest:
    """Make the dataset of a job, going on from whatever `out` already holds of it.

    Args:
        job: the checked job.
        out: the dataset folder; created, or resumed when it holds the same job.
        workers: worker processes; changes nothing but the time.
        chunk_frames: frames between two seals; likewise.
        on_report: takes (segment index, progress report of a worker).

    Raises:
        OutputError: `out` holds something else, or the job does not fit on its disk.
        InputError: a trajectory, scene or camera placement is wrong; nothing is left behind.
        ResourceError: the machine failed; what was sealed is kept.
    """
    refuse_foreign_folder(job, out)
    if finished_manifest(out) is None:
        with _nothing_left_on_bad_input(out), folder_lock(out / WORK):
            prepare(job, out, on_report=on_report)
            todo = [plan for plan in plan_job(job.spec) if finished_entry(out, plan) is None]
            run_workers(todo, out=out, base_dir=job.base_dir, workers=workers,
                        chunk_frames=chunk_frames, on_report=on_report)  # fmt: skip
    return finish(job.spec, out)


def prepare(job: Job, out: Path, *, on_report: OnReport = lambda _index, _report: None) -> None:
    """Check everything that can be wrong with the input, then say in `out` what it is for.

    The caller holds the lock of `out / WORK`. `on_report` hears of every checked segment.

    Raises:
        OutputError, InputError: as `generate`.
    """
    refuse_foreign_folder(job, out)
    refuse_too_large(job.spec, out)
    sweep_temporaries(out)
    _forget_unnamed_work(out)
    todo = [plan for plan in plan_job(job.spec) if finished_entry(out, plan) is None]
    check_segments(
        job.spec, todo, base_dir=job.base_dir, scratch=out / WORK,
        on_checked=lambda plan: on_report(plan.index, {"event": "checked"}),
    )  # fmt: skip
    write_json(out / JOB, job.identity)


def finish(
    spec: JobSpec, out: Path, *, on_report: Callable[[dict[str, Any]], None] = lambda _report: None
) -> DatasetManifest:
    """Describe a dataset whose segments are all there and remove the working files.

    `on_report` hears of every segment that was verified or described: large ones take minutes.

    Raises:
        UnverifiedError: a segment's file is missing or changed; names the segments.
    """
    manifest = finished_manifest(out)
    if manifest is None:
        with folder_lock(out / WORK):
            sweep_temporaries(out)
            manifest = _describe(spec, out, on_report)
    shutil.rmtree(out / WORK, ignore_errors=True)
    return manifest


class UnverifiedError(OutputError):
    """Segments are missing or changed since they were made."""

    def __init__(self, out: Path, segments: list[str]) -> None:
        super().__init__(f"{out}: {', '.join(segments)} changed while the job ran; run it again")
        self.segments = segments


def refuse_foreign_folder(job: Job, out: Path) -> None:
    """Raise OutputError unless `out` is new, empty, or holds this very job."""
    if out.exists() and not out.is_dir():
        raise OutputError(f"{out}: is a file; expected a folder to create or resume")
    if not out.is_dir() or not any(out.iterdir()):
        return
    if not (out / JOB).is_file():
        held = [path.name for path in sorted(out.iterdir()) if path.name != WORK]
        if held:
            raise OutputError(
                f"{out}: already holds {held[0]!r} and no {JOB}; expected an empty or new folder"
            )
        return
    _refuse_other_job(job, out)


def _refuse_other_job(job: Job, out: Path) -> None:
    try:
        held = json.loads((out / JOB).read_text(encoding="utf-8"))
    except ValueError as error:
        raise OutputError(
            f"{out / JOB}: not readable as JSON ({error}); choose a new folder"
        ) from error
    if held != job.identity:
        name = held.get("spec", {}).get("name") if isinstance(held, dict) else None
        raise OutputError(
            f"{out}: already holds another job ({name!r}, of a different spec or input files); "
            "expected a new folder or the same job to resume. Choose another output folder."
        )


def finished_manifest(out: Path) -> DatasetManifest | None:
    """The manifest of a finished dataset whose files are all there, else None."""
    try:
        manifest = DatasetManifest.model_validate_json((out / MANIFEST).read_bytes())
    except (OSError, ValidationError):
        return None
    whole = all(
        (out / s.file).is_file() and (out / s.file).stat().st_size == s.size
        for s in manifest.segments
    )
    return manifest if whole else None


def refuse_too_large(spec: JobSpec, out: Path) -> None:
    """Raise OutputError when the frames and spikes alone could not fit on the disk."""
    least = least_bytes(spec)
    free = free_bytes(out)
    if least > free:
        frames = sum(segment.frame_count for segment in spec.segments)
        raise OutputError(
            f"{out}: {frames:,} frames of {spec.camera.width}x{spec.camera.height} need at least "
            f"{least:,} bytes; {free:,} are free. Fewer or shorter segments, a smaller picture, a "
            "lower spike rate, or another disk."
        )


@contextmanager
def _nothing_left_on_bad_input(out: Path) -> Iterator[None]:
    existed = out.exists()
    try:
        yield
    except InputError:
        if not existed:
            shutil.rmtree(out, ignore_errors=True)
        elif not (out / JOB).is_file():
            shutil.rmtree(out / WORK, ignore_errors=True)
        raise


def _forget_unnamed_work(out: Path) -> None:
    """Work that no `job.json` vouches for may be another job's: a run died while checking."""
    if not (out / JOB).is_file():
        for path in (out / WORK).iterdir():
            shutil.rmtree(path)


def _describe(
    spec: JobSpec, out: Path, on_report: Callable[[dict[str, Any]], None]
) -> DatasetManifest:
    entries = _entries(spec, out, on_report)
    manifest = DatasetManifest(
        name=spec.name,
        spec_sha256=spec.digest(),
        licence=spec.licence,
        renderer=spec.renderer.kind,
        verified=all(entry.verified for entry in entries),
        segments=entries,
    )
    write_card(
        out, manifest, on_segment=lambda name: on_report({"event": "counted", "segment": name})
    )
    write_file(out / MANIFEST, (manifest.model_dump_json(indent=2) + "\n").encode())
    return manifest


def _entries(
    spec: JobSpec, out: Path, on_report: Callable[[dict[str, Any]], None]
) -> list[SegmentEntry]:
    found: dict[str, SegmentEntry | None] = {}
    for plan in plan_job(spec):
        name = plan.segment.file_stem
        found[name] = finished_entry(out, plan)
        on_report({"event": "verified", "segment": name})
    missing = [name for name, entry in found.items() if entry is None]
    if missing:
        raise UnverifiedError(out, missing)
    return [entry for entry in found.values() if entry is not None]

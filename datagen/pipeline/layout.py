"""Names and places in a dataset folder, and which segments of it are finished.

Light on purpose: whoever supervises workers looks here without loading a renderer.
"""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from datagen.plan import SegmentPlan
from datagen.store import sha256_file
from schemas.dataset import SegmentEntry

JOB = "job.json"
PREVIEWS = "previews"
WORK = ".work"
DONE = "done.json"


def work_folder(out: Path, plan: SegmentPlan) -> Path:
    """Where a segment's unfinished work lies."""
    return out / WORK / plan.segment.file_stem


def segment_file(out: Path, plan: SegmentPlan) -> Path:
    """The segment's file in the dataset."""
    return out / f"{plan.segment.file_stem}.h5"


def finished_entry(out: Path, plan: SegmentPlan) -> SegmentEntry | None:
    """The entry of a segment whose file is there and verifies."""
    try:
        entry = SegmentEntry.model_validate_json((work_folder(out, plan) / DONE).read_bytes())
    except (OSError, ValidationError):
        return None
    file = segment_file(out, plan)
    return entry if file.is_file() and sha256_file(file) == entry.sha256 else None

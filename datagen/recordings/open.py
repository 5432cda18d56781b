"""The one door: a dataset of ours, or a list of recordings, opened for reading.

A list is a YAML file:

    recordings:
      - {kind: dsec, path: DSEC/train/thun_00_a, split: train}
      - {kind: mvsec, path: MVSEC, sequence: outdoor_day1, split: test}
"""

from __future__ import annotations

from pathlib import Path

from datagen.dataset import Dataset, Segment, open_dataset
from datagen.errors import SpecError
from datagen.recordings.dsec import open_dsec
from datagen.recordings.mvsec import open_mvsec
from datagen.spec_file import load_yaml, parse_as
from schemas.recording import (
    DsecRecordingSpec,
    MvsecRecordingSpec,
    RecordingListSpec,
    RecordingSpec,
)

SUFFIXES = {".yaml", ".yml"}


def open_any(path: Path) -> Dataset:
    """A dataset folder, a segment file, or a list of recordings (`.yaml`).

    Raises:
        DatasetError: it cannot be read.
        SpecError: the list is wrong.
    """
    if path.suffix not in SUFFIXES:
        return open_dataset(path)
    content = load_yaml(path)
    if "recordings" not in content:
        raise SpecError(
            f"{path}: holds {', '.join(list(content)[:5]) or 'nothing'}; expected a dataset folder, a segment "
            "file or a list of `recordings`. A dataset is what `datagen generate` makes of a job."
        )
    listed = parse_as(RecordingListSpec, content, source=str(path))
    segments: list[Segment] = []
    for recording in listed.recordings:
        segments += _open(recording, path.parent)
    return Dataset(path, segments, None)


def _open(recording: RecordingSpec, folder: Path) -> list[Segment]:
    placed = recording.model_copy(update={"path": folder / recording.path})
    match placed:
        case DsecRecordingSpec():
            return [*open_dsec(placed)]
        case MvsecRecordingSpec():
            return [*open_mvsec(placed)]

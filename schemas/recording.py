"""Recordings of other projects that a user owns, as a list that training and evaluation read."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from schemas.base import Name, Spec, Split


class DsecRecordingSpec(Spec):
    """A sequence of DSEC with flow labels, in the folders of its release."""

    kind: Literal["dsec"] = "dsec"
    path: Path
    """Folder of the sequence, such as `DSEC/train/thun_00_a`; holds `events` and `flow`."""
    split: Split = "train"
    """What the sequence is used for."""


class MvsecRecordingSpec(Spec):
    """A sequence of MVSEC: `<sequence>_data.hdf5` and `<sequence>_gt.hdf5`."""

    kind: Literal["mvsec"] = "mvsec"
    path: Path
    """Folder of the files."""
    sequence: Name
    """Beginning of their names, such as `outdoor_day1`."""
    split: Split = "test"
    """What the sequence is used for."""
    from_s: Annotated[float, Field(strict=True, ge=0)] = 0.0
    """Only images from so many seconds after the first label on [s]."""
    to_s: Annotated[float, Field(strict=True, gt=0)] | None = None
    """Only images before so many seconds after the first label [s]; all if None."""


RecordingSpec = Annotated[DsecRecordingSpec | MvsecRecordingSpec, Field(discriminator="kind")]


class RecordingListSpec(Spec):
    """A file that stands for a dataset: the recordings in it, each with its split."""

    recordings: Annotated[tuple[RecordingSpec, ...], Field(min_length=1)]
    """Paths are relative to the file's folder."""

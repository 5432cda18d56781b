"""A dataset: the folder of a job, or a single segment file, opened for reading."""

from __future__ import annotations

import json
from pathlib import Path
from typing import get_args

from datagen.dataset.h5_file import check_format
from datagen.dataset.segment import Segment
from datagen.dataset.windows import Window
from datagen.errors import DatasetError, InputError
from schemas.base import Split
from schemas.dataset import MANIFEST, DatasetManifest


def open_dataset(path: Path | str) -> Dataset:
    """Open a dataset folder or a segment file for reading.

    Args:
        path: a folder with `manifest.json`, or one segment's `.h5`.

    Raises:
        DatasetError: there is nothing, it is not ours, it is of a newer format, or a file that the
            manifest names is missing or has another size.
    """
    path = Path(path)
    if path.is_dir():
        manifest = read_manifest(path)
        return Dataset(path, [Segment(path / entry.file) for entry in manifest.segments], manifest)
    segment = Segment(path)
    segment.attribute("/", "format_version")  # refuses here what is no segment file
    return Dataset(path, [segment], None)


def read_manifest(folder: Path) -> DatasetManifest:
    """The manifest of a dataset folder, checked against the files that lie there.

    Raises:
        DatasetError: as `open_dataset`.
    """
    manifest = parse_manifest(folder)
    for entry in manifest.segments:
        _check_size(folder / entry.file, entry.size)
    return manifest


def parse_manifest(folder: Path) -> DatasetManifest:
    """The manifest of a dataset folder, whatever files lie there.

    Raises:
        DatasetError: there is none, or it is of a newer format or no manifest at all.
    """
    file = folder / MANIFEST
    if not file.is_file():
        raise DatasetError(
            f"{folder}: holds no {MANIFEST}; expected a finished dataset. If a job is still "
            "unfinished here, run `datagen generate` again: it goes on where it stopped."
        )
    try:
        content = json.loads(file.read_bytes())
        if isinstance(content, dict) and "format_version" in content:
            check_format(content["format_version"], file)  # first: a newer one may differ in all
        return DatasetManifest.model_validate(content)
    except ValueError as error:
        raise DatasetError(
            f"{file}: not a manifest ({error}); expected one written by `datagen generate`. Copy or "
            "download it again."
        ) from error


def _check_size(path: Path, size: int) -> None:
    if not path.is_file():
        raise DatasetError(
            f"{path}: no such file, but {MANIFEST} names it; expected {size} bytes. Copy or "
            "download it again."
        )
    if (seen := path.stat().st_size) != size:
        raise DatasetError(
            f"{path}: has {seen} bytes; {MANIFEST} says {size}. It is cut off or was changed: "
            "copy or download it again."
        )


class Dataset:
    """Segments in the job's order. Safe to fork and to pickle; files are opened when first read."""

    def __init__(
        self, path: Path, segments: list[Segment], manifest: DatasetManifest | None
    ) -> None:
        self.path = path
        self.segments = segments
        self.manifest = manifest
        """None for a single segment file."""

    def __repr__(self) -> str:
        return f"Dataset({str(self.path)!r}, {len(self.segments)} segments)"

    def __enter__(self) -> Dataset:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of all files; a later read opens them again."""
        for segment in self.segments:
            segment.close()

    def segment(self, name: str) -> Segment:
        """The segment of that name.

        Raises:
            InputError: there is none.
        """
        for segment in self.segments:
            if segment.name == name:
                return segment
        held = ", ".join(segment.name for segment in self.segments)
        raise InputError(f"{self.path}: no segment {name!r}; it holds: {held}")

    def windows(
        self, frames: int = 1, *, stride: int = 1, split: Split | None = None
    ) -> list[Window]:
        """Windows of `frames` frame intervals, `stride` frames apart, each within one segment.

        Args:
            frames: frame intervals per window, 1 or more.
            stride: frames between the starts of two windows, 1 or more.
            split: only segments of this split; None for all.

        Raises:
            InputError: `frames` or `stride` is below 1, or there is no such split.
        """
        if frames < 1 or stride < 1:
            raise InputError(f"frames {frames} and stride {stride}; expected both 1 or more")
        if split is not None and split not in get_args(Split):
            raise InputError(f"split {split!r}; expected one of {', '.join(get_args(Split))}")
        return [
            Window(segment, start, start + frames)
            for segment in self.segments
            if split is None or segment.split == split
            for start in range(0, segment.frame_count - frames, stride)
        ]

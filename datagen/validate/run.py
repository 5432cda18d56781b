"""All checks of a dataset folder or a segment file, in order, with bounded memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from datagen.dataset import Segment, open_dataset
from datagen.dataset.folder import parse_manifest
from datagen.dataset.h5_file import H5File
from datagen.errors import DatasetError
from datagen.validate.contrast import contrast_check
from datagen.validate.events import check_events
from datagen.validate.flow import CycleCheck, ExactFlowCheck, WarpCheck
from datagen.validate.frames import Frame, FrameCheck, read_frame
from datagen.validate.labels import LabelCheck, check_clock, check_objects
from datagen.validate.layout import check_layout
from datagen.validate.manifest import check_entry, check_file
from datagen.validate.motion import check_poses
from datagen.validate.report import Check, Report, no_faults
from datagen.validate.spikes import check_polls, spike_check

Progress = Callable[[str, int, int], None]
"""Takes (segment name, frames checked, frames)."""


def validate(path: Path | str, *, progress: Progress | None = None) -> Report:
    """Check every promise of a dataset.

    Args:
        path: a dataset folder or one segment file; read only.
        progress: called after every frame.

    Raises:
        DatasetError: `path` is no dataset at all, or one of a newer format.
    """
    path = Path(path)
    checks = _folder(path, progress) if path.is_dir() else _single(path, progress)
    return Report(str(path), tuple(checks))


def _folder(folder: Path, progress: Progress | None) -> Iterator[Check]:
    manifest = parse_manifest(folder)
    for entry in manifest.segments:
        file = check_file(folder, entry)
        yield file
        if (folder / entry.file).is_file():
            checks = list(_readable(folder / entry.file, entry.name, progress))
            yield from checks
            if _sound(checks):
                with Segment(folder / entry.file) as segment:
                    yield check_entry(manifest, entry, segment)


def _single(path: Path, progress: Progress | None) -> Iterator[Check]:
    open_dataset(path).close()  # refuses here what is no segment file
    yield from _readable(path, path.stem, progress)


def _readable(path: Path, name: str, progress: Progress | None) -> Iterator[Check]:
    try:
        yield from _segment(path, name, progress)
    except DatasetError as error:
        yield no_faults("layout/readable", name, [str(error)], "")


def _sound(checks: list[Check]) -> bool:
    """The layout is as promised, so that the rest can be read."""
    return all(check.passed for check in checks if check.name.startswith("layout/"))


def _segment(path: Path, name: str, progress: Progress | None) -> Iterator[Check]:
    file = H5File(path)
    layout = list(check_layout(file.open(), name))
    file.close()
    yield from layout
    if not _sound(layout):
        return
    with Segment(path) as segment:
        yield from check_clock(segment)
        yield check_objects(segment)
        yield from check_poses(segment)
        for events in segment.event_streams:
            yield from check_events(segment, events)
        for spikes in segment.spike_streams:
            yield from check_polls(segment, spikes)
        yield from _frames(segment, progress)


def _frames(segment: Segment, progress: Progress | None) -> Iterator[Check]:
    checks: list[FrameCheck] = [
        LabelCheck(segment),
        ExactFlowCheck(segment),
        CycleCheck(segment),
        WarpCheck(segment),
        *(contrast_check(segment, stream) for stream in segment.event_streams),
        *(spike_check(segment, stream) for stream in segment.spike_streams),
    ]
    before: Frame | None = None
    for k in range(segment.frame_count):
        now = read_frame(segment, k)
        for check in checks:
            check.see(before, now)
        before = now
        if progress is not None:
            progress(segment.name, k + 1, segment.frame_count)
    for check in checks:
        yield from check.results()

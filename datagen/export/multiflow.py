"""MultiFlow's folders: samples with flow from one instant to many, the paths that pixels take.

Gehrig et al., "Dense Continuous-Time Optical Flow from Event Cameras", TPAMI 2024 (BFlow). A sample
covers `length_us`; its flow leads from the frame at `reference_us` to every `every_us` after it up to
`target_us`, always on the reference frame's grid, where a point is followed through occlusions:

    <split>/<sequence>_<number>/events/events.h5      t (us since the sample's start), x, y, p
                                flow/<t, 7 digits>.h5  flow (H, W, 2) [px], valid (H, W)
                                images/<t, 7 digits>.png at the reference and the target

BFlow's own loader expects 512x384 pixels, and labels every 10 ms take frames at 100 Hz or a multiple.
A point's later positions are known also where something hides it, so `flow` is given there too;
`valid`, which BFlow's files do not have, says where the point is seen at that instant.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

import h5py
from PIL import Image

from datagen.dataset import Segment
from datagen.errors import InputError
from datagen.export.label_times import frame_at, frames_per
from datagen.export.slabs import FILTERS
from datagen.export.whole_file import clear_series
from datagen.store import new_file
from schemas.arrays import EventArray
from schemas.export import MultiflowExportSpec


def write_multiflow(
    segment: Segment, spec: MultiflowExportSpec, folder: Path, sequence: str
) -> list[Path]:
    """Write a segment as consecutive samples.

    Returns:
        The files.

    Raises:
        InputError: the segment is shorter than a sample, frames do not lie on the label times, or
            the times of the spec do not fit into a sample.
    """
    samples = _count_samples(segment, spec)
    split = spec.split or ("train" if segment.split == "train" else "val")
    files = []
    _clear_samples(folder / split, sequence)
    for number in range(samples):
        own = folder / split / f"{sequence}_{number:04d}"
        files += _write_sample(segment, spec, number * spec.length_us, own)
    return files


def _count_samples(segment: Segment, spec: MultiflowExportSpec) -> int:
    """Whole samples in a segment; raises InputError where times do not fit."""
    if not spec.reference_us < spec.target_us <= spec.length_us:
        raise InputError(
            f"multiflow: reference {spec.reference_us}, target {spec.target_us}, length "
            f"{spec.length_us} us; expected reference < target <= length"
        )
    frames_per(segment, spec.every_us, option="every_us")
    samples = int(segment.times[-1]) // spec.length_us
    if samples == 0:
        raise InputError(
            f"{segment.name}: lasts {segment.times[-1]} us; expected at least {spec.length_us} us, "
            "the length of a sample. Choose a shorter `length_us` (and earlier instants)."
        )
    if (spec.target_us - spec.reference_us) % spec.every_us:
        raise InputError(
            f"multiflow: steps of {spec.every_us} us from {spec.reference_us} us miss the target at "
            f"{spec.target_us} us; expected `every_us` to divide the time between the two"
        )
    for number in range(samples):
        for t in (spec.reference_us, spec.target_us):
            frame_at(segment, number * spec.length_us + t)
    return samples


def _clear_samples(folder: Path, sequence: str) -> None:
    """Remove the samples of an earlier export, which may have had other instants."""
    for sample in folder.glob(f"{sequence}_[0-9][0-9][0-9][0-9]"):
        clear_series(sample / "events", r"events\.h5")
        clear_series(sample / "flow", r"\d{7,}\.h5")
        clear_series(sample / "images", r"\d{7,}\.png")
        for part in (*(sample / name for name in ("events", "flow", "images")), sample):
            with contextlib.suppress(OSError):  # of the user's own files, what is in there stays
                part.rmdir()


def _write_sample(
    segment: Segment, spec: MultiflowExportSpec, start_us: int, folder: Path
) -> list[Path]:
    stop = min(start_us + spec.length_us + 1, int(segment.times[-1]) + 1)
    events = segment.events(spec.sensor).slice_by_time(start_us, stop)
    files = [_write_events(events, start_us, folder / "events/events.h5")]
    reference = frame_at(segment, start_us + spec.reference_us)
    for t in range(spec.reference_us + spec.every_us, spec.target_us + 1, spec.every_us):
        path = folder / "flow" / f"{t:07d}.h5"
        flow, valid = segment.flow(reference, frame_at(segment, start_us + t))
        with new_file(path) as temporary, h5py.File(temporary, "w") as file:
            file.create_dataset("flow", data=flow, **FILTERS)
            file.create_dataset("valid", data=valid, **FILTERS)
        files.append(path)
    for t in (spec.reference_us, spec.target_us):
        path = folder / "images" / f"{t:07d}.png"
        with new_file(path) as temporary:
            picture = segment.rgb(frame_at(segment, start_us + t))
            Image.fromarray(picture).save(temporary, format="PNG")
        files.append(path)
    return files


def _write_events(events: EventArray, start_us: int, path: Path) -> Path:
    with new_file(path) as temporary, h5py.File(temporary, "w") as file:
        file.create_dataset("t", data=events.t - start_us, **FILTERS)
        for name in ("x", "y", "p"):
            file.create_dataset(name, data=getattr(events, name), **FILTERS)
    return path

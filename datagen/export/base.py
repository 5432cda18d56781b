"""The one door of the exporters: a segment and a spec in, files out.

A file appears whole under its final name or not at all, is replaced if it was there, and depends on
the segment and the spec alone. Streams are read in slabs, so memory is bounded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from datagen.dataset import Dataset, Segment, open_dataset
from datagen.errors import InputError, OutputError, SpecError
from datagen.export.aedat2 import write_aedat2
from datagen.export.aedat4 import write_aedat4
from datagen.export.dsec import write_dsec
from datagen.export.event_flow import write_event_flow
from datagen.export.event_source import EventSource, event_source
from datagen.export.m3ed import write_m3ed
from datagen.export.multiflow import write_multiflow
from datagen.export.mvsec import write_mvsec
from datagen.export.prophesee_dat import write_prophesee_dat
from datagen.export.prophesee_raw import write_evt2, write_evt3
from datagen.export.rosbag import write_rosbag
from datagen.export.spike_dat import spikecv_config, write_spike_dat
from datagen.export.spikezoo import write_spikezoo
from datagen.export.text import write_csv, write_rpg_txt
from datagen.export.v2e_h5 import write_v2e_h5
from datagen.export.whole_file import write_whole
from datagen.faults import describe_faults
from datagen.store import folder_lock, write_file
from schemas.dataset import MANIFEST
from schemas.export import (
    Aedat2ExportSpec,
    Aedat4ExportSpec,
    CsvExportSpec,
    DsecExportSpec,
    EventExportSpec,
    EventFlowExportSpec,
    EventFormat,
    Evt2ExportSpec,
    Evt3ExportSpec,
    ExportSpec,
    FlowExportSpec,
    FlowFormat,
    M3edExportSpec,
    MultiflowExportSpec,
    MvsecExportSpec,
    PropheseeDatExportSpec,
    RosbagExportSpec,
    RpgTextExportSpec,
    SpikeCvExportSpec,
    SpikeDatExportSpec,
    SpikeZooExportSpec,
    StreamExportSpec,
    V2eH5ExportSpec,
)

SPEC: TypeAdapter[ExportSpec] = TypeAdapter(ExportSpec)


def parse_export(options: dict[str, Any]) -> ExportSpec:
    """Check plain data, `kind` and options, against the formats.

    Raises:
        SpecError: one line per fault.
    """
    try:
        return SPEC.validate_python(options)
    except ValidationError as error:
        lines = [f"export: {line}" for line in describe_faults(error, ExportSpec)]
        raise SpecError("\n".join(lines)) from error


def export_dataset(path: Path, spec: ExportSpec, folder: Path) -> Iterator[Path]:
    """Write every segment of a dataset folder, or one segment file; yields the files as they come.

    Raises:
        DatasetError: it is not a dataset that can be read.
        InputError: a segment lacks the stream, the format cannot hold it, or several segments are
            to be one `sequence`.
        OutputError: `folder` is a dataset's, or another process is writing there.
    """
    with open_dataset(path) as dataset, folder_lock(folder):
        _check_sequence(dataset, spec)
        for segment in dataset.segments:
            yield from export_segment(segment, spec, folder)


def export_segment(segment: Segment, spec: ExportSpec, folder: Path) -> list[Path]:
    """Write what `spec` says of one segment into `folder`, named after the segment.

    Returns:
        The files, whole and synced.

    Raises:
        InputError: the segment lacks the stream, or the format cannot hold it.
        OutputError: `folder` is a dataset's.
        DatasetError: the segment cannot be read.
    """
    _check_folder(segment, folder)
    stem = _stem(segment, spec)
    match spec:
        case EventExportSpec():
            return [write_events(event_source(segment, spec), spec, folder / stem)]
        case SpikeDatExportSpec():
            return [_spike_file(segment, spec, folder / f"{stem}.dat", flipud=spec.flipud)]
        case SpikeCvExportSpec():
            config = spikecv_config(segment.spikes(spec.sensor), name=segment.spec.name)
            spikes = _spike_file(segment, spec, folder / f"{stem}.dat", flipud=True)
            write_file(folder / "config.yaml", config)
            return [spikes, folder / "config.yaml"]
        case SpikeZooExportSpec():
            return write_spikezoo(segment, segment.spikes(spec.sensor), spec, folder, stem)
        case FlowExportSpec():
            return _write_flow_format(segment, spec, folder, spec.sequence or stem)


def write_events(events: EventSource, spec: EventFormat, path: Path) -> Path:
    """Write a stream, which need not come from a segment; `path` gets the format's suffix.

    Raises:
        InputError: the format cannot hold it.
    """
    suffix, write = _event_writer(spec)
    return write_whole(path.with_name(path.name + suffix), lambda file: write(file, events))


def _write_flow_format(
    segment: Segment, spec: FlowFormat, folder: Path, sequence: str
) -> list[Path]:
    match spec:
        case DsecExportSpec():
            return write_dsec(segment, spec, folder, sequence)
        case MvsecExportSpec():
            return write_mvsec(segment, spec, folder, sequence)
        case EventFlowExportSpec():
            return write_event_flow(segment, spec, folder, sequence)
        case M3edExportSpec():
            return write_m3ed(segment, spec, folder, sequence)
        case MultiflowExportSpec():
            return write_multiflow(segment, spec, folder, sequence)


def _event_writer(spec: EventFormat) -> tuple[str, Callable[[Path, EventSource], None]]:
    """Suffix and writer of a format."""
    match spec:
        case Evt2ExportSpec():
            return ".raw", write_evt2
        case Evt3ExportSpec():
            return ".raw", write_evt3
        case PropheseeDatExportSpec():
            return ".dat", write_prophesee_dat
        case Aedat4ExportSpec():
            return ".aedat4", lambda path, events: write_aedat4(path, events, spec)
        case Aedat2ExportSpec():
            return ".aedat", lambda path, events: write_aedat2(path, events, spec)
        case V2eH5ExportSpec():
            return ".h5", write_v2e_h5
        case RpgTextExportSpec():
            return ".txt", lambda path, events: write_rpg_txt(path, events, spec)
        case CsvExportSpec():
            return ".csv", write_csv
        case RosbagExportSpec():
            return ".bag", lambda path, events: write_rosbag(path, events, spec)


def _spike_file(segment: Segment, spec: StreamExportSpec, path: Path, *, flipud: bool) -> Path:
    spikes = segment.spikes(spec.sensor)
    return write_whole(path, lambda temporary: write_spike_dat(temporary, spikes, flipud=flipud))


def _stem(segment: Segment, spec: StreamExportSpec) -> str:
    """Name of the files without suffix; names the sensor if it was asked for by name."""
    return segment.name if spec.sensor is None else f"{segment.name}_{spec.sensor}"


def _check_sequence(dataset: Dataset, spec: ExportSpec) -> None:
    held = len(dataset.segments)
    if isinstance(spec, FlowExportSpec) and spec.sequence is not None and held > 1:
        raise InputError(
            f"{dataset.path}: {held} segments for the one sequence {spec.sequence!r}; each would "
            "replace the one before. Export one segment file, or leave `sequence` out: sequences "
            "are then named after the segments."
        )


def _check_folder(segment: Segment, folder: Path) -> None:
    if folder.resolve() == segment.path.parent.resolve():
        raise OutputError(
            f"{folder}: is the folder of the dataset itself; expected another one, because "
            "exported files must not replace it."
        )
    if (folder / MANIFEST).is_file():
        raise OutputError(
            f"{folder}: holds {MANIFEST}, so it is the folder of a dataset; expected another one, "
            "because exported files would replace its segments of the same name."
        )

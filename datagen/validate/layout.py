"""Is everything there, in the right type and size, and does the file agree with its own job?"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

import h5py
import numpy as np
from pydantic import ValidationError

from datagen.dataset.streams import SENSOR
from datagen.plan import has_noise_labels, plan_job, stream_groups, stream_sort
from datagen.validate.report import Check, no_faults
from schemas.h5 import (
    ATTRIBUTES,
    COLUMNS,
    EVENT_COLUMNS,
    NOISE_COLUMN,
    ROOT_EVENT_COLUMNS,
    SPIKE_COLUMNS,
    Attribute,
    Column,
)
from schemas.job import JobSpec, SegmentSpec
from schemas.sensor import SpikeCameraSpec


def check_layout(file: h5py.File, name: str) -> Iterator[Check]:
    """Columns, attributes, and their agreement with the job; a later check may rely on them."""
    try:
        spec = JobSpec.model_validate_json(file.attrs.get("spec", ""))
        segment = next(s for s in spec.segments if s.segment_id == file.attrs.get("segment_id"))
    except (ValidationError, StopIteration, TypeError) as error:
        fault = f"attribute spec is no job with this segment ({type(error).__name__}: {error})"
        yield no_faults("layout/spec", name, [fault], "")
        return
    groups = stream_groups(spec.sensors)
    sorts = {groups[sensor.name]: stream_sort(sensor) for sensor in spec.sensors}
    yield no_faults("layout/columns", name, list(_column_faults(file, spec, segment, sorts)),
                    "every column is there, in its type and size")  # fmt: skip
    yield no_faults("layout/attributes", name, list(_attribute_faults(file, sorts)),
                    "every attribute is there, in its type")  # fmt: skip
    yield no_faults("layout/spec", name, list(_spec_faults(file, spec, segment, sorts)),
                    "the file is what its job asks for")  # fmt: skip


def _column_faults(
    file: h5py.File, spec: JobSpec, segment: SegmentSpec, sorts: dict[str, str]
) -> Iterator[str]:
    camera = spec.camera
    sizes = {
        "N": segment.frame_count, "H": camera.height, "W": camera.width,
        "B": -(-camera.height * camera.width // 8),
    }  # fmt: skip
    seen: dict[str, int] = {}
    for column in COLUMNS:
        yield from _column_fault(file, column, sizes, seen)
    if "events" in sorts.values():
        for column in ROOT_EVENT_COLUMNS:
            yield from _column_fault(file, column, sizes, {})
    groups = stream_groups(spec.sensors)
    labelled = {groups[sensor.name] for sensor in spec.sensors if has_noise_labels(sensor)}
    for group, sort in sorts.items():
        own: dict[str, int] = {}
        columns = EVENT_COLUMNS if sort == "events" else SPIKE_COLUMNS
        for column in (*columns, NOISE_COLUMN) if group in labelled else columns:
            yield from _column_fault(file, _in_group(column, sort, group), sizes, own)


def _in_group(column: Column, sort: str, group: str) -> Column:
    path = group + column.path.removeprefix(sort)
    return Column(path, column.dtype, column.dims, column.unit, column.meaning)


def _column_fault(
    file: h5py.File, column: Column, sizes: dict[str, int], seen: dict[str, int]
) -> Iterator[str]:
    """`sizes` are known lengths of dimensions; `seen` collects those that columns must share."""
    dataset = file.get(column.path)
    if not isinstance(dataset, h5py.Dataset):
        yield f"{column.path} is missing"
        return
    is_text = h5py.check_string_dtype(dataset.dtype) is not None
    if (column.dtype == "str") != is_text or (not is_text and dataset.dtype != column.dtype):
        yield f"{column.path} has type {dataset.dtype}; expected {column.dtype}"
    if dataset.ndim != len(column.dims):
        yield f"{column.path} has shape {dataset.shape}; expected {column.dims}"
        return
    for dim, length in zip(column.dims, dataset.shape, strict=True):
        wanted = sizes.get(dim) or (int(dim) if dim.isdecimal() else seen.setdefault(dim, length))
        if length != wanted:
            yield f"{column.path} has shape {dataset.shape}; expected {dim} = {wanted}"


def _attribute_faults(file: h5py.File, sorts: dict[str, str]) -> Iterator[str]:
    for attribute in ATTRIBUTES:
        groups = [group for group, sort in sorts.items() if sort == attribute.group]
        for group in groups if attribute.group in ("events", "spikes") else [attribute.group]:
            yield from _attribute_fault(file, group, attribute)


def _attribute_fault(file: h5py.File, group: str, attribute: Attribute) -> Iterator[str]:
    value = file[group].attrs.get(attribute.name) if group in file else None
    if value is None:
        yield f"attribute {attribute.name} of {group} is missing"
    elif not _has_kind(value, attribute.kind):
        yield f"attribute {attribute.name} of {group} is {value!r}; expected {attribute.kind}"


def _has_kind(value: Any, kind: str) -> bool:
    if kind == "str":
        return isinstance(value, str)
    array = np.asarray(value)
    base, _, dims = kind.partition("[")
    shape = tuple(int(n) for n in dims.rstrip("]").split(",")) if dims else ()
    kinds = {"bool": "b", "int": "iu", "float": "f"}
    return array.shape == shape and array.dtype.kind in kinds[base]


def _spec_faults(
    file: h5py.File, spec: JobSpec, segment: SegmentSpec, sorts: dict[str, str]
) -> Iterator[str]:
    root, calib = file.attrs, file["calib"].attrs if "calib" in file else {}
    text = str(root["spec"])
    pinhole = spec.camera.intrinsics
    pairs: list[tuple[str, Any, Any]] = [
        ("spec_sha256", root.get("spec_sha256"), hashlib.sha256(text.encode()).hexdigest()),
        ("seed", root.get("seed"), spec.seed),
        ("renderer", root.get("renderer"), spec.renderer.kind),
        ("licence", root.get("licence"), spec.licence),
        ("segment_name", root.get("segment_name"), segment.file_stem),
        ("split", root.get("split"), segment.split),
        *((f"calib {n}", calib.get(n), getattr(pinhole, n))
          for n in ("width", "height", "fx", "fy", "cx", "cy")),
        ("streams", sorted(_stream_names(file)), sorted(sorts)),
        *((f"sensor of {group}", _sensor(file, group), sensor)
          for sensor, group in ((s, stream_groups(spec.sensors)[s.name]) for s in spec.sensors)),
        *_spike_attributes(file, spec),
        ("t_offset", _scalar(file, "t_offset"), _plan_offset(spec, segment)),
    ]  # fmt: skip
    for what, seen, wanted in pairs:
        if seen is not None and seen != wanted:
            yield f"{what} is {seen!r}; the job says {wanted!r}"


def _spike_attributes(file: h5py.File, spec: JobSpec) -> Iterator[tuple[str, Any, Any]]:
    """What a spike stream says of its camera, beside the sensor's spec."""
    camera, groups = spec.camera, stream_groups(spec.sensors)
    for sensor in spec.sensors:
        group = file.get(groups[sensor.name])
        if isinstance(sensor, SpikeCameraSpec) and group is not None:
            told = {
                "width": camera.width, "height": camera.height, "rate_hz": sensor.rate_hz,
                "theta": sensor.threshold, "alpha": sensor.alpha,
            }  # fmt: skip
            for name, wanted in told.items():
                yield f"{name} of {groups[sensor.name]}", group.attrs.get(name), wanted


def _stream_names(file: h5py.File) -> list[str]:
    return [name for name in file if name.split("_")[0] in ("events", "spikes")]


def _sensor(file: h5py.File, group: str) -> Any:
    """The sensor as a spec, so that a field with its default may be left out."""
    if group not in file or "sensor" not in file[group].attrs:
        return None
    text = file[group].attrs["sensor"]
    try:
        return SENSOR.validate_json(text)
    except (ValidationError, TypeError):
        return text


def _scalar(file: h5py.File, name: str) -> int | None:
    dataset = file.get(name)
    return int(dataset[()]) if isinstance(dataset, h5py.Dataset) and dataset.shape == () else None


def _plan_offset(spec: JobSpec, segment: SegmentSpec) -> int:
    return next(p.t_offset for p in plan_job(spec) if p.segment.segment_id == segment.segment_id)

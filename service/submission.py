"""From the body of a request to a job that the ledger can accept, or to everything wrong with it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

import yaml
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from datagen.faults import message_of, real_faults
from datagen.pipeline.size import raw_bytes
from datagen.plan import input_files
from datagen.spec_file import SpecLoader, parse_json
from schemas.job import JobSpec
from schemas.render import EmbeddedRendererSpec, IsaacRendererSpec
from schemas.scene import UsdScene
from schemas.trajectory import Recorded
from service.errors import Fault, Invalid, TooLarge, Unreadable, UnsupportedMedia
from service.ledger.jobs import NewTask
from service.models import ASSET_PATH
from service.settings import Settings
from service.states import Stage

JSON_TYPES = ("application/json", "text/json")
YAML_TYPES = ("application/yaml", "application/x-yaml", "text/yaml", "text/x-yaml")
MAX_DEPTH = 32
MAX_FAULTS = 100
"""Faults of a job that are named; looking for what was meant takes a while for each."""
YAML_BYTES = 128 * 1024
"""YAML is read slowly (about a second for so much); larger jobs come as JSON."""
PEAK = 3.0
"""Most bytes of a job's work and dataset together per byte of its raw frames and spikes: sealed
chunks (1), the file (flow included, under 1.5), events."""


def read_document(body: bytes, content_type: str) -> dict[str, Any]:
    """Plain data from a JSON or YAML body.

    Raises:
        UnsupportedMedia: it is said to be something else.
        Unreadable: it is not what it is said to be, holds what JSON has no form for, or is nested too
            deeply.
    """
    kind = content_type.partition(";")[0].strip().lower()
    if kind in JSON_TYPES:
        data = _read_json(body)
    elif kind in YAML_TYPES:
        data = _read_yaml(body)
    else:
        raise UnsupportedMedia(
            f"Content-Type is {kind or 'missing'!r}; expected application/json or application/yaml"
        )
    if not isinstance(data, dict):
        raise Unreadable(f"the body holds {type(data).__name__}; expected an object")
    _refuse_unplain(data)
    return data


def _refuse_unplain(value: Any, depth: int = 1) -> None:
    """Raise Unreadable for what no JSON text says, and for what is nested too deeply."""
    if depth > MAX_DEPTH:
        raise Unreadable(f"the body is nested more than {MAX_DEPTH} levels deep")
    match value:
        case dict():
            for name, part in value.items():
                if not isinstance(name, str):
                    raise Unreadable(f"the body has the key {name!r}; expected text")
                _refuse_unplain(name, depth)
                _refuse_unplain(part, depth + 1)
        case list():
            for part in value:
                _refuse_unplain(part, depth + 1)
        case str():
            if not value.isascii() and any("\ud800" <= letter <= "\udfff" for letter in value):
                raise Unreadable(f"the body holds {value[:40]!r}; expected Unicode text")
        case int() | float() | None:
            pass
        case _:
            raise Unreadable(
                f"the body holds {str(value)[:40]!r} as {type(value).__name__}; expected text, numbers, "
                "lists and mappings"
            )


def _read_json(body: bytes) -> Any:
    try:
        return parse_json(body)
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"the body is not valid JSON: {error}") from error


class _Loader(SpecLoader):
    """YAML without aliases: a few lines of them stand for more data than any memory holds."""

    def __init__(self, stream: str) -> None:
        super().__init__(stream)
        self._depth = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            raise Unreadable("the body holds a YAML alias; write the value out")
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise Unreadable(f"the body is nested more than {MAX_DEPTH} levels deep")
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node


def _read_yaml(body: bytes) -> Any:
    if body.lstrip().startswith(b"{"):  # JSON may have tabs, of which YAML knows nothing
        with contextlib.suppress(ValueError, RecursionError):
            return parse_json(body)
    if len(body) > YAML_BYTES:
        raise TooLarge(f"{len(body):,} bytes of YAML; at most {YAML_BYTES:,} are taken; send JSON")
    try:
        return yaml.load(body.decode("utf-8"), Loader=_Loader)
    except (yaml.YAMLError, UnicodeDecodeError, ValueError, RecursionError) as error:
        raise Unreadable(f"the body is not valid YAML: {error}") from error


def parse_spec(data: dict[str, Any]) -> JobSpec:
    """The job in a document.

    Raises:
        Invalid: with a JSON pointer to every fault.
    """
    try:
        return JobSpec.model_validate(data)
    except ValidationError as error:
        found = real_faults(error)
        unnamed = max(0, len(found) - MAX_FAULTS)
        raise invalid(_faults(found[:MAX_FAULTS], data), unnamed=unnamed) from error


def invalid(faults: tuple[Fault, ...], *, unnamed: int = 0) -> Invalid:
    """A refusal that names its faults, but for some that are too many to name."""
    first = f"{faults[0].pointer or 'the document'}: {faults[0].detail}"
    others = len(faults) - 1 + unnamed
    more = f" (and {others:,} more)" if others else ""
    return Invalid(first + more, faults=faults)


def _faults(found: Iterable[ErrorDetails], document: Any) -> tuple[Fault, ...]:
    """A job's faults, those at one place joined."""
    told: dict[str, list[str]] = {}
    for fault in found:
        pointer = _pointer(fault["loc"], document, missing=fault["type"] == "missing")
        message = message_of(fault, JobSpec)
        if message not in told.setdefault(pointer, []):
            told[pointer].append(message)
    return tuple(Fault(pointer, "; or: ".join(details)) for pointer, details in told.items())


def _pointer(loc: Iterable[int | str], document: Any, *, missing: bool) -> str:
    """JSON pointer for a validator's path, which also names branches of unions on its way."""
    parts, steps, here, untagged = list(loc), [], document, True
    for i, part in enumerate(parts):
        if untagged and isinstance(here, dict) and part == here.get("kind"):
            untagged = False  # a branch, even when a field has the same name
            continue
        untagged = True
        if _has(here, part):
            here = here[part]
        elif not (missing and i == len(parts) - 1):
            continue
        steps.append(str(part).replace("~", "~0").replace("/", "~1"))
    return "".join(f"/{step}" for step in steps)


def _has(value: Any, part: int | str) -> bool:
    """The document has something at this step."""
    if isinstance(value, list):
        return isinstance(part, int) and part < len(value)
    return isinstance(value, dict) and part in value


@dataclass(frozen=True, slots=True)
class FileUse:
    """A file that a spec names."""

    pointer: str
    asset_id: str
    name: str


def file_uses(spec: JobSpec) -> list[FileUse]:
    """Every file that a job needs.

    Raises:
        Invalid: one is not of the form `<upload id>/<file>`: the service knows no other files.
    """
    uses, faults = [], []
    for pointer, path in _paths(spec):
        match = ASSET_PATH.fullmatch(path)
        if match is None:
            faults.append(
                Fault(
                    pointer,
                    f"is {path!r}; expected '<upload id>/<file>' of an upload to /v1/assets "
                    "(`datagen submit` uploads the files of a job by itself)",
                )
            )
        else:
            uses.append(FileUse(pointer, match[1], match[2]))
    if faults:
        raise invalid(tuple(faults))
    return uses


def _paths(spec: JobSpec) -> list[tuple[str, str]]:
    found = []
    if isinstance(spec.scene, UsdScene):
        found.append(("/scene/path", spec.scene.path))
    for i, segment in enumerate(spec.segments):
        if isinstance(segment.scene, UsdScene):
            found.append((f"/segments/{i}/scene/path", segment.scene.path))
        if isinstance(segment.trajectory, Recorded):
            found.append((f"/segments/{i}/trajectory/path", segment.trajectory.path))
    named = {str(path) for path in input_files(spec)}
    unseen = named - {str(PurePosixPath(path)) for _, path in found}
    assert not unseen, f"a new kind of input file is not confined: {unseen}"
    return found


def refuse_too_large(spec: JobSpec, settings: Settings) -> None:
    """Raise Invalid when a job is larger than this service takes."""
    frames = sum(segment.frame_count for segment in spec.segments)
    pixels = spec.camera.width * spec.camera.height
    faults = [
        Fault(pointer, f"{seen:,} {what}; at most {most:,} are taken")
        for pointer, what, seen, most in (
            ("/segments", "segments", len(spec.segments), settings.job_segments),
            ("/segments", "frames in all segments", frames, settings.job_frames),
            ("/camera", "pixels of a picture", pixels, settings.frame_pixels),
        )
        if seen > most
    ]
    if faults:
        raise invalid(tuple(faults))


def tasks_for(spec: JobSpec) -> list[NewTask]:
    """The tasks of a job, in order."""
    segments = [
        NewTask(stage=Stage.SEGMENTS, name=s.file_stem, frames=s.frame_count) for s in spec.segments
    ]
    first, last = NewTask(stage=Stage.PREPARE, name="prepare"), NewTask(stage=Stage.PACKAGE, name="package")  # fmt: skip
    return [first, *segments, last]


def device_of(spec: JobSpec) -> str:
    """Class of the device that a job's workers need."""
    match spec.renderer:
        case EmbeddedRendererSpec():
            return "cpu"
        case IsaacRendererSpec():
            return "isaac"


def expected_bytes(spec: JobSpec) -> int:
    """Most bytes that a job should need on the disk."""
    return round(PEAK * raw_bytes(spec))

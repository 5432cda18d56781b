"""Make the tables anew that pages beside this file take from code.

A table stands between `<!-- NAME: begin (...) -->` and `<!-- NAME: end -->`, by any name of TABLES.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from pydantic.fields import FieldInfo

from schemas.base import Spec
from schemas.camera import CameraSpec, MountSpec, PinholeOptics
from schemas.export import EventFormat, FlowFormat, SpikeFormat
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
from schemas.job import JobSpec, SegmentSpec, SubFrameSpec
from schemas.render import RendererSpec, StageVariation
from schemas.scene import SceneSpec
from schemas.sensor import SensorSpec
from schemas.trajectory import (
    MountToWorld,
    OrientationSpec,
    Ramp,
    ShakeSpec,
    Sine,
    TrajectorySpec,
    Waypoint,
)
from service.settings import PREFIX, Settings

HERE = Path(__file__).parent


def main() -> None:
    """Write every page with tables."""
    for path in HERE.glob("*.md"):
        path.write_text(with_tables(path.read_text("utf-8")), encoding="utf-8")


def with_tables(page: str) -> str:
    """The page with its tables made anew."""
    for name, table in TABLES.items():
        between = rf"(<!-- {name}: begin [^\n]*-->\n).*?(<!-- {name}: end -->)"
        page = re.sub(between, lambda m, t=table: m[1] + t + m[2], page, flags=re.DOTALL)
    return page


def settings_table() -> str:
    """Every setting of the service: variable, default, meaning."""
    rows = (
        (f"`{PREFIX}{name.upper()}`", in_words(field.default), field.description or "")
        for name, field in Settings.model_fields.items()
    )
    return markdown(("variable", "default", "meaning"), rows)


def in_words(value: object) -> str:
    """A default as it would be typed; empty text is left empty."""
    return f"`{value}`" if str(value) else ""


def options_table(formats: Any) -> str:
    """Every option of some export formats, once where several share it."""
    specs, of = get_args(formats), dict[tuple[str, str, str], list[str]]()
    for spec in specs:
        for name, field in spec.model_fields.items():
            if name not in ("kind", "sensor"):
                row = (f"`{name}`", values(field), field.description or "")
                of.setdefault(row, []).append(f"`{spec.model_fields['kind'].default}`")
    rows = (
        (name, "all" if len(kinds) == len(specs) > 1 else ", ".join(kinds), default, meaning)
        for (name, default, meaning), kinds in of.items()
    )
    return markdown(("option", "of", "default", "meaning"), rows)


def fields_table(specs: Mapping[str, type[Spec]], *, leave_out: Iterable[str] = ()) -> str:
    """What some specs are and every field of theirs, each spec under its name."""
    rows = [
        row
        for name, spec in specs.items()
        for row in [(f"`{name}`", "", "", summary(spec)), *field_rows(spec, {"kind", *leave_out})]
    ]
    return markdown(("", "field", "default", "meaning"), rows)


def field_rows(spec: type[Spec], leave_out: set[str]) -> list[tuple[str, str, str, str]]:
    """Every field of a spec but some."""
    return [
        ("", f"`{name}`", values(field), field.description or "See below.")
        for name, field in spec.model_fields.items()
        if name not in leave_out
    ]


def by_kind(union: Any) -> dict[str, type[Spec]]:
    """The specs of a closed union by their kinds."""
    specs, _ = get_args(union)
    return {spec.model_fields["kind"].default: spec for spec in get_args(specs)}


def summary(spec: type[Spec]) -> str:
    """The first paragraph of what a spec says of itself."""
    return inspect.cleandoc(spec.__doc__ or "").partition("\n\n")[0]


def values(field: FieldInfo) -> str:
    """The default as it would be typed, before the other choices where there are some."""
    if field.is_required():
        return "required"
    default = field.get_default(call_default_factory=True)
    others = [choice for choice in choices(field.annotation) if choice != default]
    if default is None and not others:
        return ""
    return ", ".join([typed(default), *(f"or `{choice}`" for choice in others)])


def choices(annotation: Any) -> list[str | int]:
    """The words and numbers that a type allows by name."""
    if get_origin(annotation) is Literal:
        return [choice for choice in get_args(annotation) if not isinstance(choice, bool)]
    return [choice for part in get_args(annotation) for choice in choices(part)]


def typed(value: Any) -> str:
    """A default as it would be typed; of a spec its kind, where it has one."""
    match value:
        case None:
            return "none"
        case bool():
            return f"`{str(value).lower()}`"
        case tuple():
            return f"`{list(value)}`"
        case list():
            return ", ".join(map(typed, value))
        case Spec():
            return in_words(getattr(value, "kind", "")) or "its own"
        case _:
            return in_words(value)


def columns_table(columns: Iterable[Column]) -> str:
    """Every dataset of a segment file."""
    rows = ((f"`{c.path}`", c.dtype, shape(c), c.unit or "-", c.meaning) for c in columns)
    return markdown(("column", "type", "shape", "unit", "meaning"), rows)


def shape(column: Column) -> str:
    """Names of the dimensions."""
    return f"({', '.join(column.dims)})" if column.dims else "scalar"


def attributes_table(attributes: Iterable[Attribute]) -> str:
    """Every attribute of a segment file."""
    rows = ((f"`{a.group}`", f"`{a.name}`", a.kind, a.meaning) for a in attributes)
    return markdown(("group", "attribute", "type", "meaning"), rows)


def markdown(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """A table."""
    lines = [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    for row in rows:
        cells = (" ".join(cell.split()).replace("|", "\\|") for cell in row)
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


TABLES = {
    "settings": settings_table(),
    "labels": columns_table(COLUMNS),
    "streams": columns_table((*EVENT_COLUMNS, NOISE_COLUMN, *ROOT_EVENT_COLUMNS, *SPIKE_COLUMNS)),
    "attributes": attributes_table(ATTRIBUTES),
    "event options": options_table(EventFormat),
    "spike options": options_table(SpikeFormat),
    "flow options": options_table(FlowFormat),
    "job": fields_table({"job": JobSpec, "segments": SegmentSpec, "sub_frames": SubFrameSpec}),
    "trajectories": fields_table(by_kind(TrajectorySpec), leave_out=("orientation", "shake")),
    "quantities": fields_table({"ramp": Ramp, "sine": Sine}),
    "orientations": fields_table({**by_kind(OrientationSpec), "shake": ShakeSpec}),
    "parts of trajectories": fields_table(
        {"waypoints": Waypoint, "world_from_recording": MountToWorld}
    ),
    "scenes": fields_table(by_kind(SceneSpec)),
    "camera": fields_table({"camera": CameraSpec, "mount": MountSpec, "optics": PinholeOptics}),
    "sensors": fields_table(by_kind(SensorSpec)),
    "renderers": fields_table({**by_kind(RendererSpec), "randomise": StageVariation}),
}


if __name__ == "__main__":
    main()

"""JSON Schema of a job, read as a form needs it: what kinds a value can have, its words, its default."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache
from typing import Any

from schemas.job import JobSpec

Shape = dict[str, Any]

_UNIT = re.compile(r"\s*\[([A-Za-z/ ]+)(?:, [a-z ]+)?\]")
_SUFFIXES = {"hz": "Hz", "deg": "deg", "us": "us"}
_SIGNS = {"deg": "°", "us": "µs"}
_WORDS = {
    "fx": "fx", "fy": "fy", "cx": "cx", "cy": "cy", "t": "Time", "usd": "USD stage",
    "preset": "Preset", "psf_sigma": "PSF sigma", "log_eps": "Log offset",
    "horizontal_fov_deg": "Horizontal field of view", "quaternion_xyzw": "Quaternion x y z w",
}  # fmt: skip
_HELP = {"path": "An upload's file: `<upload id>/<file name>`."}


@dataclass(frozen=True, slots=True)
class Words:
    """What a form says of a field."""

    label: str
    unit: str
    help: str


@cache
def job_shape() -> Shape:
    """The schema of a job with its definitions."""
    return JobSpec.model_json_schema()


def resolved(shape: Shape) -> Shape:
    """A schema without a reference at its top; words beside the reference win."""
    if "$ref" not in shape:
        return shape
    target: Shape = job_shape()["$defs"][shape["$ref"].rpartition("/")[2]]
    return {**target, **{name: value for name, value in shape.items() if name != "$ref"}}


def variants(shape: Shape) -> list[Shape]:
    """What a value may be: the branches of unions in unions, null left out."""
    branches = shape.get("anyOf") or shape.get("oneOf")
    if branches is None:
        return [resolved(shape)]
    found = [v for branch in branches for v in variants(resolved(branch))]
    return [v for v in found if v.get("type") != "null"]


def may_be_null(shape: Shape) -> bool:
    """The value may be absent on purpose."""
    return any(branch.get("type") == "null" for branch in shape.get("anyOf", ()))


def is_object(shape: Shape) -> bool:
    """It has named parts."""
    return shape.get("type") == "object"


def kind_of(shape: Shape) -> str:
    """Name of a branch of a union: its discriminator, or `number`."""
    kind = shape.get("properties", {}).get("kind", {}).get("const")
    return str(kind) if kind is not None else "on" if is_object(shape) else "number"


def parts(shape: Shape) -> dict[str, Shape]:
    """Named parts that a user can set: all but discriminators and versions."""
    return {
        name: resolved(part)
        for name, part in shape["properties"].items()
        if name != "kind" and "const" not in part
    }


def options(shape: Shape) -> list[str] | None:
    """The choices of a scalar; None when it is free."""
    if shape.get("type") == "boolean":
        return ["true", "false"]
    values = shape.get("enum", [shape["const"]] if "const" in shape else None)
    return None if values is None else [str(value) for value in values]


def words(name: str, shape: Shape) -> Words:
    """Label, unit and help of a field."""
    help_ = _HELP.get(name) or str(shape.get("description", ""))
    found = _UNIT.search(help_)
    stem, _, suffix = name.rpartition("_")
    unit = found[1] if found else _SUFFIXES.get(suffix, "")
    label = _WORDS.get(name) or plain(stem if suffix in _SUFFIXES else name)
    return Words(label, _SIGNS.get(unit, unit), _tidy(_UNIT.sub("", help_)))


def summary_of(shape: Shape) -> str:
    """The first paragraph of what an object is."""
    return " ".join(str(shape.get("description", "")).partition("\n\n")[0].split())


def _tidy(text: str) -> str:
    text = " ".join(text.split()).lstrip(".,; ")
    return text if text.startswith("ln(") else text[:1].upper() + text[1:]


def plain(name: str) -> str:
    """A field's name as words: `angular_speed` is `Angular speed`."""
    text = _WORDS.get(name) or name.replace("_", " ")
    return text[:1].upper() + text[1:]


def default_text(shape: Shape) -> str:
    """The default of a scalar as it would be typed; empty when there is none."""
    default = shape.get("default")
    if default is None or isinstance(default, dict | list):
        return ""
    return default if isinstance(default, str) else json.dumps(default).removesuffix(".0")

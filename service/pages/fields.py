"""The fields of a form: what the page needs to draw one, and those that hold values."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any

from service.pages.shapes import Shape, default_text, options, words


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A field, or a group or list of fields."""

    control: str
    """`text`, `number`, `integer`, `mixed`, `choice`, `vector`, `group`, `list`."""
    pointer: str
    label: str
    unit: str = ""
    help: str = ""
    value: str = ""
    note: str = ""
    """What is in it, in a few words, while it is folded up."""
    placeholder: str = ""
    """The default, shown while the field is empty."""
    required: bool = False
    options: tuple[tuple[str, str], ...] = ()
    """(value, label) of a choice; of a group, its kinds; of a list, what can be added."""
    shown: tuple[Node, ...] = ()
    more: tuple[Node, ...] = ()
    is_set: bool = False
    """The document has it."""

    @property
    def is_file(self) -> bool:
        """It names a file of an upload."""
        return self.pointer.endswith("/path")

    @property
    def id(self) -> str:
        """Of its element in the page."""
        return "job" + self.pointer.replace("/", "-")


def scalar(shape: Shape, found: list[Shape], pointer: str, name: str, value: Any) -> Node:
    """A field for one value: `shape` has its words, `found` what it may be."""
    said, typed = words(name, shape), _typed(value)
    choices = options(found[0]) if len(found) == 1 else None
    node = Node(
        control=_control(found),
        pointer=pointer,
        label=said.label,
        unit=said.unit,
        help=said.help,
        value=typed,
        placeholder=default_text(shape),
    )
    if choices is None:
        return node
    if typed and typed not in choices:
        choices = [typed, *choices]
    return replace(node, control="choice", options=tuple((c, _choice_label(c)) for c in choices))


def _control(found: list[Shape]) -> str:
    kinds = {str(shape.get("type")) for shape in found}
    if len(kinds) > 1:
        return "mixed"
    kind = kinds.pop()
    return kind if kind in ("number", "integer") else "text"


def _typed(value: Any) -> str:
    """A scalar as it would be typed."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value)


def _choice_label(choice: str) -> str:
    return {"true": "yes", "false": "no"}.get(choice, choice.replace("_", " "))


def vector(shape: Shape, pointer: str, name: str, given: list[Any]) -> Node:
    """A field for a fixed number of values, as x, y, z."""
    default = shape.get("default") or []
    axes = []
    for i, (axis, part) in enumerate(zip("xyzw", shape["prefixItems"], strict=False)):
        axis_shape = {**part, "default": default[i] if i < len(default) else None}
        value = given[i] if i < len(given) else None
        node = scalar(axis_shape, [part], f"{pointer}/{i}", axis, value)
        axes.append(replace(node, label=axis))
    said = words(name, shape)
    return Node(
        control="vector",
        pointer=pointer,
        label=said.label,
        unit=said.unit,
        help=said.help,
        shown=tuple(axes),
    )

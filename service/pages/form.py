"""A job's document and the schema of jobs -> the fields of a form, each at its JSON pointer.

The schema decides what fields there are, so that a new kind of trajectory or sensor has its form
without any work here. What the document sets or needs is shown at once, the rest on demand.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from service.pages.documents import Document
from service.pages.fields import Node, scalar, vector
from service.pages.shapes import (
    Shape,
    is_object,
    job_shape,
    kind_of,
    may_be_null,
    parts,
    plain,
    resolved,
    summary_of,
    variants,
    words,
)

ITEMS_SHOWN = 100
"""Of a list; the form keeps the others as they are."""
SHOWN_BELOW = 1e15
"""Larger numbers are no part of an item's note."""
ALWAYS_SHOWN = frozenset({"/name", "/seed", "/scene", "/camera", "/sensors", "/segments"})


def form_of(document: Document) -> Node:
    """The form of a job."""
    return _object(job_shape(), "", "Job", document)


def _node(shape: Shape, pointer: str, value: Any, *, required: bool) -> Node:
    name = pointer.rpartition("/")[2]
    found = variants(shape)
    if shape.get("type") == "array":
        node = _array(shape, pointer, name, value)
    elif any(is_object(variant) for variant in found):
        node = _union(shape, found, pointer, name, value, required=required)
    else:
        node = scalar(shape, found, pointer, name, value)
    return replace(node, required=required, is_set=value is not None)


def _array(shape: Shape, pointer: str, name: str, value: Any) -> Node:
    given = value if isinstance(value, list) else []
    if "prefixItems" in shape:
        return vector(shape, pointer, name, given)
    items = resolved(shape["items"])
    kinds = [kind_of(variant) for variant in variants(items)]
    nodes = [
        _item(items, f"{pointer}/{i}", item, number=i + 1, name=name)
        for i, item in enumerate(given[:ITEMS_SHOWN])
    ]
    return Node(
        control="list",
        pointer=pointer,
        label=plain(name),
        help=_hidden(len(given)) or words(name, shape).help,
        options=tuple((kind, f"Add {_item_label(name, kind)}") for kind in kinds),
        shown=tuple(nodes),
    )


def _hidden(count: int) -> str:
    if count <= ITEMS_SHOWN:
        return ""
    return f"The first {ITEMS_SHOWN} of {count}; the others are kept as they are. YAML has all."


def _item_label(name: str, kind: str) -> str:
    return name.removesuffix("s") if kind == "on" else kind.replace("_", " ")


def _item(items: Shape, pointer: str, value: Any, *, number: int, name: str) -> Node:
    found = variants(items)
    label = f"{plain(name.removesuffix('s'))} {number}"
    if len(found) == 1:
        return replace(_object(found[0], pointer, label, value), help="", note=_note(value))
    return replace(_node(items, pointer, value, required=True), label=label, note=_note(value))


def _note(value: Any) -> str:
    """Names and kinds in an item: `orbit, orbital, 2 s at 30 Hz`."""
    if not isinstance(value, dict):
        return ""
    trajectory = value.get("trajectory")
    inner = trajectory.get("kind") if isinstance(trajectory, dict) else None
    told = [value.get("name"), value.get("kind"), inner, value.get("split")]
    notes = [word.replace("_", " ") for word in told if isinstance(word, str)]
    for name, unit in (("t", "s"), ("duration", "s"), ("frame_rate", "Hz")):
        if isinstance(number := value.get(name), int | float) and abs(number) < SHOWN_BELOW:
            notes.append(f"{number:g} {unit}")
    return ", ".join(dict.fromkeys(notes))


def _union(
    shape: Shape, found: list[Shape], pointer: str, name: str, value: Any, *, required: bool
) -> Node:
    """One of several kinds of object, or a number; with a choice of the kind."""
    said = words(name, shape)
    chosen = _chosen(found, value)
    alone = len(found) == 1 and not may_be_null(shape)
    if alone:
        return _object(found[0], pointer, said.label, value)
    scalars = [variant for variant in found if not is_object(variant)]
    kinds = [(kind_of(variant), _kind_label(kind_of(variant))) for variant in found]
    if not scalars and not required:
        kinds.insert(0, ("", _absent_label(shape)))
    base = Node(
        control="group",
        pointer=pointer,
        label=said.label,
        unit=said.unit,
        help=said.help if chosen is None or scalars else summary_of(chosen) or said.help,
        options=tuple(kinds),
    )
    if chosen is not None and is_object(chosen):
        inside = _object(chosen, pointer, said.label, value)
        return replace(base, value=kind_of(chosen), shown=inside.shown, more=inside.more)
    if scalars:
        number = replace(scalar(shape, scalars, pointer, name, value), label="Value", help="")
        return replace(base, value="number", shown=(number,))
    return base


def _chosen(found: list[Shape], value: Any) -> Shape | None:
    if not isinstance(value, dict):
        return None
    objects = [variant for variant in found if is_object(variant)]
    if len(objects) == 1:
        return objects[0]
    return next((v for v in objects if kind_of(v) == value.get("kind")), None)


def _kind_label(kind: str) -> str:
    return {"on": "yes", "number": "constant"}.get(kind, plain(kind).lower())


def _absent_label(shape: Shape) -> str:
    default = shape.get("default")
    kind = default.get("kind") if isinstance(default, dict) else None
    return f"{_kind_label(kind)} (default)" if kind else "none"


def _object(shape: Shape, pointer: str, label: str, value: Any) -> Node:
    given = value if isinstance(value, dict) else {}
    needed = shape.get("required", ())
    nodes = [
        _node(part, f"{pointer}/{name}", given.get(name), required=name in needed)
        for name, part in parts(shape).items()
    ]
    if _settings_follow(shape, given):
        nodes = [replace(node, placeholder="from the preset") for node in nodes]
    nodes.sort(key=lambda node: node.control in ("group", "list"))
    shown = tuple(n for n in nodes if n.is_set or n.required or n.pointer in ALWAYS_SHOWN)
    more = tuple(node for node in nodes if node not in shown)
    if not shown:
        shown, more = more, ()
    return Node(
        control="group",
        pointer=pointer,
        label=label,
        help=summary_of(shape),
        shown=shown,
        more=more,
        is_set=isinstance(value, dict),
    )


def _settings_follow(shape: Shape, given: Document) -> bool:
    """A preset that is optional and given decides the fields that are not."""
    preset = shape["properties"].get("preset", {})
    return given.get("preset") is not None and may_be_null(preset)

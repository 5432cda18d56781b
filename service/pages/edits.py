"""The changes of a job's document that change which fields its form has."""

from __future__ import annotations

from itertools import count
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from service.errors import Unreadable
from service.pages.documents import Document, append, at, put, take_out
from service.pages.starters import KINDS, PARTS

MAIN_NUMBER = {"ramp": "start", "sine": "mean"}
"""The number of a varying quantity that a constant in its place would have."""


class Edit(BaseModel):
    """One change."""

    model_config = ConfigDict(extra="forbid")

    do: Literal["show", "kind", "add", "remove"]
    """Nothing; another kind at the pointer; one more in the list there; without what is there."""
    pointer: Annotated[str, Field(pattern=r"^(/\w{1,64})*$")] = ""
    kind: Annotated[str, Field(max_length=64)] = ""
    document: dict[str, Any]


def edited(edit: Edit) -> Document:
    """The document after a change.

    Raises:
        Unreadable: the change does not fit the document.
    """
    match edit.do:
        case "show":
            return edit.document
        case "remove":
            return take_out(edit.document, edit.pointer)
        case "kind":
            return _of_kind(edit.document, edit.pointer, edit.kind)
        case "add":
            return append(edit.document, edit.pointer, _next_item(edit))


def _of_kind(document: Document, pointer: str, kind: str) -> Document:
    if not kind:
        return take_out(document, pointer)
    before = at(document, pointer)
    if kind == "number":
        number = _number_of(before)
        return take_out(document, pointer) if number is None else put(document, pointer, number)
    after = dict(_starter(kind, pointer))
    number = _number_of(before)
    if kind in MAIN_NUMBER and number is not None:
        after[MAIN_NUMBER[kind]] = number
    return put(document, pointer, after)


def _number_of(value: Any) -> Any:
    """The constant that stands for a quantity best."""
    if isinstance(value, dict):
        return value.get(MAIN_NUMBER.get(str(value.get("kind")), ""))
    return value


def _starter(kind: str, pointer: str) -> Document:
    if kind == "on":
        return PARTS.get(pointer.rpartition("/")[2], {})
    return KINDS.get(kind, {"kind": kind})


def _next_item(edit: Edit) -> Document:
    """A new item of a list: like the last one where items have no kind, else the kind's example."""
    items = at(edit.document, edit.pointer) or []
    if not isinstance(items, list):
        raise Unreadable(f"{edit.pointer} is no list; nothing can be added to it")
    before = [item for item in items if isinstance(item, dict)]
    like_last = edit.kind in ("", "on") and before
    item = dict(before[-1]) if like_last else dict(_starter(edit.kind or "on", edit.pointer))
    return item | _identity(item, before)


def _identity(item: Document, before: list[Document]) -> Document:
    """The fields that make an item another than those before."""
    told: Document = {}
    if "segment_id" in item:
        told["segment_id"] = max(_numbers(before, "segment_id"), default=-1) + 1
    if "t" in item:
        told["t"] = max(_numbers(before, "t"), default=-1) + 1
    if isinstance(item.get("name"), str):
        told["name"] = _free_name(item["name"], {str(i.get("name")) for i in before})
    return told


def _numbers(items: list[Document], name: str) -> list[float]:
    return [i[name] for i in items if isinstance(i.get(name), int | float)]


def _free_name(name: str, taken: set[str]) -> str:
    if name not in taken:
        return name
    stem = name.rstrip("0123456789").rstrip("-") or name
    return next(free for i in count(2) if (free := f"{stem}-{i}") not in taken)

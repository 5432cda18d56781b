"""Plain documents, and changes of them at a JSON pointer (RFC 6901). Nothing given is written to."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from service.errors import Unreadable

Document = dict[str, Any]


def steps_of(pointer: str) -> list[str]:
    """The keys of a pointer."""
    return [step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:]]


def put(document: Document, pointer: str, value: Any) -> Document:
    """A document with `value` at a pointer; objects on the way are made.

    Raises:
        Unreadable: the pointer leads through something that is neither object nor list, or is that of
            the whole document.
    """
    changed = deepcopy(document)
    *way, last = _way(pointer)
    here: Any = changed
    for step in way:
        here = here.setdefault(step, {}) if isinstance(here, dict) else _item(here, step, pointer)
    if isinstance(here, dict):
        here[last] = deepcopy(value)
    else:
        here[_index(here, last, pointer)] = deepcopy(value)
    return changed


def take_out(document: Document, pointer: str) -> Document:
    """A document without what is at a pointer, if anything is.

    Raises:
        Unreadable: see `put`.
    """
    changed = deepcopy(document)
    *way, last = _way(pointer)
    here: Any = changed
    for step in way:
        if isinstance(here, dict) and step not in here:
            return changed
        here = here[step] if isinstance(here, dict) else _item(here, step, pointer)
    if isinstance(here, dict):
        here.pop(last, None)
    else:
        del here[_index(here, last, pointer)]
    return changed


def append(document: Document, pointer: str, value: Any) -> Document:
    """A document with `value` at the end of the list at a pointer; the list is made if absent.

    Raises:
        Unreadable: there is something else than a list.
    """
    there = at(document, pointer)
    if not isinstance(there, list | None):
        raise Unreadable(f"{pointer} holds {type(there).__name__}; expected a list")
    return put(document, pointer, [*(there or []), value])


def at(document: Any, pointer: str) -> Any:
    """What is at a pointer; None when nothing is."""
    here = document
    for step in steps_of(pointer):
        if isinstance(here, dict):
            here = here.get(step)
        elif isinstance(here, list) and step.isdecimal() and int(step[:9]) < len(here):
            here = here[int(step[:9])]
        else:
            return None
    return here


def _way(pointer: str) -> list[str]:
    if not pointer:
        raise Unreadable("the pointer is that of the whole document; expected one into it")
    return steps_of(pointer)


def _item(here: Any, step: str, pointer: str) -> Any:
    return here[_index(here, step, pointer)]


def _index(here: Any, step: str, pointer: str) -> int:
    if isinstance(here, list) and step.isdecimal() and int(step[:9]) < len(here):
        return int(step[:9])
    raise Unreadable(f"{pointer} leads to nothing in the document")

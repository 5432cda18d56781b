"""A validator's faults in words for who wrote the spec: where, what was seen, what was expected."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any, get_args

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from schemas.base import NAME_PATTERN, Spec

Steps = tuple[int | str, ...]
NAME_IN_WORDS = "expected a to z, digits, - and _, at most 63, the first a letter or digit"


def describe_faults(error: ValidationError, kind: Any) -> list[str]:
    """One line per fault, such as `segments/0/duration: Input should be greater than 0 (got -1.0)`.

    Args:
        error: what validation raised.
        kind: what was asked for: a spec, or a union of specs.
    """
    told: dict[str, dict[str, None]] = {}
    for fault in real_faults(error):
        told.setdefault(_place(fault), {})[message_of(fault, kind)] = None
    return [f"{place}: {'; or: '.join(messages)}" for place, messages in told.items()]


def real_faults(error: ValidationError) -> list[ErrorDetails]:
    """What validation found, without what only the branches of a union say that were not meant."""
    faults = error.errors(include_url=False)
    return [fault for fault in faults if not _is_other_branch(fault)]


def _place(fault: ErrorDetails) -> str:
    steps = fault["loc"]
    own = len(steps) - 1 if fault["type"] == "extra_forbidden" else len(steps)  # the user's word
    named = [str(part) for i, part in enumerate(steps) if i == own or not _is_branch(part)]
    return "/".join(named) or "(top level)"


def message_of(fault: ErrorDetails, kind: Any) -> str:
    """What is wrong, without the place.

    Args:
        fault: one of `real_faults`.
        kind: what was asked for: a spec, or a union of specs.
    """
    where = fault["loc"]
    match fault["type"]:
        case "extra_forbidden":
            known = {name for spec in _specs_at(kind, where[:-1]) for name in spec.model_fields}
            return "no such field" + _instead(str(where[-1]), known)
        case "union_tag_invalid":
            context = fault["ctx"]
            return f"kind is {context['tag']!r}; expected one of {context['expected_tags']}"
        case "union_tag_not_found":
            kinds = sorted(tag for spec in _specs_at(kind, where) for tag in _tags(spec))
            return f"kind is missing; expected one of {', '.join(map(repr, kinds))}"
        case "string_pattern_mismatch" if fault["ctx"]["pattern"] == NAME_PATTERN:
            return f"{NAME_IN_WORDS} {_seen(fault)}"
        case _ if _holds_objects(fault["input"]):
            return _message(fault)
        case _:
            return f"{_message(fault)} {_seen(fault)}"


def _holds_objects(seen: Any) -> bool:
    """It is too much to be repeated in a message."""
    return isinstance(seen, dict) or (isinstance(seen, list) and any(map(_holds_objects, seen)))


def _message(fault: ErrorDetails) -> str:
    return fault["msg"].removeprefix("Value error, ")


def _seen(fault: ErrorDetails) -> str:
    seen = repr(fault["input"])
    return f"(got {seen if len(seen) <= 120 else seen[:117] + '...'})"


def _instead(seen: str, known: Iterable[str]) -> str:
    """What may have been meant, or else all that could have been."""
    known = sorted(known)
    if near := difflib.get_close_matches(seen, known, n=1):
        return f"; did you mean {near[0]!r}?"
    return f"; expected one of {', '.join(known)}" if known else ""


def _is_branch(part: int | str) -> bool:
    """The step names a branch of a union by its type, such as `literal['auto']`, and no field."""
    return isinstance(part, str) and (part == "float" or not part.isidentifier())


def _is_quantity(part: int | str) -> bool:
    """The step names a branch of `number or kind` (see `schemas.trajectory.Profile`)."""
    return part == "float" or str(part).startswith("tagged-union[")


def _is_other_branch(fault: ErrorDetails) -> bool:
    """A quantity is a number or a mapping with a kind; the one that was not meant has no say."""
    branch = fault["loc"][-1] if fault["loc"] else ""
    if branch == "float":
        return isinstance(fault["input"], dict)
    return _is_quantity(branch) and not isinstance(fault["input"], dict)


def _specs_at(kind: Any, where: Steps) -> set[type[Spec]]:
    """The specs that could stand at a place; several where a union's kind is not settled."""
    found = _specs_in(kind)
    for step in where:
        if isinstance(step, int) or _is_branch(step):
            continue
        if len(found) > 1:
            found = {spec for spec in found if step in _tags(spec)}
        else:
            fields = [spec.model_fields[step] for spec in found if step in spec.model_fields]
            found = {spec for field in fields for spec in _specs_in(field.annotation)}
    return found


def _specs_in(annotation: Any) -> set[type[Spec]]:
    """The specs that a type is made of, such as the members of a union or the items of a list."""
    if parts := get_args(annotation):
        return {spec for part in parts for spec in _specs_in(part)}
    is_spec = isinstance(annotation, type) and issubclass(annotation, Spec)
    return {annotation} if is_spec else set()


def _tags(spec: type[Spec]) -> tuple[str, ...]:
    """The values that `kind` can have."""
    field = spec.model_fields.get("kind")
    return get_args(field.annotation) if field else ()

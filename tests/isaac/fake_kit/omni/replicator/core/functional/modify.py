"""`rep.functional.modify`."""

from __future__ import annotations

from typing import Any

from fake_engine import ENGINE


def attribute(prim: Any, name: str, value: Any) -> None:
    prim.GetAttribute(name).Set(value)
    ENGINE.changed = True

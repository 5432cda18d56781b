"""Make the tables anew that pages beside this file take from code.

A table stands between `<!-- NAME: begin (...) -->` and `<!-- NAME: end -->`, by any name of TABLES.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, get_args

from pydantic.fields import FieldInfo

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


def values(field: FieldInfo) -> str:
    """The default as it would be typed, before the other choices where there are some."""
    choices = [c for c in get_args(field.annotation) if isinstance(c, str) and c != field.default]
    if field.default is None:
        return ""
    default = str(field.default).lower() if isinstance(field.default, bool) else field.default
    return ", ".join([in_words(default), *(f"or `{choice}`" for choice in choices)])


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
}


if __name__ == "__main__":
    main()

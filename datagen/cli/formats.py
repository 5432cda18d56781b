"""Commands whose help ends with the formats that they write, each with its options."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, get_args

import click

if TYPE_CHECKING:
    from pydantic import BaseModel


class FormatsCommand(click.Command):
    """A command that writes some formats."""

    def formats(self) -> Any:
        """A union of specs, imported when asked for."""
        raise NotImplementedError

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Add the formats to the help."""
        with formatter.section("Formats (docs/export.md says what each keeps)"):
            formatter.write_dl([_row(spec) for spec in get_args(self.formats())])
        super().format_epilog(ctx, formatter)


class ExportCommand(FormatsCommand):
    """Writes every format."""

    def formats(self) -> Any:
        """Those of events, spikes and flow."""
        from schemas.export import EventFormat, FlowFormat, SpikeFormat

        return EventFormat | SpikeFormat | FlowFormat


class EventsCommand(FormatsCommand):
    """Writes events."""

    def formats(self) -> Any:
        """Those of events."""
        from schemas.export import EventFormat

        return EventFormat


def _row(spec: type[BaseModel]) -> tuple[str, str]:
    """Name, what it is, and its options: the default, or all choices with the default first."""
    told = inspect.cleandoc(spec.__doc__ or "").split("\n\n")[0].replace("\n", " ")
    options = ", ".join(_options(spec))
    return str(
        spec.model_fields["kind"].default
    ), f"{told} Options: {options}." if options else told


def _options(spec: type[BaseModel]) -> Iterator[str]:
    for name, field in spec.model_fields.items():
        if name in ("kind", "sensor"):
            continue
        if field.default is None:
            yield name
        elif isinstance(field.default, bool):
            yield f"{name}={str(field.default).lower()}"
        else:
            others = [c for c in get_args(field.annotation) if isinstance(c, str)]
            yield f"{name}={'|'.join(others) or field.default}"

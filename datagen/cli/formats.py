"""Commands that take the name of a format; their help ends with all of them and their options."""

from __future__ import annotations

import difflib
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


def known_format(ctx: click.Context, _param: click.Parameter, value: str) -> str:
    """The name of a format that the command writes; callback of its option.

    Raises:
        click.BadParameter: another name; tells the nearest, or all.
    """
    assert isinstance(ctx.command, FormatsCommand)
    known = [_name(spec) for spec in get_args(ctx.command.formats())]
    if value in known:
        return value
    near = difflib.get_close_matches(value, known, n=1)
    told = f"did you mean {near[0]!r}?" if near else f"expected one of {', '.join(known)}"
    raise click.BadParameter(f"{value!r} is no format of this command; {told}")


def _row(spec: type[BaseModel]) -> tuple[str, str]:
    """Name, what it is, and its options: the default, or all choices with the default first."""
    told = inspect.cleandoc(spec.__doc__ or "").split("\n\n")[0].replace("\n", " ")
    options = ", ".join(_options(spec))
    return _name(spec), f"{told} Options: {options}." if options else told


def _name(spec: type[BaseModel]) -> str:
    return str(spec.model_fields["kind"].default)


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

"""`datagen doctor`: what this machine renders with."""

from __future__ import annotations

import json
import os
from pathlib import Path

import click

from datagen.cli.group import FILE
from datagen.errors import SpecError


@click.group()
def doctor() -> None:
    """Examine what this machine renders with."""


@doctor.command("isaac")
@click.option(
    "-o", "--out", type=FILE, required=True, help="Folder for report, pictures and profile."
)
@click.option(
    "--renderer",
    default="{}",
    help="`renderer` of a job, as JSON; default: that of a job that names no more than its kind.",
)
def doctor_isaac(out: Path, renderer: str) -> None:
    """Examine Isaac Sim on this machine (docs/isaac.md).

    Settles what is only documented of it, and says in a profile how poses reach it.

    \b
    Example:
      datagen doctor isaac -o isaac-report
    """
    from datagen.render.isaac.doctor.examine import examine
    from datagen.render.isaac.installation import find_installation
    from datagen.spec_file import parse_as
    from schemas.render import IsaacRendererSpec

    try:
        given = json.loads(renderer)
    except ValueError as error:
        raise SpecError(f"--renderer: not valid JSON: {error}") from error
    spec = parse_as(IsaacRendererSpec, given, source="--renderer")
    result = examine(find_installation(os.environ), spec, out)
    click.echo(result.describe())
    if not result.passed:
        raise SystemExit(1)

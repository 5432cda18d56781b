"""What the commands share: a group that turns errors into words, and the type of paths."""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from datagen.errors import DatagenError, ResourceError

INTERRUPTED = 130
"""Exit code of a command that the keyboard ended, as shells have it."""
FILE = click.Path(path_type=Path)


@contextlib.contextmanager
def machine_told() -> Iterator[None]:
    """Turn what the machine refuses, memory or a file, into an error that says what to do."""
    try:
        yield
    except MemoryError as error:
        raise ResourceError(
            f"out of memory: {error}; expected a smaller picture, fewer workers or a larger machine"
        ) from error
    except OSError as error:
        if error.errno in (None, errno.EPIPE):  # click ends in silence where nobody reads on
            raise
        raise ResourceError(
            f"{error.filename or 'a file'}: {error.strerror}; "
            "expected a place that can be read and written"
        ) from error


@contextlib.contextmanager
def resumable() -> Iterator[None]:
    """Say to who interrupts that nothing is lost."""
    try:
        yield
    except KeyboardInterrupt as interrupt:
        click.echo("\ninterrupted: the same command goes on from what is kept", err=True)
        raise SystemExit(INTERRUPTED) from interrupt


class Group(click.Group):
    """Turns errors raised on purpose into one clear message and exit code 2."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command."""
        try:
            with machine_told():
                return super().invoke(ctx)
        except DatagenError as error:
            click.echo(f"error: {error}", err=True)
            raise SystemExit(2) from error

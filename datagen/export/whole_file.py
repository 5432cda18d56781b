"""A file that appears whole, or not at all, and clears up after writers that were killed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from datagen.store import new_file, sweep_temporaries_of


def write_whole(path: Path, write: Callable[[Path], None]) -> Path:
    """Let `write` fill a temporary file and give it the name `path`; returns `path`.

    The caller keeps other writers of the same file away.
    """
    sweep_temporaries_of(path)
    with new_file(path) as temporary:
        write(temporary)
    return path

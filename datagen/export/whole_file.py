"""Files that appear whole, or not at all, and clear up after writers that were killed.

The caller keeps other writers of the same files away.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from datagen.store import TEMPORARY_PREFIX, new_file, sweep_temporaries_of


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """A temporary path to write to; becomes `path` when the block ends without an error."""
    sweep_temporaries_of(path)
    with new_file(path) as temporary:
        yield temporary


def write_whole(path: Path, write: Callable[[Path], None]) -> Path:
    """Let `write` fill a temporary file and give it the name `path`; returns `path`."""
    with whole_file(path) as temporary:
        write(temporary)
    return path


def clear_series(folder: Path, name: str) -> None:
    """Remove what an earlier export left of a numbered series of files.

    Readers take all files of a folder: those of another interval must not stay beside the new ones.

    Args:
        folder: where the series lies; need not be there.
        name: pattern (regular expression) of the names.
    """
    stale = re.compile(rf"({re.escape(TEMPORARY_PREFIX)}\d+-)?{name}")
    for path in folder.iterdir() if folder.is_dir() else ():
        if stale.fullmatch(path.name):
            path.unlink(missing_ok=True)

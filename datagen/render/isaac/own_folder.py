"""A temporary folder that does not outlive its process for long, however that ends.

Its owner holds a lock on a file in it, which the system lets go of when the process dies, by SIGKILL
too. Whoever makes a folder next removes those that nobody holds; a folder gets its final name once it
is locked.
"""

from __future__ import annotations

import fcntl
import shutil
import tempfile
from pathlib import Path
from typing import TextIO

PREFIX = "datagen-isaac-"
LOCK = "owner.lock"


class OwnFolder:
    """A new folder below the system's temporary one."""

    def __init__(self) -> None:
        """Make it, and remove what dead processes left behind."""
        for left in Path(tempfile.gettempdir()).glob(f"{PREFIX}*/{LOCK}"):
            _remove_if_dead(left)
        made = Path(tempfile.mkdtemp(prefix=f".{PREFIX}"))
        self._lock: TextIO = (made / LOCK).open("w")
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        self.path = made.rename(made.with_name(made.name.removeprefix(".")))

    def remove(self) -> None:
        """Remove it with all that is in it; once is enough."""
        shutil.rmtree(self.path, ignore_errors=True)
        self._lock.close()


def _remove_if_dead(lock: Path) -> None:
    try:
        with lock.open("w") as held:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(lock.parent, ignore_errors=True)
    except OSError:  # its owner lives, it is another user's, or it is gone
        return

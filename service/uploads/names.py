"""Which file names an upload may have."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from datagen.errors import InputError

LAYERS = (".usd", ".usda", ".usdc")
PACKAGES = (".usdz",)
PICTURES = (".png", ".jpg", ".jpeg", ".tga", ".bmp", ".hdr")
RECORDINGS = (".txt", ".csv", ".tum")
ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz")
ALLOWED = (*LAYERS, *PACKAGES, *PICTURES, *RECORDINGS)
DEEPEST = 12
LONGEST = 200
_PART = re.compile(r"\w[\w .()+@-]*")


def is_archive(name: str) -> bool:
    """The name is one of a zip or tar file."""
    return name.lower().endswith(ARCHIVES)


def checked_name(name: str) -> str:
    """The name of a file in an upload.

    Raises:
        InputError: it leads elsewhere, has characters that are not plain, or another suffix.
    """
    parts = name.split("/")
    plain = all(_PART.fullmatch(part) and not part.endswith((".", " ")) for part in parts)
    if not plain or len(parts) > DEEPEST or len(name.encode()) > LONGEST:
        raise InputError(
            f"file name {name!r}: expected letters, digits and . _ - + @ ( ) in at most {DEEPEST} "
            f"folders and {LONGEST} bytes, relative, without '..'"
        )
    if PurePosixPath(name).suffix.lower() not in ALLOWED:
        raise InputError(
            f"file {name!r}: expected a scene, picture or recording ({', '.join(ALLOWED)})"
        )
    return name


class DistinctNames:
    """The names of an archive's files, each looked at beside those before it."""

    def __init__(self) -> None:
        self._files: dict[str, str] = {}
        self._folders: dict[str, str] = {}

    def add(self, name: str) -> None:
        """Take one more.

        Raises:
            InputError: it came before, is equal to another but for case, or one is a folder of the
                other.
        """
        folded = name.casefold()
        if (other := self._files.setdefault(folded, name)) != name:
            raise InputError(f"files {other!r} and {name!r} clash; expected distinct names")
        ends = [i for i, letter in enumerate(folded) if letter == "/"]
        above = [folded[:end] for end in ends]
        self._folders.update(dict.fromkeys(above, name))
        for place in (folded, *above):
            if place in self._files and place in self._folders:
                raise InputError(f"{self._files[place]!r} is both a file and a folder")

    def __contains__(self, name: str) -> bool:
        return self._files.get(name.casefold()) == name

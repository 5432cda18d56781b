"""Which file names an upload may have."""

from __future__ import annotations

import re
from collections.abc import Iterable
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


def refuse_clashes(names: Iterable[str]) -> None:
    """Raise InputError when two names are equal but for case, or one is a folder of another."""
    seen: dict[str, str] = {}
    for name in names:
        if (other := seen.setdefault(name.casefold(), name)) != name or seen.get(name) == "":
            raise InputError(f"files {other!r} and {name!r} clash; expected distinct names")
    for name in seen:
        for parent in PurePosixPath(name).parents:
            if str(parent) in seen:
                raise InputError(f"{seen[str(parent)]!r} is both a file and a folder")

"""Archives to files, trusting nothing that an archive says of itself.

Sizes are counted as bytes come out of the decompressor, names are checked before anything is
written, and links, devices, encrypted members and nested archives are refused.
"""

from __future__ import annotations

import contextlib
import tarfile
import zipfile
import zlib
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from datagen.errors import InputError
from service.uploads.names import checked_name, refuse_clashes

BLOCK = 2**20
UNIX = 3
SYMLINK = 0o120000


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """Most that may come out of an archive."""

    bytes: int
    files: int


def unpack(archive: Path, name: str, target: Path, budget: Budget) -> None:
    """Write the files of an archive under `target`.

    Raises:
        InputError: it is no archive, damaged, larger than the budget, or holds what is not taken.
    """
    try:
        if name.lower().endswith(".zip"):
            with (
                zipfile.ZipFile(archive) as opened,
                contextlib.closing(_zip_members(opened, budget)) as members,
            ):
                _write_all(members, target, budget)
        else:
            with tarfile.open(archive, "r|*") as stream:
                _write_all(_tar_members(stream, budget), target, budget)
    except (zipfile.BadZipFile, tarfile.TarError, zlib.error, EOFError, OSError, NotImplementedError,
            RuntimeError, UnicodeDecodeError, ValueError) as error:  # fmt: skip
        raise InputError(f"{name}: cannot be unpacked: {error}") from error


def _zip_members(opened: zipfile.ZipFile, budget: Budget) -> Generator[tuple[str, IO[bytes]]]:
    members = [member for member in opened.infolist() if not member.is_dir()]
    _refuse_many(len(opened.infolist()), budget)
    refuse_clashes(member.filename for member in members)
    if len({member.filename for member in members}) != len(members):
        raise InputError("the archive holds a name twice; expected distinct names")
    for member in members:
        if member.create_system == UNIX and (member.external_attr >> 16) & 0o170000 == SYMLINK:
            raise InputError(f"{member.filename!r} is a link; expected files only")
        if member.flag_bits & 1:
            raise InputError(f"{member.filename!r} is encrypted; expected plain files")
        with opened.open(member) as file:
            yield checked_name(member.filename), file


def _tar_members(stream: tarfile.TarFile, budget: Budget) -> Iterator[tuple[str, IO[bytes]]]:
    seen: set[str] = set()
    for count, member in enumerate(stream, 1):
        _refuse_many(count, budget)
        if member.isdir():
            continue
        if not member.isreg():
            raise InputError(f"{member.name!r} is a link or device; expected files only")
        name = checked_name(member.name.removeprefix("./"))
        if name in seen:
            raise InputError(f"the archive holds {name!r} twice; expected distinct names")
        seen.add(name)
        refuse_clashes(seen)
        file = stream.extractfile(member)
        assert file is not None
        yield name, file


def _refuse_many(count: int, budget: Budget) -> None:
    if count > budget.files:
        raise InputError(f"more than {budget.files:,} members; expected fewer")


def _write_all(members: Iterator[tuple[str, IO[bytes]]], target: Path, budget: Budget) -> None:
    left, files = budget.bytes, 0
    for name, source in members:
        path = target / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("xb") as out:
            while block := source.read(BLOCK):
                left -= len(block)
                if left < 0:
                    raise InputError(f"unpacks to more than {budget.bytes:,} bytes; expected fewer")
                out.write(block)
        files += 1
    if not files:
        raise InputError("the archive holds no files; expected a scene, picture or recording")

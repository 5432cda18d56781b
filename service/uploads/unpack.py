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

from datagen.errors import DiskFullError, InputError
from datagen.store import clear_disk_errors
from service.uploads.names import DistinctNames, checked_name

BLOCK = 2**20
UNIX = 3
SYMLINK = 0o120000


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """Most that may come out of an archive."""

    bytes: int
    files: int
    room: int
    """Bytes free on the disk beyond the reserve."""


def unpack(archive: Path, name: str, target: Path, budget: Budget) -> None:
    """Write the files of an archive under `target`.

    Raises:
        InputError: it is no archive, damaged, larger than the budget, or holds what is not taken.
        DiskFullError: there is no room for it.
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
    names = DistinctNames()
    for member in members:
        _add(names, member.filename)
    for member in members:
        if member.create_system == UNIX and (member.external_attr >> 16) & 0o170000 == SYMLINK:
            raise InputError(f"{member.filename!r} is a link; expected files only")
        if member.flag_bits & 1:
            raise InputError(f"{member.filename!r} is encrypted; expected plain files")
        with opened.open(member) as file:
            yield checked_name(member.filename), file


def _tar_members(stream: tarfile.TarFile, budget: Budget) -> Iterator[tuple[str, IO[bytes]]]:
    names = DistinctNames()
    for count, member in enumerate(stream, 1):
        _refuse_many(count, budget)
        if member.isdir():
            continue
        if not member.isreg():
            raise InputError(f"{member.name!r} is a link or device; expected files only")
        name = checked_name(member.name.removeprefix("./"))
        _add(names, name)
        file = stream.extractfile(member)
        assert file is not None
        yield name, file


def _add(names: DistinctNames, name: str) -> None:
    if name in names:
        raise InputError(f"the archive holds {name!r} twice; expected distinct names")
    names.add(name)


def _refuse_many(count: int, budget: Budget) -> None:
    if count > budget.files:
        raise InputError(f"more than {budget.files:,} members; expected fewer")


def _write_all(members: Iterator[tuple[str, IO[bytes]]], target: Path, budget: Budget) -> None:
    size, files = 0, 0
    for name, source in members:
        path = target / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with clear_disk_errors(path), path.open("xb") as out:
            while block := source.read(BLOCK):
                size += len(block)
                if size > budget.bytes:
                    raise InputError(f"unpacks to more than {budget.bytes:,} bytes; expected fewer")
                if size > budget.room:
                    raise DiskFullError("unpacked, it would fill the disk past its reserve")
                out.write(block)
        files += 1
    if not files:
        raise InputError("the archive holds no files; expected a scene, picture or recording")

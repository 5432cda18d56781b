"""A dataset folder as one tar archive that is never stored: its layout, and any range of its bytes.

Members are uncompressed (the files are compressed already), in the order given, with fixed owner,
mode and time, so that equal files give equal archives. Format: POSIX.1-1988 ustar, which every tar
reads; sizes above 8 GiB use its base-256 extension.
"""

from __future__ import annotations

import hashlib
import tarfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

BLOCK = tarfile.BLOCKSIZE
END = 2 * BLOCK
"""Two empty blocks close an archive."""
READ = 2**20


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of bytes of the archive: literal ones, or all of a file."""

    start: int
    size: int
    data: bytes
    """Nothing when `file` is given."""
    file: str | None = None


class TarLayout:
    """Where everything lies in the archive of some files."""

    def __init__(self, files: Sequence[tuple[str, int]], *, folder: str) -> None:
        """Lay out files of (name, size); in the archive they lie in `folder`.

        Raises:
            ValueError: a name is too long for the format.
        """
        parts: list[tuple[int, bytes, str | None]] = []
        for name, size in files:
            header = _header(f"{folder}/{name}", size)
            parts += [(len(header), header, None), (size, b"", name)]
            parts += [(-size % BLOCK, bytes(-size % BLOCK), None)]
        parts.append((END, bytes(END), None))
        starts = accumulate((size for size, _, _ in parts), initial=0)
        self.pieces = [Piece(start, *part) for start, part in zip(starts, parts, strict=False)]
        """Everything in the archive, in order."""
        self.size = sum(size for size, _, _ in parts)
        """Bytes of the archive."""

    def read(self, source: Path, start: int, stop: int) -> Iterator[bytes]:
        """Bytes [start, stop) of the archive of the files under `source`, piece by piece.

        Raises:
            OSError: a file cannot be read, or is shorter than it was.
        """
        for piece in self.pieces:
            first, last = max(start - piece.start, 0), min(stop - piece.start, piece.size)
            if first >= last:
                continue
            if piece.file is not None:
                yield from read_range(source / piece.file, first, last)
            else:
                yield piece.data[first:last]


def read_range(path: Path, start: int, stop: int) -> Iterator[bytes]:
    """Bytes [start, stop) of a file in blocks of a mebibyte.

    Raises:
        OSError: it cannot be read, or is shorter than `stop`.
    """
    with path.open("rb", buffering=0) as file:
        file.seek(start)
        while start < stop:
            block = file.read(min(READ, stop - start))
            if not block:
                raise OSError(f"{path}: ends at {start:,} bytes; expected {stop:,}")
            start += len(block)
            yield block


def _header(name: str, size: int) -> bytes:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = size, 0o644
    return entry.tobuf(tarfile.GNU_FORMAT if size >= 8**11 else tarfile.USTAR_FORMAT)


@dataclass(frozen=True, slots=True)
class FolderDigest:
    """Digests of a folder's files and of their archive."""

    files: list[tuple[str, int, str]]
    """Name, size, SHA-256, in the order of the archive."""
    archive_sha256: str


def digest_folder(
    source: Path, *, folder: str, on_file: Callable[[str], None] = lambda _name: None
) -> FolderDigest:
    """Read every file under `source` once; `on_file` takes the name of each that was read."""
    names = sorted(str(p.relative_to(source)) for p in source.rglob("*") if p.is_file())
    sizes = [(name, (source / name).stat().st_size) for name in names]
    layout = TarLayout(sizes, folder=folder)
    whole, files = hashlib.sha256(), []
    for piece in layout.pieces:
        one = hashlib.sha256()
        for block in layout.read(source, piece.start, piece.start + piece.size):
            whole.update(block)
            one.update(block)
        if piece.file is not None:
            files.append((piece.file, piece.size, one.hexdigest()))
            on_file(piece.file)
    return FolderDigest(files, whole.hexdigest())

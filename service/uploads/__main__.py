"""The process that takes an upload apart: `python -m service.uploads BODY NAME TARGET ...`.

It limits its own memory, time and file sizes before it looks at anything, and says the outcome as
one JSON line: `accepted` with the files, or `error`.
"""

from __future__ import annotations

import json
import resource
import sys
from pathlib import Path

from datagen.errors import DatagenError, InputError, kind_of
from datagen.store import link_or_copy, sha256_file
from service.uploads.names import RECORDINGS, checked_name, is_archive
from service.uploads.unpack import Budget, unpack

MEMORY_BYTES = 4 * 2**30
RECORDING_BYTES = 256 * 2**20


def main(body: str, name: str, target: str, *limits: str) -> int:
    """Check one upload; the exit code."""
    bytes_, files, room, seconds = map(int, limits)
    limit(bytes_=bytes_, seconds=seconds)
    try:
        budget = Budget(bytes=bytes_, files=files, room=room)
        names = take_apart(Path(body), name, Path(target), budget)
        check(Path(target), names)
    except (DatagenError, MemoryError) as error:
        kind = kind_of(error) if isinstance(error, DatagenError) else "input"
        message = str(error) or "needs too much memory to be checked"
        say({"event": "error", "kind": kind, "message": message})
        return 2
    found = [_described(Path(target), name) for name in names]
    say({"event": "accepted", "files": found})
    return 0


def limit(*, bytes_: int, seconds: int) -> None:
    """Let the kernel end this process when it takes too much."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_FSIZE, (bytes_, bytes_))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def take_apart(body: Path, name: str, target: Path, budget: Budget) -> list[str]:
    """Put the upload's files under `target`; their names."""
    target.mkdir(parents=True)
    if is_archive(name):
        unpack(body, name, target, budget)
    else:
        path = target / checked_name(name)
        if path.parent != target:
            raise InputError(f"file name {name!r}: expected one without folders")
        link_or_copy(body, path)
    return sorted(str(path.relative_to(target)) for path in target.rglob("*") if path.is_file())


def check(target: Path, names: list[str]) -> None:
    """Look at what the files are and what they refer to."""
    from service.uploads.pictures import check_pictures
    from service.uploads.scenes import check_scenes

    for name in names:
        if name.lower().endswith(RECORDINGS) and (target / name).stat().st_size > RECORDING_BYTES:
            raise InputError(f"{name}: expected at most {RECORDING_BYTES:,} bytes of recording")
    check_pictures(target, names)
    check_scenes(target, names)


def _described(target: Path, name: str) -> dict[str, object]:
    path = target / name
    return {"name": name, "size": path.stat().st_size, "sha256": sha256_file(path)}


def say(report: dict[str, object]) -> None:
    """One line on standard output."""
    sys.stdout.write(json.dumps(report) + "\n")


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:]))

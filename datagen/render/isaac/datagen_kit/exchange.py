"""The exchange folder: what host and worker tell each other, and how a file appears whole.

Both sides use this file, so it is written down once. It also runs under Isaac Sim's interpreter:
standard library and numpy only.

    session.json                  host: what is the same for every request
    request_00000.json            host: views to render, in order
    result_00000/shard_00000/     worker: one .npy per output, rows are views
    result_00000/shard_00000.json worker: rows and SHA-256 of every file; written after the shard
    result_00000/done.json        worker: all shards with their digests, settings as they are then; the
                                  only sign of success
    ready.json, error.json        worker: versions and settings read back; what went wrong
    progress.jsonl                worker: one line per frame; its age is the heartbeat
    stop                          host: end
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np

VERSION = 1
SESSION, READY, ERROR, PROGRESS, STOP = (
    "session.json", "ready.json", "error.json", "progress.jsonl", "stop"
)  # fmt: skip
DONE = "done.json"
TYPES = {
    "depth": (np.float32, ()),
    "instance": (np.uint16, ()),
    "radiance": (np.float16, (3,)),
    "motion": (np.float32, (2,)),
}
"""Dtype and trailing axes of outputs per pixel; `view`, `projection` (4, 4), `time` and `renumbered` are per frame."""


def request_file(folder: Path, number: int) -> Path:
    """Where the host writes a request."""
    return folder / f"request_{number:05d}.json"


def result_folder(folder: Path, number: int) -> Path:
    """Where the worker writes the results of a request."""
    return folder / f"result_{number:05d}"


def write_json(path: Path, value: Any) -> None:
    """Make a JSON file appear whole."""
    temporary = path.with_name(f".partial-{path.name}")
    with temporary.open("w", encoding="utf-8") as file:
        json.dump(value, file)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)


def read_json(path: Path) -> Any:
    """The value of a JSON file."""
    return json.loads(path.read_text(encoding="utf-8"))


def digest(path: Path) -> str:
    """SHA-256 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_shard(result: Path, index: int, first: int, columns: dict[str, np.ndarray]) -> str:
    """Seal rows first .. of a request; the digest of the shard's description."""
    name = f"shard_{index:05d}"
    temporary = result / f".partial-{name}"
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    files = {}
    for column, array in columns.items():
        path = temporary / f"{column}.npy"
        with path.open("wb") as file:
            np.save(file, array)
            file.flush()
            os.fsync(file.fileno())
        files[path.name] = digest(path)
    os.replace(temporary, result / name)
    count = len(next(iter(columns.values())))
    description = result / f"{name}.json"
    write_json(description, {"name": name, "first": first, "count": count, "files": files})
    return digest(description)


def read_shard(result: Path, index: int) -> tuple[dict[str, Any], dict[str, np.ndarray]] | None:
    """A shard and its columns; None while it is not there.

    Raises:
        ValueError: a file is missing or is not what the description says.
    """
    description = result / f"shard_{index:05d}.json"
    if not description.is_file():
        return None
    said = read_json(description)
    folder = result / said["name"]
    for name, expected in said["files"].items():
        path = folder / name
        seen = digest(path) if path.is_file() else "no file"
        if seen != expected:
            raise ValueError(f"{path}: SHA-256 is {seen}; {description.name} promises {expected}")
    columns = {Path(name).stem: np.load(folder / name) for name in said["files"]}
    return said, columns

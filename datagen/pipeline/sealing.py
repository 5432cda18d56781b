"""Chunks on disk: one folder each, created whole or not at all, with digests and sensor states.

`<work>/chunks/000016-000032/` holds one `.npy` per array and `seal.json`, which names every file
with its SHA-256 and the software that made it. A segment resumes after the longest run of chunks from
frame 0 that verify; one that other versions made is no beginning for these.
"""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from datagen.pipeline.chunk import Chunk, States
from datagen.pipeline.software import versions
from datagen.sensors.base import Sensor
from datagen.store import seal_folder, sha256_file
from schemas.arrays import EventArray

SEAL = "seal.json"


@dataclass(frozen=True, slots=True)
class SealedChunk:
    """A chunk that is safe on disk."""

    folder: Path
    start: int
    stop: int

    def array(self, name: str) -> NDArray[Any]:
        """One array, read from the disk as it is used."""
        path = self.folder / f"{name}.npy"
        array: NDArray[Any] = np.load(path, mmap_mode="r")
        return array

    def states(self, sensors: dict[str, Sensor[Any, Any]]) -> States:
        """The sensors' states after this chunk."""
        return {name: self._state(name, sensor) for name, sensor in sensors.items()}

    def _state(self, name: str, sensor: Sensor[Any, Any]) -> Any:
        fields = dataclasses.fields(sensor.state_type)
        arrays = {f.name: np.load(self.folder / f"state.{name}.{f.name}.npy") for f in fields}
        return sensor.state_type(**arrays)


def seal_chunk(work: Path, chunk: Chunk) -> bool:
    """Put a chunk on disk for good; False when it was there already."""
    target = work / "chunks" / f"{chunk.start:06d}-{chunk.stop:06d}"
    return seal_folder(target, lambda folder: _fill(folder, chunk))


def _fill(folder: Path, chunk: Chunk) -> None:
    digests = {}
    for name, array in _arrays(chunk):
        path = folder / f"{name}.npy"
        np.save(path, array)
        digests[path.name] = sha256_file(path)
    seal = {"start": chunk.start, "stop": chunk.stop, "files": digests, "versions": versions()}
    (folder / SEAL).write_text(json.dumps(seal))


def _arrays(chunk: Chunk) -> Iterator[tuple[str, NDArray[Any]]]:
    for name, array in chunk.frames.items():
        yield f"frames.{name}", array
    for name, stream in chunk.streams.items():
        for column in (
            ("t", "x", "y", "p", "noise") if isinstance(stream, EventArray) else ("packed",)
        ):
            array = getattr(stream, column)
            if array is not None:
                yield f"stream.{name}.{column}", array
    for name, state in chunk.states.items():
        for field in dataclasses.fields(state):
            yield f"state.{name}.{field.name}", np.asarray(getattr(state, field.name))


def sealed_chunks(work: Path) -> list[SealedChunk]:
    """The longest run of chunks from frame 0 that verify; whatever else is there is deleted."""
    found = sorted((work / "chunks").glob("*-*")) if (work / "chunks").is_dir() else []
    good: list[SealedChunk] = []
    for folder in found:
        expected = good[-1].stop if good else 0
        chunk = _verified(folder)
        if chunk is not None and chunk.start == expected:
            good.append(chunk)
        else:
            shutil.rmtree(folder)
    return good


def _verified(folder: Path) -> SealedChunk | None:
    try:
        seal = json.loads((folder / SEAL).read_text())
        whole = seal["versions"] == versions() and all(
            sha256_file(folder / name) == digest for name, digest in seal["files"].items()
        )
        return SealedChunk(folder, seal["start"], seal["stop"]) if whole else None
    except (OSError, ValueError, KeyError):
        return None

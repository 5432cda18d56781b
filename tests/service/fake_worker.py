"""Stands for `datagen` as a worker: the same commands, files, locks and seals, but no rendering.

Every frame's bytes depend on all frames before it, through a state that is sealed with each chunk,
as a sensor's does: a wrong resume gives wrong bytes. Starts in a fraction of a second.

Usage: fake_worker.py [--pace SECONDS] [--full FLAG] [--hog BYTES] COMMAND ...
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import sys
import threading
import time
from pathlib import Path
from typing import Any

from datagen.archive import digest_folder
from datagen.errors import DatagenError, DiskFullError, InputError, kind_of
from datagen.store import (
    folder_lock,
    new_file,
    seal_folder,
    sha256_file,
    sweep_temporaries,
    sweep_temporaries_of,
    write_file,
    write_json,
)


def main() -> None:
    options = parse()
    if options.supervised:
        threading.Thread(target=end_with_parent, daemon=True).start()
    try:
        match options.command:
            case "prepare-job":
                prepare(options)
            case "run-segment":
                run_segment(options)
            case "finish-job":
                finish(options)
    except DatagenError as error:
        report(event="error", kind=kind_of(error), message=str(error))
        raise SystemExit(2) from error


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--pace", type=float, default=0.0)
    parser.add_argument("--full", type=Path, default=Path("/nonexistent"))
    parser.add_argument("--hog", type=int, default=0)
    commands = parser.add_subparsers(dest="command")
    for name, places in (
        ("prepare-job", ("spec", "out")),
        ("run-segment", ("out", "index")),
        ("finish-job", ("out",)),
    ):
        command = commands.add_parser(name)
        for place in places:
            command.add_argument(place, type=int if place == "index" else Path)
        command.add_argument("--base-dir")
        command.add_argument("--chunk-frames", type=int)
        command.add_argument("--supervised", action="store_true")
    return parser.parse_args()


def report(**fields: Any) -> None:
    sys.stdout.write(json.dumps(fields) + "\n")
    sys.stdout.flush()


def end_with_parent() -> None:
    while os.read(0, 4096):
        pass
    os._exit(1)


def prepare(options: argparse.Namespace) -> None:
    spec = json.loads(options.spec.read_text())
    refuse_full(options)
    if spec["name"] == "bad-input":
        raise InputError(
            f"segments/0/trajectory: {options.spec.parent}/walk.txt: the camera is inside /Box"
        )
    with folder_lock(options.out / ".work"):
        sweep_temporaries(options.out)
        write_json(options.out / "job.json", {"spec": spec, "inputs": {}})
    report(event="prepared")


def run_segment(options: argparse.Namespace) -> None:
    spec = json.loads((options.out / "job.json").read_text())["spec"]
    segment = spec["segments"][options.index]
    stem = stem_of(segment)
    work = options.out / ".work" / stem
    target = options.out / f"{stem}.h5"
    with folder_lock(work):
        sweep_temporaries(work)
        sweep_temporaries_of(target)
        if finished(options.out, stem) is None:
            report(event="opened", notes=[f"{stem} is not rendered at all"])
            render(options, segment, work)
            package(spec, segment, work, target)
        else:
            report(event="adopted")
        shutil.rmtree(work / "chunks", ignore_errors=True)
    report(event="sealed")


def render(options: argparse.Namespace, segment: dict[str, Any], work: Path) -> None:
    chunks = sorted((work / "chunks").glob("*"))
    done = int(chunks[-1].name.split("-")[1]) if chunks else 0
    state = (chunks[-1] / "state").read_bytes() if chunks else repr(segment).encode()
    hoard = bytearray(options.hog)
    report(event="resumed", frames=done)
    total = frames_of(segment)
    while done < total:
        stop = min(done + options.chunk_frames, total)
        rows = []
        for frame in range(done, stop):
            time.sleep(options.pace)
            state = hashlib.sha256(state + frame.to_bytes(4, "big")).digest()
            rows.append(state)
            report(event="frame", frame=frame, pictures=1)
        refuse_full(options)
        seal_folder(work / "chunks" / f"{done:06d}-{stop:06d}", lambda f, r=rows: fill(f, r))
        done = stop
    del hoard


def fill(folder: Path, rows: list[bytes]) -> None:
    (folder / "rows").write_bytes(b"".join(rows))
    (folder / "state").write_bytes(rows[-1])


def package(spec: dict[str, Any], segment: dict[str, Any], work: Path, target: Path) -> None:
    chunks = sorted((work / "chunks").glob("*"))
    rows = b"".join((chunk / "rows").read_bytes() for chunk in chunks)
    with new_file(target) as temporary, temporary.open("wb") as file:
        for i in range(0, len(rows), 32):
            file.write(rows[i : i + 32] * 64)
    stem = stem_of(segment)
    for suffix in (".png", ".gif"):
        write_file(target.parent / "previews" / f"{stem}{suffix}", hashlib.sha256(rows).digest())
    entry = {
        "file": target.name, "sha256": sha256_file(target), "size": target.stat().st_size,
        "segment_id": segment["segment_id"], "name": stem, "split": segment["split"],
        "frames": frames_of(segment), "sub_frames": frames_of(segment), "duration_us": 1, "streams": [],
    }  # fmt: skip
    write_json(work / "done.json", entry)


def finished(out: Path, stem: str) -> dict[str, Any] | None:
    try:
        entry = json.loads((out / ".work" / stem / "done.json").read_text())
        return entry if sha256_file(out / entry["file"]) == entry["sha256"] else None
    except (OSError, ValueError):
        return None


def finish(options: argparse.Namespace) -> None:
    out = options.out
    spec = json.loads((out / "job.json").read_text())["spec"]
    if not (out / "manifest.json").exists():
        with folder_lock(out / ".work"):
            sweep_temporaries(out)
            refuse_full(options)
            stems = [stem_of(segment) for segment in spec["segments"]]
            entries = {stem: finished(out, stem) for stem in stems}
            if missing := [stem for stem, entry in entries.items() if entry is None]:
                report(event="unverified", segments=missing)
                return
            time.sleep(options.pace)
            write_json(out / "card.json", {"name": spec["name"], "warnings": []})
            write_json(out / "manifest.json", {"segments": list(entries.values())})
    shutil.rmtree(out / ".work", ignore_errors=True)
    found = digest_folder(out, folder=spec["name"])
    files = [{"name": n, "size": s, "sha256": d} for n, s, d in found.files]
    report(event="described", files=files, archive_sha256=found.archive_sha256)


def refuse_full(options: argparse.Namespace) -> None:
    if options.full.exists():
        raise DiskFullError("no space left on the device")


def stem_of(segment: dict[str, Any]) -> str:
    return str(segment["name"] or f"segment-{segment['segment_id']:05d}")


def frames_of(segment: dict[str, Any]) -> int:
    return round(segment["duration"] * segment["frame_rate"])


if __name__ == "__main__":
    main()

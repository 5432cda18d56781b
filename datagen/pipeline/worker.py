"""One segment from wherever it stands to its dataset file.

Safe to kill at any instant and to run again: sealed chunks are adopted, everything unsealed is
thrown away, and the bytes of the result are the same. One process at a time, held by a lock.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from datagen.errors import ResourceError
from datagen.pipeline.chunk import render_chunk
from datagen.pipeline.clock import StageClock
from datagen.pipeline.layout import (
    DONE,
    PREVIEWS,
    finished_entry,
    segment_file,
    work_folder,
)
from datagen.pipeline.packaging import package_segment
from datagen.pipeline.sealing import SealedChunk, seal_chunk, sealed_chunks
from datagen.pipeline.segment import OpenSegment, open_segment
from datagen.plan import SegmentPlan, next_chunk
from datagen.preview import write_previews
from datagen.store import folder_lock, sweep_temporaries, sweep_temporaries_of, write_file
from schemas.dataset import SegmentEntry
from schemas.job import JobSpec

CHUNK_FRAMES = 8
Report = Callable[[dict[str, Any]], None]


def run_segment(
    spec: JobSpec,
    plan: SegmentPlan,
    *,
    out: Path,
    base_dir: Path,
    chunk_frames: int = CHUNK_FRAMES,
    threads: int = 1,
    report: Report,
) -> SegmentEntry:
    """Bring one segment to its file and return its manifest entry.

    Args:
        spec: the job.
        plan: the segment.
        out: the dataset folder.
        base_dir: folder that paths in the spec are relative to.
        chunk_frames: frames between two seals; changes nothing but the work lost in a crash.
        threads: pictures that are rendered at the same time; changes nothing but the time.
        report: takes progress as plain data.
    """
    work = work_folder(out, plan)
    with folder_lock(work):
        _sweep(out, plan)
        entry = finished_entry(out, plan)
        if entry is not None:
            report({"event": "adopted"})
        else:
            entry = _finish(spec, plan, out, base_dir, chunk_frames, threads, report)
            write_file(work / DONE, entry.canonical_json().encode())
        shutil.rmtree(work / "chunks", ignore_errors=True)
        shutil.rmtree(work / "stage", ignore_errors=True)
    return entry


def _sweep(out: Path, plan: SegmentPlan) -> None:
    """Remove what a killed worker of this segment left half written."""
    sweep_temporaries(work_folder(out, plan))
    sweep_temporaries_of(segment_file(out, plan))
    for suffix in (".png", ".gif"):
        sweep_temporaries_of(out / PREVIEWS / f"{plan.segment.file_stem}{suffix}")


def _finish(
    spec: JobSpec,
    plan: SegmentPlan,
    out: Path,
    base_dir: Path,
    chunk_frames: int,
    threads: int,
    report: Report,
) -> SegmentEntry:
    clock = StageClock()
    work = work_folder(out, plan)
    with clock.stage("open scene"):
        run = open_segment(spec, plan, base_dir=base_dir, work=work, threads=threads)
    report({"event": "opened", "notes": list(run.scene.notes)})
    chunks = sealed_chunks(work)
    done = chunks[-1].stop if chunks else 0
    report({"event": "resumed", "frames": done})
    states = chunks[-1].states(run.sensors) if chunks else {}
    while (bounds := next_chunk(done, len(plan.t), chunk_frames)) is not None:
        states = _advance(run, work, bounds, states, clock, report)
        done = bounds[1]
    entry = _package(run, sealed_chunks(work), out, clock, report)
    report({"event": "finished", "seconds": dict(clock.seconds)})
    return entry


def _advance(
    run: OpenSegment,
    work: Path,
    bounds: tuple[int, int],
    states: dict[str, Any],
    clock: StageClock,
    report: Report,
) -> dict[str, Any]:
    def on_frame(frame: int, pictures: int) -> None:
        report({"event": "frame", "frame": frame, "pictures": pictures})

    chunk = render_chunk(run, *bounds, states, clock=clock, on_frame=on_frame)
    with clock.stage("seal"):
        seal_chunk(work, chunk)
    return chunk.states


def _package(
    run: OpenSegment, chunks: list[SealedChunk], out: Path, clock: StageClock, report: Report
) -> SegmentEntry:
    if not chunks or chunks[-1].stop != len(run.plan.t):
        raise ResourceError(
            f"{work_folder(out, run.plan)}: a sealed chunk no longer verifies; the disk changed it. "
            "Run the same command again: what is missing is made anew."
        )
    target = segment_file(out, run.plan)
    with clock.stage("package"):
        entry = package_segment(
            run, chunks, target, on_frame=lambda k: report({"event": "packaged", "frame": k})
        )
    with clock.stage("previews"):
        write_previews(target, out / PREVIEWS)
    return entry

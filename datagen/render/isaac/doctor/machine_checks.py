"""Checks 1, 10 and 11: what the machine is, how fast and steady it runs, how it ends."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any

import numpy as np

from datagen.render.isaac.doctor.bench import Bench
from datagen.render.isaac.doctor.finding import Finding
from datagen.render.isaac.host import IsaacSimRenderer
from datagen.render.isaac.session import Ending

NO_RAY_CORES = re.compile(
    r"\b(?:A30|A100|A800|H20|H100|H200|H800|GH200|GB200|B100|B200|B300|V100|P100)\b"
)
"""Names of GPUs made for computing; an RTX A1000 is another one than an A100."""
LEAK = 5e6
"""Growth of memory per frame that is taken for a leak [bytes]."""
BATCH = 10


def check_versions(ready: dict[str, Any], wanted: dict[str, Any]) -> Finding:
    """Everything is named, the GPU has ray-tracing cores, and settings read back as they were set."""
    versions: dict[str, str] = ready["versions"]
    loose = sorted(key for key, value in wanted.items() if ready["settings"].get(key) != value)
    gpu = versions["gpu"]
    rays = NO_RAY_CORES.search(gpu) is None
    known = all(value != "unknown" for value in versions.values())
    words = ", ".join(f"{name} {value}" for name, value in versions.items())
    advice = "" if rays else "; this GPU has no ray-tracing cores: expect noise and no support"
    return Finding(
        number=1, title="Versions, GPU, driver", passed=rays and known and not loose,
        text=words + advice + (f"; settings that did not hold: {', '.join(loose)}" if loose else ""),
        figures=dict(versions),
    )  # fmt: skip


def check_endurance(bench: Bench, renderer: IsaacSimRenderer) -> Finding:
    """Frames per second, and memory of the process over many frames."""
    views, memory, start = bench.long, [], time.perf_counter()
    for i in range(0, len(views), BATCH):
        renderer.radiance(views[i : i + BATCH])
        memory.append(_group_bytes(renderer.process_id))
    seconds = time.perf_counter() - start
    late = memory[len(memory) // 2 :]
    slope = float(np.polyfit(np.arange(len(late)) * BATCH, late, 1)[0]) if len(late) > 1 else 0.0
    rate = len(views) / seconds
    return Finding(
        number=10, title="Throughput and memory", passed=slope < LEAK,
        text=(
            f"{rate:.1f} pictures of {bench.camera.width}x{bench.camera.height} per second over "
            f"{len(views)}; memory grows by {slope / 1e6:.2f} MB per frame (expected less than "
            f"{LEAK / 1e6:g})"
        ),
        figures={"frames_per_second": rate, "bytes_per_frame": slope},
    )  # fmt: skip


def _group_bytes(group: int) -> int:
    """Resident memory of a process group."""
    total = 0
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
            if int(fields[2]) == group:
                total += int(fields[21]) * 4096
        except (OSError, IndexError):  # it ended while we looked
            continue
    return total


def check_ending(ending: Ending) -> Finding:
    """How the process ended when it was told to. Nothing depends on it."""
    how = "by itself" if ending.by_itself else "only when it was killed"
    return Finding(
        number=11, title="End of the process", passed=True,
        text=f"ended {how} after {ending.seconds:.1f} s with code {ending.code} (for information)",
        figures={"by_itself": ending.by_itself, "seconds": ending.seconds, "code": ending.code},
    )  # fmt: skip

"""How the time of a picture grows: with pixels, samples, triangles and moving objects.

Milliseconds of processor time per picture on one thread, medians over a moving orbit, shadows
known; and how much memory the process has taken by then. Pixels, samples and moving objects: the
tabletop preset. Triangles: 49 smooth balls on the same ground under the same lights.

    python benchmarks/render_scaling.py
"""

from __future__ import annotations

import dataclasses
import os
import resource
import statistics
import sys
import time
from collections.abc import Iterator
from pathlib import Path

os.environ.setdefault("NUMBA_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

import numpy as np
from contract.scenes import sphere
from render_scene import at_times, camera_of, orbit, preset_scene

from datagen.render.embedded import EmbeddedRenderer
from datagen.scenes.model import Instance, Scene
from schemas.camera import Intrinsics

PICTURES = 8
SIDE = 7
"""Balls in a row."""
Row = tuple[str, str, float, float, float]


def main() -> None:
    """Measure and print a Markdown table."""
    print("| what | is | cold [ms] | warm [ms] | memory [MB] |")
    print("|---|---|---|---|---|")
    for what, value, cold, warm, memory in rows():
        print(f"| {what} | {value} | {cold:.0f} | {warm:.1f} | {memory:.0f} |", flush=True)


def rows() -> Iterator[Row]:
    """One row per case; memory only ever grows, so the largest cases come last."""
    scene = preset_scene()
    measured(scene, camera_of(64, 64), 16)  # has everything compiled
    for count in (1, 4, 16, 64):
        yield ("samples per pixel", str(count), *measured(scene, camera_of(256, 256), count))
    for moving in (0, 3, 50):
        seen = preset_scene(objects=60, moving_objects=moving)
        yield ("moving objects of 60", str(moving), *measured(seen, camera_of(256, 256), 16))
    for width, height in ((128, 128), (256, 256), (512, 512), (640, 480), (1024, 1024)):
        case = measured(scene, camera_of(width, height), 16)
        yield ("pixels", f"{width} x {height}", *case)
    for triangles in (10_000, 100_000, 1_000_000):
        balls = ball_field(scene, triangles)
        yield ("triangles", f"{triangles:,}", *measured(balls, camera_of(256, 256), 16))


def measured(scene: Scene, camera: Intrinsics, samples: int) -> tuple[float, float, float]:
    """Median milliseconds of the first and of later visits to the views; megabytes so far."""
    views = orbit(scene, PICTURES)
    renderer = EmbeddedRenderer(scene, camera, samples=samples)
    renderer.radiance(at_times(scene, views.t[:1] - 20_000))
    times: list[list[float]] = []
    for _ in range(3):
        times.append([])
        for i in range(PICTURES):
            begin = time.thread_time()
            renderer.radiance(views[i : i + 1])
            times[-1].append(1e3 * (time.thread_time() - begin))
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    warm = statistics.median(min(pair) for pair in zip(times[1], times[2], strict=True))
    return statistics.median(times[0]), warm, memory


def ball_field(scene: Scene, triangles: int) -> Scene:
    """A scene's largest surface and lights, with balls of so many triangles in all on top."""
    rings = round(np.sqrt(triangles / SIDE**2 / 4)) + 1
    sizes = [np.ptp(scene.meshes[i.mesh].points, axis=0).max() for i in scene.instances]
    ground = scene.instances[int(np.argmax(sizes))]
    ball = dataclasses.replace(
        sphere(0.15, rings=rings),
        material=np.full(4 * rings * (rings - 1), scene.meshes[0].material[0], np.int32),
    )
    balls = [
        Instance(
            mesh=1 + k,
            instance_id=2 + k,
            prim_path=f"/World/ball_{k}",
            world_from_object=_at(k),
            moving=False,
        )
        for k in range(SIDE**2)
    ]
    return dataclasses.replace(
        scene,
        meshes=(scene.meshes[ground.mesh], *[ball] * SIDE**2),
        instances=(dataclasses.replace(ground, mesh=0, instance_id=1), *balls),
        motion=lambda _t: np.zeros((0, 4, 4)),
    )


def _at(k: int) -> np.ndarray:
    out = np.eye(4)
    out[:3, 3] = 0.4 * (k % SIDE - SIDE // 2), 0.4 * (k // SIDE - SIDE // 2), 0.2
    return out


if __name__ == "__main__":
    main()

"""The embedded renderer: pictures per second, false events and memory, against the ray tracer.

Speed is measured over a moving orbit with moving objects, on the tabletop preset, 16 samples per
pixel. `fps_*` are pictures per second of wall time with two threads of one process, shadows known
(`fps_256_cold`: from nothing known). Old and new take turns. `peak_rss_mb` is of a process that finds
its kernels compiled, as all but the first of an installation do.

    python benchmarks/render.py [--json]
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import resource
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("NUMBA_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

import numpy as np
from oracle.false_events import false_share, luminance, yawed
from oracle.ray_tracer import RayTracer
from render_scene import at_times, camera_of, orbit, preset_scene

from datagen.optics import auto_exposure, to_srgb8
from datagen.render.base import Renderer
from datagen.render.embedded import EmbeddedRenderer
from datagen.scenes.model import Scene
from schemas.arrays import LightBatch, Views
from schemas.camera import Intrinsics

THREADS = 2
SAMPLES = 16
ROUNDS = 3


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="one JSON object")
    arguments = parser.parse_args()
    figures = measure()
    if arguments.json:
        print(json.dumps(figures, indent=2))
        return
    for name, value in figures.items():
        print(f"{name:32} {value:.4g}")


def measure() -> dict[str, float]:
    """All figures; memory is that of the first, before the oracle has run."""
    compiler = multiprocessing.get_context("spawn").Process(target=compile_kernels)
    compiler.start()
    compiler.join()
    scene = preset_scene()
    figures = speeds(scene)
    figures["peak_rss_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return figures | turn_by_turn(scene) | false_events(scene) | moving_false_events(scene)


def speeds(scene: Scene) -> dict[str, float]:
    """Pictures per second."""
    small, large = camera_of(256, 256), camera_of(640, 480)
    use_kernels(scene)
    fast = EmbeddedRenderer(scene, small, samples=SAMPLES, threads=THREADS)
    many = orbit(scene, 120, step_us=20_000)
    cold = len(many) / seconds_of(lambda: fast.radiance(many))
    views = orbit(scene, 24)
    big = EmbeddedRenderer(scene, large, samples=SAMPLES, threads=THREADS)
    few = orbit(scene, 8)
    return {
        "fps_256_radiance": rate(fast, views),
        "fps_256_labels": rate(fast, views, labels=True),
        "fps_256_psf": rate(fast, views, oversample=2),
        "fps_640_radiance": rate(big, few),
        "fps_640_labels": rate(big, few, labels=True),
        "fps_256_cold": cold,
    }


def compile_kernels() -> None:
    """Leave all kernels compiled on disk."""
    use_kernels(preset_scene())


def use_kernels(scene: Scene) -> None:
    """Have all kernels compiled or loaded."""
    views = orbit(scene, 1)
    for oversample in (1, 2):
        renderer = EmbeddedRenderer(scene, camera_of(256, 256), samples=SAMPLES)
        renderer.radiance(views, oversample=oversample)
        renderer.labels(views)


def rate(renderer: Renderer, views: Views, *, labels: bool = False, oversample: int = 1) -> float:
    """Median pictures per second."""

    def work() -> None:
        renderer.radiance(views, oversample=oversample)
        if labels:
            renderer.labels(views)

    work()
    return len(views) / statistics.median(seconds_of(work) for _ in range(ROUNDS))


def seconds_of(work: Callable[[], Any]) -> float:
    """Wall time of one run."""
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def turn_by_turn(scene: Scene) -> dict[str, float]:
    """CPU seconds per picture of old and new, one thread each, and how far pictures are apart."""
    camera, views = camera_of(256, 256), orbit(scene, 2, step_us=20_000)
    rivals = {
        "raytraced": RayTracer(scene, camera, samples=SAMPLES),
        "embedded": EmbeddedRenderer(scene, camera, samples=SAMPLES),
    }
    pictures = {name: rival.radiance(views) for name, rival in rivals.items()}
    seconds: dict[str, list[float]] = {name: [] for name in rivals}
    for _ in range(ROUNDS):
        for name, rival in rivals.items():
            begin = time.process_time()
            rival.radiance(views)
            seconds[name].append((time.process_time() - begin) / len(views))
    median = {name: statistics.median(values) for name, values in seconds.items()}
    reference = RayTracer(scene, camera, samples=64).radiance(views)
    gain = np.float32(auto_exposure(LightBatch(t=views.t, rgb=reference).luminance()))

    def distance(picture: Any) -> float:
        off = to_srgb8(picture * gain).astype(float) - to_srgb8(reference * gain)
        return float(np.abs(off).mean())

    return {
        "seconds_raytraced": median["raytraced"],
        "seconds_embedded": median["embedded"],
        "speedup_over_raytraced": median["raytraced"] / median["embedded"],
        "mean_abs_diff_255": distance(pictures["embedded"]),
        "mean_abs_diff_255_raytraced": distance(pictures["raytraced"]),
    }


def false_events(scene: Scene) -> dict[str, float]:
    """Per cent of pixels with a false event when the camera turns and all else rests."""
    camera, start = camera_of(256, 256), orbit(scene, 1)
    poses = [yawed(start.world_from_camera[0], camera, p) for p in (0.0, 0.25, 0.5)]
    views = Views(
        t=np.arange(3),
        world_from_camera=np.stack(poses),
        world_from_object=np.repeat(start.world_from_object, 3, axis=0),
    )
    figures = {}
    for name, oversample, fine, sigma in (("box", 1, 1, 0.0), ("psf", 2, 4, 0.5)):
        truth = _light(RayTracer, scene, camera, 64, views, fine, sigma)
        for kind, renderer in (("", EmbeddedRenderer), ("_raytraced", RayTracer)):
            light = _light(renderer, scene, camera, SAMPLES, views, oversample, sigma)
            quarter, half = false_share(light, truth)
            figures[f"spurious_025_{name}{kind}"] = quarter
            figures[f"spurious_050_{name}{kind}"] = half
    return figures


def moving_false_events(scene: Scene) -> dict[str, float]:
    """Per cent of the pixels that moving objects and their shadows touch, the camera at rest."""
    camera, t = camera_of(256, 256), np.array([500_000, 505_000, 510_000])
    views = at_times(scene, t)
    views.world_from_camera[1:] = views.world_from_camera[0]
    figures = {}
    for name, oversample, fine, sigma in (("box", 1, 1, 0.0), ("psf", 2, 4, 0.5)):
        truth = _light(RayTracer, scene, camera, 64, views, fine, sigma)
        touched = np.abs(np.log((truth[1:] + 1e-3) / (truth[0] + 1e-3))) > 1e-3
        for kind, renderer in (("", EmbeddedRenderer), ("_raytraced", RayTracer)):
            light = _light(renderer, scene, camera, SAMPLES, views, oversample, sigma)
            figures[f"spurious_moving_{name}{kind}"] = max(false_share(light, truth, of=touched))
    return figures


def _light(
    kind: type[EmbeddedRenderer] | type[RayTracer],
    scene: Scene,
    camera: Intrinsics,
    samples: int,
    views: Views,
    oversample: int,
    sigma: float,
) -> Any:
    renderer = kind(scene, camera, samples=samples)
    return luminance(renderer, views, oversample=oversample, psf_sigma=sigma)


if __name__ == "__main__":
    main()

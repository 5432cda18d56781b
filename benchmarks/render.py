"""Ray-traced renderer against the rasteriser in `datagen.render.raster`, turn by turn.

The rasteriser is not used by the pipeline yet: its labels and its tests are missing. This script
says what it would bring: CPU seconds per picture, warm, and how far its pictures are from the
ray-traced ones at 64 samples.

    python benchmarks/render.py [--json]
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from datagen.optics import auto_exposure, to_srgb8
from datagen.render.embedded import EmbeddedRenderer
from datagen.render.raster.renderer import RasterRenderer
from datagen.scenes.presets import author_preset
from datagen.scenes.stage import load_scene
from schemas.arrays import LightBatch, Views
from schemas.camera import CameraSpec, MountSpec
from schemas.scene import PresetScene
from schemas.trajectory import Orbital
from trajectories.sample import camera_path

ROUNDS = 3


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--size", type=int, default=256)
    arguments = parser.parse_args()
    result = measure(arguments.size)
    if arguments.json:
        print(json.dumps(result, indent=2))
    else:
        for name, value in result.items():
            print(f"{name:32} {value:.4g}")


def measure(size: int) -> dict[str, Any]:
    """Seconds and differences on the tabletop preset at size x size, 16 samples."""
    with tempfile.TemporaryDirectory() as folder:
        preset = PresetScene(preset="tabletop", seed=1)
        scene = load_scene(author_preset(preset, segment_id=0, duration=3.0, folder=Path(folder)))
    camera = CameraSpec(width=size, height=size, horizontal_fov_deg=60.0).intrinsics
    t = np.array([500_000, 520_000], np.int64)
    path = camera_path(Orbital(angular_speed=0.8), MountSpec(), t * 1e-6, base_dir=Path())
    views = Views(t=t, world_from_camera=path.matrices(), world_from_object=scene.poses(t))
    rivals = {
        "raytraced": EmbeddedRenderer(scene, camera, samples=16),
        "raster": RasterRenderer(scene, camera, samples=16),
    }
    pictures = {name: rival.radiance(views) for name, rival in rivals.items()}
    seconds: dict[str, list[float]] = {name: [] for name in rivals}
    for _ in range(ROUNDS):
        for name, rival in rivals.items():
            begin = time.process_time()
            rival.radiance(views)
            seconds[name].append((time.process_time() - begin) / len(t))
    median = {name: statistics.median(values) for name, values in seconds.items()}
    reference = EmbeddedRenderer(scene, camera, samples=64).radiance(views)
    exposure = auto_exposure(LightBatch(t=t, rgb=reference).luminance())

    def distance(picture: Any) -> float:
        shown, wanted = (
            to_srgb8(p * np.float32(exposure)).astype(float) for p in (picture, reference)
        )
        return float(np.abs(shown - wanted).mean())

    return {
        "seconds_per_picture_raytraced": median["raytraced"],
        "seconds_per_picture_raster": median["raster"],
        "speedup_over_raytraced": median["raytraced"] / median["raster"],
        "mean_abs_diff_255_raytraced": distance(pictures["raytraced"]),
        "mean_abs_diff_255": distance(pictures["raster"]),
    }


if __name__ == "__main__":
    main()

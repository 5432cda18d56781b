"""Pictures of the embedded renderer beside the ray tracer's at 64 samples, and their difference.

Two presets, and a stage of your own from a point of view of your own. Prints the mean absolute
difference of 8-bit sRGB pictures; writes the reference, the picture, and 128 + 8 times the
difference side by side.

    python benchmarks/render_pictures.py --out pictures \\
        [--stage my.usd --position 14 -14 10 --target 0 0 2]
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

os.environ.setdefault("NUMBA_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

import numpy as np
from contract.scenes import looking, views_of
from oracle.ray_tracer import RayTracer
from PIL import Image
from render_scene import camera_of, orbit, preset_scene

from datagen.optics import auto_exposure, to_srgb8
from datagen.render.embedded import EmbeddedRenderer
from datagen.scenes.model import Scene
from datagen.scenes.stage import load_scene
from schemas.arrays import LightBatch, Views

SIZE = 256


def main() -> None:
    """Render, compare, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--stage", type=Path)
    parser.add_argument("--position", type=float, nargs=3, default=(14.0, -14.0, 10.0))
    parser.add_argument("--target", type=float, nargs=3, default=(0.0, 0.0, 2.0))
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    cases = {}
    for preset in ("tabletop", "room"):
        scene = preset_scene(preset=preset)
        cases[preset] = (scene, orbit(scene, 1))
    if arguments.stage:
        scene = load_scene(arguments.stage)
        pose = looking(tuple(arguments.position), tuple(arguments.target))
        cases[arguments.stage.stem] = (scene, views_of(scene, pose))
    print("| scene | pixel | mean | 99th percentile | largest | mean, signed |")
    print("|---|---|---|---|---|---|")
    for name, (scene, views) in cases.items():
        compare(name, scene, views, arguments.out)


def compare(name: str, scene: Scene, views: Views, out: Path) -> None:
    """One row per kind of pixel, and a picture."""
    camera = camera_of(SIZE, SIZE)
    reference = RayTracer(scene, camera, samples=64).radiance(views)
    gain = np.float32(auto_exposure(LightBatch(t=views.t, rgb=reference).luminance()))
    truth = to_srgb8(reference * gain)[0].astype(float)
    renderer = EmbeddedRenderer(scene, camera, samples=16)
    for kind, over in (("box", 1), ("2 x 2", 2)):
        fine = renderer.radiance(views, oversample=over)[0]
        mean = fine.reshape(SIZE, over, SIZE, over, 3).mean(axis=(1, 3))
        picture = to_srgb8(mean[None] * gain)[0].astype(float)
        off = picture - truth
        size = np.abs(off)
        print(
            f"| {name} | {kind} | {size.mean():.3f} | {np.percentile(size, 99):.0f} "
            f"| {size.max():.0f} | {off.mean():+.3f} |",
            flush=True,
        )
        row = np.concatenate([truth, picture, np.clip(128 + 8 * off, 0, 255)], axis=1)
        Image.fromarray(row.astype(np.uint8)).save(out / f"{name}_{over}.png")


if __name__ == "__main__":
    main()

"""Where the time of a picture goes, stage by stage.

Each stage of the rasteriser is run alone over a whole picture of the tabletop preset's moving orbit,
shadows known: milliseconds of processor time on one thread, the best of several runs. Pixels that
movers or their shadows touch are settled and shaded a second time, after their rays: that is a
stage of its own. The rest is what is left of the whole picture's time; it is negative where stages
run faster together than alone.

    python benchmarks/render_stages.py
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any

os.environ.setdefault("NUMBA_NUM_THREADS", "1")

import numpy as np
from numba import njit
from render_scene import camera_of, orbit, preset_scene

from datagen.render.embedded import EmbeddedRenderer
from datagen.render.raster import painter
from datagen.render.raster.draw import PIECE
from datagen.render.raster.edges import cover_band, gather_piece
from datagen.render.raster.fragments import FRAGMENT
from datagen.render.raster.lattice_read import Nodes
from datagen.render.raster.painter import pixels_of
from datagen.render.raster.picture import ALL, EDGES, PLAIN
from datagen.render.raster.points import POINT, merge
from datagen.render.raster.samples import pixel_samples
from datagen.render.raster.shade import shade
from datagen.render.raster.shadows import see_lamps
from datagen.render.tracer import Tracer
from datagen.scenes.model import Scene

CASES = {"256 box": (256, 256, 1), "256 PSF": (256, 256, 2), "640 box": (640, 480, 1)}
RUNS = 7
BATCH = 4096
ROWS = painter.ROWS


def main() -> None:
    """Measure and print a Markdown table."""
    scene = preset_scene()
    columns = {name: stages(scene, *case) for name, case in CASES.items()}
    print("| stage [ms] | " + " | ".join(columns) + " |")
    print("|---" * (len(columns) + 1) + "|")
    for stage in next(iter(columns.values())):
        values = " | ".join(f"{column.get(stage, 0.0):.1f}" for column in columns.values())
        print(f"| {stage} | {values} |")


def stages(scene: Scene, width: int, height: int, oversample: int) -> dict[str, float]:
    """Milliseconds by stage."""
    renderer = EmbeddedRenderer(scene, camera_of(width, height), samples=16)
    views = orbit(scene, 1)
    renderer.radiance(views, oversample=oversample)
    brush: Any = renderer._painter()
    samples = pixel_samples(16, oversample)
    fine = pixel_samples(64, 1) if oversample == 1 else samples
    poses = views.world_from_camera[0], views.world_from_object[0]
    out: dict[str, float] = {}
    whole, _ = best(lambda: renderer.radiance(views, oversample=oversample))
    rays = ray_time(lambda: renderer.radiance(views, oversample=oversample))
    world = brush._tables.world_at(poses[1])
    out["projection, bands"], _ = best(lambda: brush._seen(poses[0], world, fine))
    update, picture = best(lambda: brush._picture(*poses, world, fine))
    out["poses, shadow bounds"] = update - out["projection, bands"]
    nodes = Nodes(renderer._shadows.lattice, brush._wanted)
    total = 0
    parts = (("", PLAIN, samples), (", edges", EDGES, fine))
    for where, which, of in parts if oversample == 1 else (("", ALL, samples),):
        part = pixels_of(picture, which, of)
        spent, size = pass_stages(part, brush._room(part.samples), nodes)
        total += size
        out |= {stage + where: value for stage, value in spent.items()}
    out["movers: rays"] = rays["occluded"]
    out["movers: finding rays"] = rays["trace_movers"] - rays["occluded"]
    out["movers: second look"] = rays["settle"] + rays["shade"]
    out["rest"] = whole - sum(out.values())
    return out | {"whole picture": whole, "points per pixel": total / (width * height)}


def pass_stages(picture: Any, work: Any, nodes: Nodes) -> tuple[dict[str, float], int]:
    """Milliseconds by stage of one pass, and how many points it shades."""
    shot, samples = picture.shot, picture.samples
    lamps = len(picture.shader.lamps)
    out: dict[str, float] = {}
    out["coverage"], _ = best(lambda: _cover(picture, work))
    room = np.zeros(shot.width * shot.height * len(samples.place), FRAGMENT)
    both, count = best(lambda: _gather(picture, work, room))
    out["fragments"] = both - out["coverage"]
    fragments = room[:count].copy()
    points = np.empty(count, POINT)
    out["points"], size = best(lambda: _merge(picture, samples, fragments, work.room, points))
    visible = np.ones((count, lamps), np.float32)
    out["static shadows"], _ = best(lambda: _see(picture, samples, fragments, nodes, visible))
    _merge(picture, samples, fragments, work.room, points)
    chosen = np.arange(size, dtype=np.int32)
    canvas = np.zeros((shot.width * shot.height * samples.oversample**2, 3), np.float32)
    visible[:] = 1.0
    out["textures, light"], _ = best(
        lambda: shade(points, chosen, size, visible, picture.shader, work.desk, canvas)
    )
    return out, size


def best(work: Callable[[], Any]) -> tuple[float, Any]:
    """Milliseconds of the fastest of several runs, and the result."""
    fastest = np.inf
    for _ in range(RUNS):
        begin = time.thread_time()
        result = work()
        fastest = min(fastest, time.thread_time() - begin)
    return 1e3 * fastest, result


def ray_time(work: Callable[[], Any]) -> dict[str, float]:
    """Milliseconds in ray queries, and in all that is done about movers."""
    places = {"occluded": Tracer, "trace_movers": painter, "settle": painter, "shade": painter}
    spent = dict.fromkeys(places, np.inf)
    for _ in range(RUNS):
        run = dict.fromkeys(spent, 0.0)
        undo = [_timed(owner, name, run) for name, owner in places.items()]
        work()
        for put_back in undo:
            put_back()
        spent = {name: min(spent[name], run[name]) for name in spent}
    return spent


def _timed(owner: Any, name: str, spent: dict[str, float]) -> Callable[[], None]:
    """Add up the time in a function; returns what puts it back."""
    function = getattr(owner, name)

    def timed(*args: Any, **options: Any) -> Any:
        begin = time.thread_time()
        result = function(*args, **options)
        spent[name] += 1e3 * (time.thread_time() - begin)
        return result

    setattr(owner, name, timed)
    return lambda: setattr(owner, name, function)


kernel = njit(nogil=True, error_model="numpy")


@kernel
def _cover(picture, work):  # type: ignore[no-untyped-def]
    for band in range(len(picture.seen.start) - 1):
        cover_band(picture, band, work)


@kernel
def _gather(picture, work, out):  # type: ignore[no-untyped-def]
    shot, total = picture.shot, 0
    for band in range(len(picture.seen.start) - 1):
        if cover_band(picture, band, work):
            for y in range(band * ROWS, min((band + 1) * ROWS, shot.height)):
                for x in range(0, shot.width, PIECE):
                    columns = (x, min(x + PIECE, shot.width))
                    count = gather_piece(picture, (band * ROWS, y), columns, work, 0)
                    out[total : total + count] = work.fragments[:count]
                    total += count
    return total


@kernel
def _merge(picture, samples, fragments, room, points):  # type: ignore[no-untyped-def]
    world, count = picture.shader.world, 0
    for first in range(0, len(fragments), BATCH):
        part = fragments[first : first + BATCH]
        count += merge(
            part, len(part), picture.seen.records, world.frames, world.points, world.triangles,
            picture.statics, picture.shot.eye, 1.0 / samples.oversample, samples.side,
            room, points[count:],
        )  # fmt: skip
    return count


@kernel
def _see(picture, samples, fragments, nodes, visible):  # type: ignore[no-untyped-def]
    for first in range(0, len(fragments), BATCH):
        part = fragments[first : first + BATCH]
        see_lamps(
            part, len(part), picture.seen.records, picture.statics, picture.shot.lens,
            samples, nodes, visible[: len(part)], len(part),
        )  # fmt: skip


if __name__ == "__main__":
    main()

"""How many pictures an event camera needs: events as pictures lie farther apart, against 0.05 px.

The same motion is rendered with the largest displacement between two pictures at 0.05 px (the
reference) and at coarser bounds, with a box pixel and with the default point-spread function, and
seen by an event camera without noise. Of every pixel and polarity the k-th event is compared with
the reference's k-th: how many there are, and how far apart in time they come.

    python benchmarks/sub_frames.py [--plot docs/images/sub_frames.png]
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from render_scene import at_times, camera_of, preset_scene

from datagen.geometry.subframes import subframe_times
from datagen.optics import auto_exposure, oversample_for, sensor_light
from datagen.render.embedded import EmbeddedRenderer
from datagen.scenes.model import Scene
from datagen.sensors.base import open_sensor
from schemas.arrays import EventArray, LightBatch
from schemas.camera import Intrinsics, PinholeOptics
from schemas.sensor import EventCameraSpec

REFERENCE_PX = 0.05
BOUNDS_PX = (0.25, 0.5, 1.0, 2.0)
START_US, LENGTH_US = 500_000, 100_000
SIZE = 192
SCENES = {"tabletop": "tabletop", "room": "room"}
OPTICS = {"box pixel": 0.0, "PSF sigma 0.5 px": 0.5}


def main() -> None:
    """Measure, print, and draw if asked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--plot", type=Path)
    arguments = parser.parse_args()
    rows = [
        row for name, preset in SCENES.items() for row in study(name, preset_scene(preset=preset))
    ]
    print(json.dumps(rows, indent=2))
    if arguments.plot:
        plot(rows, arguments.plot)


def study(name: str, scene: Scene) -> list[dict[str, Any]]:
    """One row per optics and bound."""
    camera = camera_of(SIZE, SIZE)
    renderer = EmbeddedRenderer(scene, camera, samples=16, threads=2)
    rows = []
    for optics, sigma in OPTICS.items():
        reference = events_at(scene, renderer, camera, sigma, REFERENCE_PX)[0]
        for bound in BOUNDS_PX:
            events, pictures = events_at(scene, renderer, camera, sigma, bound)
            ratio, median, worst = compared(events, reference)
            rows.append(
                {
                    "scene": name, "optics": optics, "max_displacement_px": bound,
                    "pictures": pictures, "events": len(events), "count_ratio": ratio,
                    "median_time_error_us": median, "p95_time_error_us": worst,
                }
            )  # fmt: skip
    return rows


def events_at(
    scene: Scene, renderer: EmbeddedRenderer, camera: Intrinsics, sigma: float, bound: float
) -> tuple[EventArray, int]:
    """The events of one motion, and from how many pictures."""
    ends = at_times(scene, np.array([START_US, START_US + LENGTH_US]))
    labels = [renderer.labels(ends[k : k + 1]) for k in (0, 1)]
    ids = np.array([scene.instances[i].instance_id for i in scene.moving], np.uint16)
    t = subframe_times(
        *labels, t_a=START_US, t_b=START_US + LENGTH_US, views_at=lambda t: at_times(scene, t),
        object_ids=ids, intrinsics=camera, max_displacement=bound, max_per_frame=100_000,
    )  # fmt: skip
    t = np.concatenate([[START_US], t])
    optics = PinholeOptics(psf_sigma=sigma)
    over = oversample_for(optics)
    views = at_times(scene, t)
    light = [
        sensor_light(
            renderer.radiance(views[i : i + 8], oversample=over), optics, oversample=over, exposure=1.0
        )
        for i in range(0, len(t), 8)
    ]  # fmt: skip
    batch = LightBatch(t=t, rgb=np.concatenate(light))
    gain = auto_exposure(batch[:1].luminance())
    batch = LightBatch(t=t, rgb=batch.rgb * np.float32(gain))
    spec = EventCameraSpec(threshold_sigma=0.0)
    sensor: Any = open_sensor(spec, width=SIZE, height=SIZE, key=0)
    state = sensor.init(batch[:1])
    _, events = sensor.step(state, batch[1:])
    return events, len(t)


def compared(events: EventArray, reference: EventArray) -> tuple[float, float, float]:
    """Ratio of counts; median and 95th percentile of the time error of events with a partner."""
    ours, theirs = _ranked(events), _ranked(reference)
    _, i, j = np.intersect1d(ours[0], theirs[0], return_indices=True)
    error = np.abs(ours[1][i] - theirs[1][j])
    median, worst = np.percentile(error, (50, 95))
    return len(events) / len(reference), float(median), float(worst)


def _ranked(events: EventArray) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """A key of pixel, polarity and rank for every event, and its time."""
    source = (events.y.astype(np.int64) * SIZE + events.x) * 2 + (events.p > 0)
    order = np.lexsort((events.t, source))
    source, t = source[order], events.t[order]
    first = np.searchsorted(source, source)
    return source * 2**20 + np.arange(len(source)) - first, t


def plot(rows: list[dict[str, Any]], path: Path) -> None:
    """Counts and time errors over the bound."""
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
    for scene in SCENES:
        for optics, line in zip(OPTICS, (":", "-"), strict=True):
            part = [r for r in rows if r["scene"] == scene and r["optics"] == optics]
            x = [r["max_displacement_px"] for r in part]
            color = f"C{list(SCENES).index(scene)}"
            label = f"{scene}, {optics}"
            axes[0].plot(x, [r["count_ratio"] for r in part], line, marker="o", color=color, label=label)  # fmt: skip
            axes[1].plot(x, [r["median_time_error_us"] for r in part], line, marker="o", color=color)  # fmt: skip
    axes[0].axhline(1.0, color="0.7", linewidth=0.8)
    axes[0].set_ylabel("events / events at 0.05 px")
    axes[1].set_ylabel("median error of event time [us]")
    axes[1].set_yscale("log")
    for axis in axes:
        axis.set_xscale("log", base=2)
        axis.set_xlabel("largest displacement between pictures [px]")
        axis.set_xticks(BOUNDS_PX, [str(b) for b in BOUNDS_PX])
        axis.axvline(0.5, color="0.85", linewidth=4, zorder=0)
    axes[0].legend(frameon=False, fontsize=8)
    figure.savefig(path, dpi=110)


if __name__ == "__main__":
    main()

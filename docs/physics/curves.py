"""Draw the curves of docs/physics: every dot is measured on the sensors' own output.

    python docs/physics/curves.py

writes docs/images/physics/*.svg, the same bytes every time.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parent))

from svg import Plot

from datagen.sensors.event_camera import EventCamera
from datagen.sensors.spike_camera import SpikeCamera
from schemas.arrays import EventArray
from schemas.sensor import EventCameraSpec, SpikeCameraSpec

IMAGES = Path(__file__).parents[1] / "images" / "physics"
SIDE = 100
"""Pixels a side of the measured sensors."""
US = 1_000_000


def see(spec: EventCameraSpec, t: Any, light: Any) -> EventArray:
    """Events of a sensor of SIDE x SIDE px under even light, one luminance per time [us]."""
    pictures = np.empty((len(light), SIDE, SIDE), np.float32)
    pictures[:] = np.asarray(light, np.float32)[:, None, None]
    times = np.asarray(t, np.int64)
    camera = EventCamera(spec, width=SIDE, height=SIDE, key=1)
    state = camera.init_pictures(times[:1], pictures[:1])
    return camera.step_pictures(state, times[1:], pictures[1:])[1]


def threshold_s_curve() -> Plot:
    """Share of pixels that answer a step of contrast."""
    plot = Plot("ON threshold 0.2, three spreads", "step of log light", "share of pixels with an event",
                (0.0, 0.4), (0.0, 1.0), "bottom right")  # fmt: skip
    steps = np.linspace(0.02, 0.38, 19)
    fine = np.linspace(0.0, 0.4, 200)
    for colour, sigma in enumerate((0.01, 0.03, 0.08)):
        spec = EventCameraSpec(threshold_sigma=sigma, log_eps=1e-9)
        seen = []
        for step in steps:
            events = see(spec, [0, 1000], [0.2, 0.2 * math.exp(step)])
            pixels = events.y.astype(int) * SIDE + events.x
            seen.append(len(np.unique(pixels)) / SIDE**2)
        theory = [0.5 + 0.5 * math.erf((x - 0.2) / sigma / math.sqrt(2)) for x in fine]
        plot.line(fine, theory, "", colour)
        plot.dots(steps, seen, f"sigma = {sigma}", colour)
    return plot


def noise_against_light() -> Plot:
    """Shot noise rate of a pixel at nine brightnesses."""
    plot = Plot("Shot noise, 5 Hz in the dark", "luminance (white = 1)", "noise events per pixel and second",
                (0.0, 1.0), (0.0, 5.0))  # fmt: skip
    light = np.linspace(0, 1, 9)
    spec = EventCameraSpec(threshold_sigma=0.0, shot_noise_rate_hz=5.0)
    seen = [len(see(spec, [0, 2 * US], [x, x])) / (2 * SIDE**2) for x in light]
    fine = np.linspace(0, 1, 100)
    plot.line(
        fine, 5 * (1 - 0.75 * np.minimum((255 * fine + 20) / 275, 1)), "the rate asked for", 0
    )
    plot.dots(light, seen, "measured, 10 000 pixels, 2 s", 1)
    return plot


def step_response() -> Plot:
    """Log light behind one and two low-pass stages after a step, read off from events."""
    plot = Plot("Step from 100 to 200 of 255, corner 30 Hz", "time after the step [ms]", "change of log light",
                (0.0, 30.0), (0.0, 0.8), "bottom right")  # fmt: skip
    corner = 2 * math.pi * 30.0 * (200 + 20) / 275
    fine = np.linspace(0, 30, 200)
    x = corner * fine * 1e-3
    height = math.log(2)
    for order, theory in ((1, 1 - np.exp(-x)), (2, 1 - (1 + x) * np.exp(-x))):
        spec = EventCameraSpec(
            threshold_sigma=0.0, threshold_on=0.05, log_eps=1e-9, cutoff_hz=30.0, filter_order=order
        )
        # a picture 1 us after the first: light jumps and then stands still
        events = see(spec, [0, 1, 40_000], [100 / 255, 200 / 255, 200 / 255])
        t = events.t[(events.x == 3) & (events.y == 3)]
        plot.line(
            fine, height * theory, f"{order} stage{'s' * (order > 1)}, closed form", order - 1
        )
        plot.dots(t / 1000, 0.05 * np.arange(1, len(t) + 1), "events, threshold 0.05", order - 1)
    return plot


def leak_intervals() -> Plot:
    """Time between leak events of a pixel, with and without jitter."""
    plot = Plot("Leak of 10 Hz", "interval between ON events of a pixel [ms]", "share of intervals",
                (60.0, 140.0), (0.0, 0.5))  # fmt: skip
    bins = np.arange(62.5, 140, 5.0)
    for colour, jitter in enumerate((0.05, 0.1)):
        spec = EventCameraSpec(threshold_sigma=0.0, leak_rate_hz=10.0, leak_jitter_fraction=jitter)
        t = np.arange(0, 2 * US, 5000)
        events = see(spec, t, np.full(len(t), 0.3))
        order = np.lexsort((events.t, events.x, events.y))
        pixel = events.y[order].astype(int) * SIDE + events.x[order]
        gaps = np.diff(events.t[order])[np.diff(pixel) == 0] / 1000
        share, _ = np.histogram(gaps, bins)
        plot.bars(bins[:-1] + 2.5, share / len(gaps), f"jitter {jitter}", colour, colour)
    return plot


def expose(spec: SpikeCameraSpec, luminance: NDArray[np.float32], polls: int) -> NDArray[np.bool_]:
    """Spikes (polls, H, W) under light that stands still."""
    height, width = luminance.shape
    camera = SpikeCamera(spec, width=width, height=height, key=1)
    state = camera.init_pictures(np.array([0]), luminance[None])
    _, spikes = camera.step_pictures(state, np.array([50 * polls]), luminance[None])
    return spikes.unpack().astype(bool)


def spike_intervals() -> Plot:
    """Inter-spike intervals under constant light."""
    plot = Plot("Spikes at 0.28 per poll", "interval between spikes of a pixel [polls]", "share of intervals",
                (0.0, 10.0), (0.0, 0.7))  # fmt: skip
    light = np.full((32, 32), 0.7, np.float32)
    for colour, electrons in enumerate((0, 200, 10)):
        spec = SpikeCameraSpec(electrons_per_spike=electrons)
        fired = expose(spec, light, 2000)
        where = np.argwhere(fired.reshape(len(fired), -1).T)
        gaps = np.diff(where[:, 1])[np.diff(where[:, 0]) == 0]
        count = np.bincount(gaps, minlength=10)[1:10] / len(gaps)
        name = f"{electrons} electrons per spike" if electrons else "no noise: 3 and 4 only"
        plot.bars(np.arange(1, 10), count, name, colour, colour)
    return plot


def spike_rate() -> Plot:
    """Spikes per poll against luminance, up to saturation."""
    plot = Plot(
        "Spike rate",
        "luminance (white = 1)",
        "spikes per poll",
        (0.0, 3.0),
        (0.0, 1.2),
        "bottom right",
    )
    light = np.linspace(0, 3, 25)
    ramp = np.repeat(light.astype(np.float32)[None], 64, axis=0)
    fine = np.linspace(0, 3, 200)
    plot.line(fine, np.minimum(0.4 * fine, 1), "alpha L, at most one", 0)
    plot.dots(light, expose(SpikeCameraSpec(), ramp, 4000).mean(axis=(0, 1)), "clean", 0)
    real = SpikeCameraSpec(preset="scsim", alpha=0.4)
    plot.dots(light, expose(real, ramp, 4000)[:, 5].mean(axis=0), "scsim, one pixel each", 1)
    return plot


CURVES: dict[str, Callable[[], Plot]] = {
    "threshold": threshold_s_curve,
    "shot_noise": noise_against_light,
    "step_response": step_response,
    "leak_intervals": leak_intervals,
    "spike_intervals": spike_intervals,
    "spike_rate": spike_rate,
}


def main() -> None:
    """Draw all of them."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    for name, draw in CURVES.items():
        (IMAGES / f"{name}.svg").write_text(draw().svg(), encoding="utf-8")


if __name__ == "__main__":
    main()

"""Wood, plants and plaster: (rng, n) -> sRGB-coded float32 image (n, n, 3), tileable."""

from __future__ import annotations

import numpy as np

from datagen.scenes.textures.colour import Image, flat, hsv, mix, scheme, shade
from datagen.scenes.textures.drawing import dead_leaves, inside, lattice
from datagen.scenes.textures.noise import Field, blur, cellular, fractal, smoothstep, warp


def planks(rng: np.random.Generator, n: int) -> Image:
    """8 rows of boards, each with its own tone and grain, dark joints, knots, nails."""
    floor = lattice(n, 2, 8, rng.random(8))
    tone = floor.random(rng)
    hue, value = rng.uniform(0.05, 0.1), rng.uniform(0.6, 0.85)
    image = _grain(rng, n, hue, value, offset=floor.random(rng))
    image = shade(image, 0.55 * (tone - 0.5))
    knots = cellular(rng, n, (4, 12))
    ring = np.sin(70 * knots.nearest + fractal(rng, n, high=20)) * np.exp(-9 * knots.nearest)
    image = shade(image, 0.5 * ring - 0.6 * np.exp(-22 * knots.nearest))
    ends = np.minimum(floor.x, 1 - floor.x)
    nail = np.hypot((ends - 0.03) * n / 2, (np.abs(floor.y - 0.5) - 0.3) * n / 8)
    image = shade(image, -0.5 * (1 - smoothstep(1.5, 3.5, nail)))
    return mix(hsv(hue, 0.5, 0.08), image, inside(floor.edge, 1.8))


def wood(rng: np.random.Generator, n: int) -> Image:
    """One long-grained block with growth rings."""
    hue, value = rng.uniform(0.04, 0.1), rng.uniform(0.6, 0.9)
    image = _grain(rng, n, hue, value, offset=np.zeros((n, n), np.float32))
    return shade(image, 0.12 * fractal(rng, n, slope=1.2, high=20))


def _grain(rng: np.random.Generator, n: int, hue: float, value: float, offset: Field) -> Image:
    """Long fibres over warped rings; `offset` moves the rings from board to board."""
    fibre = fractal(rng, n, slope=0.6, low=4, stretch=(12.0, 1.0))
    drift = fractal(rng, n, slope=1.6, high=10, stretch=(4.0, 1.0))
    ring = np.sin(2 * np.pi * (2.2 * drift + 9 * offset) + 0.6 * fibre)
    tone = smoothstep(-1.6, 1.6, 0.55 * ring + 0.65 * fibre)
    image = mix(hsv(hue - 0.015, 0.65, value * 0.5), hsv(hue + 0.015, 0.42, value * 1.2), tone)
    pore = fractal(rng, n, slope=0.0, low=n / 14, stretch=(5.0, 1.0))
    return shade(image, -0.35 * smoothstep(1.3, 2.2, pore))


def plaster(rng: np.random.Generator, n: int) -> Image:
    """Old painted wall: two coats, flakes, trowel strokes, drips."""
    coats = sorted(scheme(rng, 5), key=lambda colour: float(colour.sum()))
    top, under = coats[3 + int(rng.integers(2))], coats[1 + int(rng.integers(2))]
    field = fractal(rng, n, slope=1.05) + 0.2 * fractal(rng, n, slope=0.3, low=n / 20)
    flake = smoothstep(0.75, 0.95, field)
    rim = smoothstep(0.55, 0.75, field) - flake
    stroke = fractal(rng, n, slope=0.7, low=3, stretch=(3.0, 1.0))
    drip = fractal(rng, n, slope=0.8, low=4, stretch=(1.0, 8.0))
    image = shade(mix(top, under, flake), 0.4 * rim + 0.13 * stroke)
    grain = fractal(rng, n, slope=0.5, low=12)
    return shade(image, -0.22 * smoothstep(0.8, 2.0, drip) + 0.08 * grain)


def leaves(rng: np.random.Generator, n: int) -> Image:
    """Overlapping leaves of all sizes in greens or autumn tones."""
    hue = (0.22, 0.27, 0.11, 0.05)[int(rng.integers(4))]
    colours = [
        hsv(hue + rng.normal(0, 0.025), rng.uniform(0.3, 0.6), v)
        for v in np.linspace(0.22, 0.78, 7)
    ]
    image = dead_leaves(rng, n, colours, count=int(5000 * (n / 512) ** 2), largest=0.08)
    return shade(image, 0.08 * fractal(rng, n, slope=0.7))


def confetti(rng: np.random.Generator, n: int) -> Image:
    """Overlapping discs of all sizes in the colours of one palette."""
    image = dead_leaves(rng, n, scheme(rng, 7), count=int(3500 * (n / 512) ** 2), largest=0.12)
    return shade(image, 0.08 * fractal(rng, n, slope=0.7))


def camouflage(rng: np.random.Generator, n: int) -> Image:
    """Four tones with noise outlines."""
    colours = scheme(rng, 4)
    image = flat(n, colours[0])
    for colour in colours[1:]:
        field = fractal(rng, n, slope=1.2, low=2) + 0.12 * fractal(rng, n, slope=0.2, low=20)
        image = mix(image, colour, smoothstep(0.28, 0.4, field))
    return shade(blur(image, 0.7), 0.14 * fractal(rng, n, slope=0.6, low=4))


def scales(rng: np.random.Generator, n: int) -> Image:
    """Overlapping shingles, 12 x 24, each shaded and toned."""
    rows = lattice(n, 12, 24, np.tile([0.0, 0.5], 12))
    lit, dark, *_ = scheme(rng, 3)
    round_edge = np.hypot((rows.x - 0.5) * 1.6, np.maximum(rows.y - 0.25, 0.0) * 1.15)
    tone = rows.random(rng)
    image = shade(mix(dark, lit, tone), 0.5 * (0.5 - rows.y))
    bend = 0.004 * fractal(rng, n, low=6), 0.004 * fractal(rng, n, low=6)
    gap = warp(smoothstep(0.72, 0.82, round_edge.astype(np.float32)), *bend)
    return shade(shade(image, -0.75 * gap), 0.12 * fractal(rng, n, slope=0.7))

"""Stone, brick, tile and metal: (rng, n) -> sRGB-coded float32 image (n, n, 3), tileable.

Sizes in the comments hold for the tile sizes in `library`.
"""

from __future__ import annotations

import numpy as np

from datagen.scenes.textures.colour import Image, flat, hsv, mix, pick, scheme, shade, stone
from datagen.scenes.textures.drawing import inside, lattice
from datagen.scenes.textures.noise import blur, cellular, fractal, grid, smoothstep, warp


def bricks(rng: np.random.Generator, n: int) -> Image:
    """Running bond, 10 x 24 bricks, worn edges, light mortar, stains."""
    rough = fractal(rng, n, slope=0.8, low=8)
    wall = lattice(n, 10, 24, np.tile([0.0, 0.5], 12))
    tone, odd = wall.random(rng), wall.random(rng)
    hue, value = rng.uniform(0.0, 0.07), rng.uniform(0.45, 0.65)
    dark, light = hsv(hue, 0.6, value * 0.62), hsv(hue + 0.025, 0.5, value * 1.25)
    image = mix(dark, light, tone)
    image = mix(image, hsv(hue + 0.05, 0.25, 0.3), (odd > 0.9).astype(np.float32))
    image = shade(image, 0.16 * rough + 0.08 * fractal(rng, n))
    mortar = shade(flat(n, hsv(0.1, 0.1, rng.uniform(0.6, 0.8))), 0.12 * rough)
    body = inside(wall.edge + 0.8 * rough, 0.045 * n / 24 * 1.6, 1.2)
    return shade(mix(mortar, image, body), 0.1 * fractal(rng, n, slope=1.4, high=12))


def tiles(rng: np.random.Generator, n: int) -> Image:
    """8 x 8 ceramic tiles, two by two turned quarter-circle motifs, grout, crazing."""
    colours = scheme(rng, 4)
    floor = lattice(n, 8, 8)
    turn = floor.random(rng)
    x = np.where(turn < 0.5, floor.x, 1.0 - floor.x)
    corner = np.hypot(x, floor.y) * (n / 8)
    side = n / 8
    checker = ((floor.row + floor.column) % 2).astype(np.float32)
    image = mix(colours[0], colours[1], checker)
    ring = inside(corner, 0.3 * side) * (1 - inside(corner, 0.62 * side))
    image = mix(image, colours[2], ring)
    other = np.hypot(1 - x, 1 - floor.y) * side
    image = mix(image, colours[3], 1 - inside(other, 0.34 * side))
    image = shade(image, 0.18 * (floor.random(rng) - 0.5) + 0.07 * fractal(rng, n, slope=0.8))
    grout = shade(flat(n, hsv(0.1, 0.08, 0.45)), 0.15 * fractal(rng, n, slope=0.5, low=20))
    return mix(grout, image, inside(floor.edge, 2.5))


def checker(rng: np.random.Generator, n: int) -> Image:
    """8 x 8 squares of two veined stones."""
    floor = lattice(n, 8, 8)
    veins = np.abs(fractal(rng, n, slope=1.2, low=2))
    light = shade(flat(n, stone(rng, 0.85)), -0.3 * np.exp(-8 * veins))
    dark = shade(flat(n, stone(rng, 0.32)), 0.9 * np.exp(-10 * veins))
    squares = ((floor.row + floor.column) % 2).astype(np.float32)
    image = shade(mix(dark, light, squares), 0.12 * fractal(rng, n, slope=0.8))
    image = shade(image, 0.16 * (floor.random(rng) - 0.5))
    return mix(hsv(0.1, 0.1, 0.2), image, inside(floor.edge, 1.5))


def terrazzo(rng: np.random.Generator, n: int) -> Image:
    """Chips of three sizes in a light cement."""
    colours = scheme(rng, 5)
    base = stone(rng, rng.uniform(0.65, 0.85))
    image = shade(flat(n, base), 0.08 * fractal(rng, n, slope=0.7))
    for cells, size in ((n // 9, 0.3), (n // 20, 0.34), (n // 44, 0.36)):
        chips = cellular(rng, n, (cells, cells), jitter=0.7)
        wobble = 0.07 * fractal(rng, n, slope=0.6, low=cells / 2)
        mask = 1 - smoothstep(size - 0.06, size + 0.06, chips.nearest + wobble)
        image = mix(image, pick(colours, chips.value), mask * (chips.value < 0.93))
    return shade(image, 0.05 * fractal(rng, n))


def concrete(rng: np.random.Generator, n: int) -> Image:
    """Blotches, pores, warped cracks, and the seams of 4 x 4 slabs."""
    warm = rng.uniform(0.05, 0.14)
    blotch = fractal(rng, n, slope=1.1)
    image = shade(flat(n, hsv(0.1, warm, rng.uniform(0.5, 0.65))), 0.2 * blotch)
    sand = fractal(rng, n, slope=0.1, low=n / 16)
    image = shade(image, 0.13 * sand)
    pores = cellular(rng, n, (n // 16, n // 16))
    image = shade(image, -0.4 * (1 - smoothstep(0.06, 0.2, pores.nearest)) * (pores.value < 0.5))
    bend = 0.035 * fractal(rng, n, slope=1.3), 0.035 * fractal(rng, n, slope=1.3)
    crack = warp(cellular(rng, n, (5, 5)).border, *bend)
    present = smoothstep(-0.3, 0.6, fractal(rng, n, slope=1.5, high=8))
    image = shade(image, -0.65 * (1 - smoothstep(0.008, 0.03, crack)) * present)
    slab = lattice(n, 4, 4)
    image = shade(image, 0.14 * (slab.random(rng) - 0.5))
    return shade(image, -0.55 * (1 - inside(slab.edge, 2.0)))


def pebbles(rng: np.random.Generator, n: int) -> Image:
    """Rounded stones of two sizes with dark gaps."""
    colours = [stone(rng, value) for value in (0.38, 0.52, 0.66, 0.8, 0.92)]
    image = flat(n, hsv(0.08, 0.3, 0.18))
    for cells, jitter in ((n // 14, 1.0), (n // 34, 0.8)):
        stones = cellular(rng, n, (cells, cells), jitter=jitter)
        shape = stones.border + 0.04 * fractal(rng, n, slope=0.6, low=cells)
        mask = smoothstep(0.1, 0.22, shape) * (1 - smoothstep(0.5, 0.56, stones.nearest))
        body = shade(pick(colours, stones.value), 0.3 * (0.35 - stones.nearest))
        image = mix(image, body, mask * (stones.value > 0.08))
    return shade(image, 0.14 * fractal(rng, n, slope=0.7))


def marble(rng: np.random.Generator, n: int) -> Image:
    """Warped veins at three scales over a clouded ground."""
    light, cloud = stone(rng, 0.9), stone(rng, 0.5)
    image = mix(light, cloud, smoothstep(-0.8, 2.0, fractal(rng, n, slope=1.3)))
    vein_colour = stone(rng, 0.25)
    bend = [0.05 * fractal(rng, n, slope=1.6) for _ in range(2)]
    for low, width, depth in ((2, 0.09, 0.9), (5, 0.09, 0.75), (12, 0.12, 0.5)):
        smooth = fractal(rng, n, slope=1.0, low=low, high=1.5 * low)
        vein = np.exp(-np.abs(warp(smooth, *bend)) / width)
        present = smoothstep(-1.4, 0.6, fractal(rng, n, slope=1.4, high=10))
        image = mix(image, vein_colour, depth * vein * present)
    return shade(image, 0.06 * fractal(rng, n, slope=0.6, low=10))


def granite(rng: np.random.Generator, n: int) -> Image:
    """Crystals of three sizes and a slow drift of tone."""
    colours = [stone(rng, value) for value in (0.2, 0.48, 0.7, 0.95)]
    coarse = cellular(rng, n, (n // 26, n // 26)).value
    middle = cellular(rng, n, (n // 13, n // 13)).value
    fine = cellular(rng, n, (n // 7, n // 7)).value
    drift = 0.16 * fractal(rng, n, slope=1.2)
    value = np.clip(0.34 * (coarse + middle + fine) + drift, 0.0, 0.999)
    return blur(pick(colours, value), 0.6)


def rusted_metal(rng: np.random.Generator, n: int) -> Image:
    """Paint with scratches, flaking to rust where a noise field is high; rivets on panel seams."""
    coat = scheme(rng, 5)[int(rng.integers(5))] * 0.75 + 0.12
    paint = shade(flat(n, coat), 0.08 * fractal(rng, n))
    scratch = fractal(rng, n, slope=0.2, low=6, stretch=(14.0, 1.0))
    paint = shade(paint, 0.5 * smoothstep(1.9, 2.6, scratch))
    rust_tone = smoothstep(-1.5, 1.5, fractal(rng, n, slope=0.6, low=6))
    rust = mix(hsv(0.03, 0.75, 0.22), hsv(0.07, 0.75, 0.6), rust_tone)
    field = fractal(rng, n, slope=1.25) + 0.25 * fractal(rng, n, slope=0.5, low=20)
    image = mix(paint, hsv(0.1, 0.1, 0.85), smoothstep(0.35, 0.5, field))
    image = mix(image, rust, smoothstep(0.5, 0.62, field))
    panel = lattice(n, 2, 3)
    image = shade(image, -0.6 * (1 - inside(panel.edge, 2.0)))
    stud = lattice(n, 16, 24)
    rivet = np.hypot(stud.x - 0.5, stud.y - 0.5)
    mask = (1 - smoothstep(0.16, 0.24, rivet)) * (panel.edge < n / 22)
    return shade(image, mask * (0.7 * (stud.x - stud.y)))


def hazard(rng: np.random.Generator, n: int) -> Image:
    """Worn diagonal warning stripes, five pairs per tile."""
    u, v = grid(n)
    wave = np.sin(2 * np.pi * 5 * (u + v)) * n / 31.4
    colours = [hsv(0.13, 0.85, 0.9), hsv(0.02, 0.8, 0.75), hsv(0.1, 0.02, 0.9)]
    stripe = smoothstep(-1.0, 1.0, wave)
    image = mix(hsv(0.1, 0.1, 0.12), colours[int(rng.integers(3))], stripe)
    worn = smoothstep(0.7, 1.1, fractal(rng, n, slope=1.0))
    image = mix(image, hsv(0.08, 0.1, 0.5), worn)
    return shade(image, 0.12 * fractal(rng, n, slope=0.7))

"""Cloth, paper and prints: (rng, n) -> sRGB-coded float32 image (n, n, 3).

Tileable, except `carton`, `page` and `poster`, which fill one face.
"""

from __future__ import annotations

import numpy as np

from datagen.scenes.textures.colour import Image, flat, hsv, mix, pick, scheme, shade
from datagen.scenes.textures.drawing import bar_code, lattice, paste, text_lines
from datagen.scenes.textures.noise import Field, blur, fractal, grid, smoothstep


def plaid(rng: np.random.Generator, n: int) -> Image:
    """Woven tartan: one sett of stripes across itself, threads of six texels."""
    colours = scheme(rng, 4)
    sett = _stripe_values(rng, n, count=14)
    warp_threads = pick(colours, np.broadcast_to(sett, (n, n)))
    weft_threads = pick(colours, np.broadcast_to(sett[:, None], (n, n)))
    u, v = grid(n)
    twill = smoothstep(-0.5, 0.5, np.sin(2 * np.pi * (u + v) * (n // 8)))
    image = blur(mix(warp_threads, weft_threads, twill), 0.7)
    return shade(image, 0.18 * fractal(rng, n, slope=0.6, low=3))


def stripes(rng: np.random.Generator, n: int) -> Image:
    """Cloth with stripes of all widths and a knitted rib."""
    colours = scheme(rng, 5)
    value = _stripe_values(rng, n, count=26)
    image = blur(pick(colours, np.broadcast_to(value[:, None], (n, n))), 0.8)
    u, v = grid(n)
    rib = np.sin(2 * np.pi * (n // 10) * u) * np.sin(2 * np.pi * (n // 8) * v)
    worn = fractal(rng, n, slope=0.6, low=3)
    return shade(image, 0.16 * rib + 0.2 * worn)


def _stripe_values(rng: np.random.Generator, n: int, count: int) -> Field:
    """A random value per stripe, stripes of very different widths, along one axis (n,)."""
    widths = rng.lognormal(0.0, 0.9, count)
    edges = np.round(np.cumsum(widths) / widths.sum() * n).astype(int)
    return np.repeat(rng.random(count), np.diff(edges, prepend=0)).astype(np.float32)


def kilim(rng: np.random.Generator, n: int) -> Image:
    """Woven rug: bands of diamonds, zigzags and steps, mirrored about the middle."""
    colours = scheme(rng, 5)
    u, v = grid(n)
    band = np.abs(v - 0.5) * 16
    row = band.astype(np.intp)
    repeats = rng.integers(3, 9, 9)[row]
    kind, swap = rng.integers(0, 4, 9)[row], rng.integers(0, 5, 9)[row]
    local = band - row
    tooth = np.abs((u * repeats) % 1.0 - 0.5) * 2
    level = np.select(
        [kind == 0, kind == 1, kind == 2],
        [tooth + np.abs(2 * local - 1), tooth + local, np.floor(tooth * 4) / 4 + local],
        3 * local,
    )
    index = (np.floor(level * 2.5).astype(np.intp) + swap) % 5
    image = blur(np.stack(colours)[index], 0.9)
    knot = np.sin(2 * np.pi * (n // 9) * u) + np.sin(2 * np.pi * (n // 7) * v)
    return shade(image, 0.07 * knot + 0.12 * fractal(rng, n, slope=0.8))


def wallpaper(rng: np.random.Generator, n: int) -> Image:
    """A floral motif on a staggered lattice between thin stripes, slightly faded."""
    ground, petal, leaf, line = scheme(rng, 4)
    cells = lattice(n, 6, 6, np.tile([0.0, 0.5], 3))
    x, y = (cells.x - 0.5) * 2, (cells.y - 0.5) * 2
    radius, angle = np.hypot(x, y), np.arctan2(y, x)
    count = int(rng.integers(5, 9))
    flower = 0.42 + 0.2 * np.cos(count * angle)
    image = flat(n, ground)
    u, v = grid(n)
    wave = np.sin(2 * np.pi * (24 * u + 0.15 * np.sin(2 * np.pi * 6 * v)))
    image = mix(image, line, smoothstep(0.7, 0.9, wave) * 0.8)
    tendril = np.abs(np.sin(3 * angle + 9 * radius))
    image = mix(image, leaf, smoothstep(0.72, 0.9, tendril) * (radius < 0.95) * (radius > 0.5))
    image = mix(image, petal, 1 - smoothstep(-0.03, 0.03, radius - flower))
    image = mix(image, line, 1 - smoothstep(0.14, 0.2, radius))
    veins = np.cos(2 * count * angle) * (radius < flower)
    return shade(blur(image, 0.7), 0.12 * veins + 0.12 * fractal(rng, n, slope=0.9))


def carpet(rng: np.random.Generator, n: int) -> Image:
    """Short pile in clumps, with a coarse woven figure."""
    dark, light, accent = scheme(rng, 3)
    pile = fractal(rng, n, slope=0.2, low=n / 24)
    clump = fractal(rng, n, slope=0.9)
    image = mix(dark, light, smoothstep(-1.6, 1.6, pile + 0.5 * clump))
    cells = lattice(n, 8, 8, np.tile([0.0, 0.5], 4))
    diamond = np.abs(cells.x - 0.5) + np.abs(cells.y - 0.5) + 0.02 * pile
    ring = smoothstep(0.22, 0.26, diamond) - smoothstep(0.36, 0.4, diamond)
    return shade(mix(image, accent, 0.8 * ring), 0.1 * pile)


def carton(rng: np.random.Generator, n: int) -> Image:
    """Cardboard face: flutes, tape, a printed label with bar code, a stamp, scuffs."""
    flute = np.sin(2 * np.pi * (n // 9) * grid(n)[1])
    hue, value = rng.uniform(0.07, 0.1), rng.uniform(0.62, 0.8)
    image = shade(flat(n, hsv(hue, 0.42, value)), 0.04 * flute + 0.11 * fractal(rng, n))
    ink = blur(_carton_print(rng, n), 0.7)
    image = mix(image, hsv((0.0, 0.6, 0.08)[int(rng.integers(3))], 0.6, 0.25), 0.85 * ink)
    top, height = int(n * rng.uniform(0.42, 0.5)), int(n * 0.11)
    tape = np.zeros((n, n), np.float32)
    tape[top : top + height] = 0.75
    image = mix(image, hsv(hue, rng.uniform(0.2, 0.5), rng.uniform(0.6, 0.95)), blur(tape, 0.8))
    image = _label(rng, image)
    edge = np.minimum.reduce([*grid(n), *(1 - g for g in grid(n))])
    return shade(image, -0.4 * (1 - smoothstep(0.0, 0.025, edge)) + 0.05 * fractal(rng, n, low=8))


def _carton_print(rng: np.random.Generator, n: int) -> Field:
    """Large lettering and arrows of a box, 1 = ink."""
    ink = np.zeros((n, n), np.float32)
    paste(ink, int(n * 0.07), int(n * 0.08), text_lines(rng, n // 6, int(n * 0.6), max(n // 64, 2)))
    paste(
        ink, int(n * 0.66), int(n * 0.55), text_lines(rng, n // 4, int(n * 0.38), max(n // 128, 2))
    )
    u, v = grid(n)
    arrow = np.abs(u - 0.85) < np.where(v < 0.2, (v - 0.08) * 0.7, 0.025)
    return np.maximum(ink, (arrow & (v > 0.08) & (v < 0.33)).astype(np.float32))


def _label(rng: np.random.Generator, image: Image) -> Image:
    """A white sticker with a bar code and small print."""
    n = image.shape[0]
    height, width = int(n * 0.24), int(n * 0.4)
    top, left = int(n * rng.uniform(0.63, 0.7)), int(n * rng.uniform(0.06, 0.12))
    paper, ink = np.zeros((2, n, n), np.float32)
    paste(paper, top, left, np.ones((height, width), np.float32))
    paste(
        ink, top + n // 40, left + n // 40, bar_code(rng, height // 2, int(width * 0.8), n // 170)
    )
    paste(ink, top + height * 2 // 3, left + n // 40, text_lines(rng, height // 4, width, n // 170))
    image = mix(image, hsv(0.12, 0.04, 0.93), blur(paper, 0.7))
    return mix(image, hsv(0.6, 0.2, 0.12), blur(ink * paper, 0.6))


def page(rng: np.random.Generator, n: int) -> Image:
    """Newspaper: headline, columns of text, two toned pictures."""
    ink = np.zeros((n, n), np.float32)
    margin, dot = n // 24, max(n // 170, 2)
    paste(ink, margin, margin, text_lines(rng, n // 8, n - 2 * margin, n // 48))
    for column in range(3):
        left = margin + column * (n - 2 * margin) // 3
        text = text_lines(rng, n - n // 5 - margin, n // 3 - 2 * margin, dot)
        paste(ink, n // 5, left, text)
    image = mix(hsv(0.12, rng.uniform(0.05, 0.2), 0.9), hsv(0.6, 0.2, 0.1), blur(ink, 0.6))
    for _ in range(2):
        size = int(n * rng.uniform(0.22, 0.34))
        top, left = rng.integers(n // 4, n - size - margin, 2)
        tone = smoothstep(-1.2, 1.2, fractal(rng, n, slope=1.2))[:size, :size]
        image[top : top + size, left : left + size] = mix(
            hsv(0.6, 0.3, 0.12), hsv(0.1, 0.12, 0.95), tone
        )
    return shade(image, 0.05 * fractal(rng, n))


def poster(rng: np.random.Generator, n: int) -> Image:
    """Abstract print: overlapping discs, bars and rings, a line of lettering, a frame."""
    ground, *inks = scheme(rng, 6)
    image = flat(n, ground)
    u, v = grid(n)
    for index in range(16):
        x, y, angle = rng.uniform(0.1, 0.9), rng.uniform(0.1, 0.8), rng.random() * np.pi
        size = 0.3 * 0.88**index
        along = (u - x) * np.cos(angle) + (v - y) * np.sin(angle)
        across = (v - y) * np.cos(angle) - (u - x) * np.sin(angle)
        disc, bar = (
            np.hypot(along, across) - size,
            np.maximum(np.abs(along) - size, np.abs(across) - size / 4),
        )
        ring = np.abs(np.hypot(along, across) - size) - size / 5
        distance = (disc, bar, ring)[int(rng.integers(3))].astype(np.float32)
        tint = 1 - smoothstep(-0.7 / n, 0.7 / n, distance)
        image = mix(image, inks[int(rng.integers(len(inks)))], tint * rng.uniform(0.7, 1.0))
    ink = np.zeros((n, n), np.float32)
    paste(ink, int(n * 0.84), n // 10, text_lines(rng, n // 9, int(n * 0.8), n // 80))
    image = mix(image, inks[0] * 0.3, blur(ink, 0.7))
    frame = np.minimum.reduce([u, v, 1 - u, 1 - v])
    image = mix(
        hsv(0.09, 0.25, (0.15, 0.9)[int(rng.integers(2))]), image, smoothstep(0.03, 0.034, frame)
    )
    return shade(image, 0.09 * fractal(rng, n, slope=0.9))

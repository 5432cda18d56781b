"""Furniture: shapes that stand on z = 0 with their front towards +y, origin below their middle."""

from __future__ import annotations

import numpy as np

from datagen.scenes.shapes import revolve, solids
from datagen.scenes.shapes.mesh import Shape, assemble, merged, shifted
from datagen.scenes.shapes.solids import rounded_box, slab


def _upright_box(x: float, y: float, low: float, size: tuple[float, float, float]) -> Shape:
    """A plain box with its bottom at `low`, centred on (x, y)."""
    half_x, half_y = size[0] / 2, size[1] / 2
    return slab((x - half_x, y - half_y, low), (x + half_x, y + half_y, low + size[2]))


def legs(rng: np.random.Generator, x: float, y: float, height: float) -> Shape:
    """Four turned legs at (+-x, +-y)."""
    leg = revolve.frustum(0.032, 0.05, height, 16)
    if rng.random() < 0.5:
        leg = revolve.turned(rng, 0.055, height * 1.02, 16)
    places = [(sx * x, sy * y) for sx in (-1, 1) for sy in (-1, 1)]
    return merged(*(shifted(leg, px, py, height / 2) for px, py in places))


def table_top(rng: np.random.Generator, radius: float, thickness: float) -> Shape:
    """A round or square top, upper face at z = 0."""
    if rng.random() < 0.5:
        top = revolve.cylinder(radius, thickness, 64, bevel=0.012)
    else:
        top = rounded_box((1.9 * radius, 1.9 * radius, thickness), 0.018)
    return shifted(top, 0.0, 0.0, -thickness / 2)


def chair(height: float, seat: float) -> Shape:
    """A plain wooden chair with a back of two rails and four slats."""
    posts = [
        _upright_box(sx * 0.19, sy * 0.19, 0.0, (0.04, 0.04, seat if sy > 0 else height))
        for sx in (-1, 1)
        for sy in (-1, 1)
    ]
    cushion = shifted(rounded_box((0.44, 0.44, 0.05), 0.015), 0.0, 0.0, seat)
    rails = [_upright_box(0.0, -0.19, z, (0.34, 0.025, 0.06)) for z in (height - 0.06, seat + 0.12)]
    slats = [
        _upright_box(x, -0.19, seat + 0.18, (0.035, 0.015, height - seat - 0.24))
        for x in (-0.12, -0.04, 0.04, 0.12)
    ]
    return merged(*posts, cushion, *rails, *slats)


def bookcase(width: float, height: float, depth: float, shelves: int) -> Shape:
    """Sides, back and `shelves` boards."""
    board = 0.025
    sides = [
        _upright_box(sx * (width - board) / 2, 0.0, 0.0, (board, depth, height)) for sx in (-1, 1)
    ]
    back = _upright_box(0.0, -depth / 2 + 0.01, 0.02, (width - 2 * board, 0.02, height - 0.04))
    boards = [
        _upright_box(0.0, 0.01, z, (width - 2 * board, depth - 0.02, board))
        for z in shelf_levels(height, shelves)
    ]
    return merged(*sides, back, *boards)


def shelf_levels(height: float, shelves: int) -> list[float]:
    """Undersides of the boards of a bookcase."""
    return [0.06 + i * (height - 0.1) / (shelves - 1) for i in range(shelves)]


def cabinet(width: float, height: float, depth: float) -> Shape:
    """A sideboard on feet with raised doors and knobs."""
    body = shifted(rounded_box((width, depth, height - 0.1), 0.012), 0.0, 0.0, 0.05 + height / 2)
    doors = max(int(width / 0.45), 1)
    pitch = width / doors
    parts = [body]
    for i in range(doors):
        x = (i + 0.5) * pitch - width / 2
        door = rounded_box((pitch - 0.03, 0.03, height - 0.16), 0.01)
        knob = revolve.sphere(0.018, 10)
        parts.append(shifted(door, x, depth / 2, 0.05 + height / 2))
        parts.append(shifted(knob, x + 0.36 * pitch, depth / 2 + 0.03, 0.1 + height / 2))
    feet = [
        _upright_box(sx * (width / 2 - 0.06), sy * (depth / 2 - 0.06), 0.0, (0.05, 0.05, 0.12))
        for sx in (-1, 1)
        for sy in (-1, 1)
    ]
    return merged(*parts, *feet)


def sofa(width: float) -> Shape:
    """Seat, cushions, arms and back of soft boxes."""
    base = shifted(rounded_box((width, 0.85, 0.3), 0.06), 0.0, 0.0, 0.22)
    back = shifted(rounded_box((width, 0.24, 0.62), 0.09), 0.0, -0.32, 0.52)
    arms = [
        shifted(rounded_box((0.22, 0.85, 0.5), 0.09), s * width / 2, 0.0, 0.33) for s in (-1, 1)
    ]
    third = (width - 0.24) / 3
    cushions = [
        shifted(rounded_box((third - 0.01, 0.6, 0.17), 0.06), (i - 1) * third, 0.1, 0.43)
        for i in range(3)
    ]
    return merged(base, back, *arms, *cushions)


def floor_lamp(height: float) -> Shape:
    """A foot, a rod and a shade."""
    profile = [(0.0, 0.0), (0.15, 0.0), (0.15, 0.02), (0.015, 0.05), (0.015, height - 0.3)]
    shade = [(0.2, height - 0.3), (0.13, height), (0.0, height)]
    return revolve.revolve(np.array(profile + shade), 24)


def bush(rng: np.random.Generator, radius: float) -> Shape:
    """A clump of leafy balls above a short stem."""
    stem = shifted(revolve.cylinder(0.03, 1.2 * radius, 10), 0.0, 0.0, 0.6 * radius)
    clumps = []
    for _ in range(7):
        x, y, z = rng.normal(0.0, 0.38 * radius, 3)
        clumps.append(
            shifted(solids.rock(rng, radius * rng.uniform(0.5, 0.75), 6), x, y, 1.4 * radius + z)
        )
    return merged(stem, *clumps)


def rack(width: float, depth: float, levels: tuple[float, ...], height: float) -> Shape:
    """Uprights, beams and diagonal feet of a pallet rack."""
    posts = [
        _upright_box(sx * width / 2, sy * (depth / 2 - 0.04), 0.0, (0.08, 0.08, height))
        for sx in (-1, 1)
        for sy in (-1, 1)
    ]
    beams = [
        _upright_box(0.0, sy * (depth / 2 - 0.04), z - 0.12, (width - 0.08, 0.05, 0.1))
        for z in levels
        for sy in (-1, 1)
    ]
    ties = [
        _upright_box(sx * width / 2, 0.0, z, (0.04, depth - 0.16, 0.04))
        for z in np.arange(0.3, height, 0.6)
        for sx in (-1, 1)
    ]
    return merged(*posts, *beams, *ties)


def pallet(width: float = 1.1, depth: float = 0.8) -> Shape:
    """Top boards on three runners, 0.12 m high."""
    boards = [
        _upright_box((i - 3) * width / 7, 0.0, 0.1, (width / 7 - 0.03, depth, 0.02))
        for i in range(7)
    ]
    runners = [
        _upright_box(0.0, sy * (depth / 2 - 0.06), 0.0, (width - 0.02, 0.1, 0.099))
        for sy in (-1, 0, 1)
    ]
    return merged(*boards, *runners)


def drum(radius: float, height: float) -> Shape:
    """A steel drum with two hoops and sunken lid, standing on z = 0."""
    r = radius
    wall = [(0, 0.015), (0.93 * r, 0.015), (0.95 * r, 0), (r, 0.01)]
    for level in (1 / 3, 2 / 3):
        z = level * height
        wall += [(r, z - 0.03), (1.05 * r, z - 0.012), (1.05 * r, z + 0.012), (r, z + 0.03)]
    wall += [
        (r, height - 0.01),
        (0.95 * r, height),
        (0.93 * r, height - 0.015),
        (0, height - 0.015),
    ]
    shape = revolve.revolve(np.array(wall, float), 32)
    return shifted(shape, 0.0, 0.0, -shape.bottom)


def traffic_cone(height: float) -> Shape:
    """A square foot and a blunt cone."""
    foot = _upright_box(0.0, 0.0, 0.0, (0.7 * height, 0.7 * height, 0.04 * height))
    body = revolve.frustum(0.26 * height, 0.05 * height, 0.97 * height, 24)
    return merged(foot, shifted(body, 0.0, 0.0, 0.03 * height - body.bottom))


def pillar(width: float, height: float) -> Shape:
    """A square pillar with plinth and capital."""
    shaft = _upright_box(0.0, 0.0, 0.0, (width, width, height))
    plinth = _upright_box(0.0, 0.0, -0.01, (1.3 * width, 1.3 * width, 0.26))
    capital = _upright_box(0.0, 0.0, height - 0.2, (1.3 * width, 1.3 * width, 0.21))
    return merged(shaft, plinth, capital)


def door(width: float, height: float) -> Shape:
    """A leaf with four raised panels and a handle, in a frame; its back at y = 0."""
    leaf = slab((-width / 2, -0.02, 0.0), (width / 2, 0.04, height))
    frame = [
        slab(
            (s * (width / 2 + 0.05) - 0.06, -0.02, 0.0),
            (s * (width / 2 + 0.05) + 0.06, 0.08, height),
        )
        for s in (-1, 1)
    ]
    lintel = slab((-width / 2 - 0.11, -0.02, height), (width / 2 + 0.11, 0.09, height + 0.12))
    panels = [
        shifted(
            rounded_box((0.36 * width, 0.03, 0.38 * height), 0.012),
            s * 0.22 * width,
            0.04,
            z * height,
        )
        for s in (-1, 1)
        for z in (0.27, 0.72)
    ]
    handle = shifted(revolve.sphere(0.03, 12), 0.42 * width, 0.07, 0.48 * height)
    return merged(leaf, *frame, lintel, *panels, handle)


def cart(length: float, width: float) -> Shape:
    """A low vehicle: chassis, mast, bumper stripes, four wheels; centred on its own middle."""
    chassis = shifted(rounded_box((length, width, 0.22), 0.03), 0.0, 0.0, 0.2)
    mast = shifted(rounded_box((0.16, width * 0.8, 0.8), 0.03), -0.38 * length, 0.0, 0.68)
    load = shifted(rounded_box((0.62 * length, 0.85 * width, 0.45), 0.02), 0.12 * length, 0.0, 0.54)
    wheel = revolve.cylinder(0.1, 0.06, 20)
    turned = assemble(wheel.points[:, [1, 2, 0]], wheel.triangles)
    wheels = [
        shifted(turned, sx * 0.36 * length, sy * width / 2, 0.1) for sx in (-1, 1) for sy in (-1, 1)
    ]
    return merged(chassis, mast, load, *wheels)

"""The shell of a room: floor, walls and ceilings with openings, frames in the openings.

Everything is made of closed slabs in world coordinates, so that the texture runs on from slab to
slab.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from datagen.scenes.layouts.plan import Plan, PlanTexture
from datagen.scenes.shapes.mesh import Shape, merged
from datagen.scenes.shapes.solids import slab

Span = tuple[float, float]
THICKNESS = 0.15


@dataclass(frozen=True, slots=True)
class Opening:
    """A rectangular hole: along the surface's first and second direction."""

    along: Span
    up: Span


Windows = Mapping[tuple[int, int], Sequence[Opening]]
"""Openings of the walls, per (axis, sign)."""


def floor(plan: Plan, texture: PlanTexture, x: Span, y: Span, top: float = 0.0) -> None:
    """A slab whose upper face is at `top`."""
    plan.fix(slab((x[0], y[0], top - THICKNESS), (x[1], y[1], top)), texture)


def ceiling(
    plan: Plan,
    texture: PlanTexture,
    x: Span,
    y: Span,
    bottom: float,
    openings: Sequence[Opening] = (),
) -> None:
    """A slab above `bottom`, with skylights (`along` is x, `up` is y)."""
    parts = [
        slab((a[0], b[0], bottom), (a[1], b[1], bottom + THICKNESS))
        for a, b in _around(x, y, openings)
    ]
    plan.fix(merged(*parts), texture)


def wall(
    plan: Plan,
    texture: PlanTexture,
    *,
    axis: int,
    at: float,
    along: Span,
    up: Span,
    openings: Sequence[Opening] = (),
) -> None:
    """A wall across `axis` (0 = x, 1 = y) whose inner face is at `at` and that grows outwards."""
    depth = (at, at + THICKNESS) if at > 0 else (at - THICKNESS, at)
    parts = [_upright(axis, depth, a, b) for a, b in _around(along, up, openings)]
    plan.fix(merged(*parts), texture)


def window_frames(
    plan: Plan, texture: PlanTexture, *, axis: int, at: float, openings: Sequence[Opening]
) -> None:
    """Frame and glazing bars in the openings of a wall; they cast the shadows of a real window."""
    middle = at + (THICKNESS / 2 if at > 0 else -THICKNESS / 2)
    depth = (middle - 0.03, middle + 0.03)
    bars = [
        _upright(axis, depth, a, b)
        for opening in openings
        for a, b in _bars(opening.along, opening.up)
    ]
    plan.fix(merged(*bars), texture)


def skylight_bars(
    plan: Plan, texture: PlanTexture, bottom: float, openings: Sequence[Opening]
) -> None:
    """Glazing bars in the openings of a ceiling."""
    bars = [
        slab((a[0], b[0], bottom + 0.03), (a[1], b[1], bottom + 0.09))
        for opening in openings
        for a, b in _bars(opening.along, opening.up)
    ]
    plan.fix(merged(*bars), texture)


def box_room(
    plan: Plan,
    texture: PlanTexture,
    frame: PlanTexture,
    *,
    x: float,
    y: float,
    up: Span,
    windows: Windows,
) -> None:
    """Four walls at +-x, +-y with windows, given per (axis, sign)."""
    for axis, half, other in ((0, x, y + THICKNESS), (1, y, x)):
        for sign in (-1, 1):
            openings = windows.get((axis, sign), ())
            at = sign * half
            span = (-other, other)
            wall(plan, texture, axis=axis, at=at, along=span, up=up, openings=openings)
            if openings:
                window_frames(plan, frame, axis=axis, at=at, openings=openings)


def _upright(axis: int, depth: Span, along: Span, up: Span) -> Shape:
    if axis == 0:
        return slab((depth[0], along[0], up[0]), (depth[1], along[1], up[1]))
    return slab((along[0], depth[0], up[0]), (along[1], depth[1], up[1]))


def _around(along: Span, up: Span, openings: Sequence[Opening]) -> Iterator[tuple[Span, Span]]:
    """The rectangles that leave the openings free; openings must not overlap in `along`."""
    at = along[0]
    for opening in sorted(openings, key=lambda o: o.along):
        low, high = opening.along
        yield (at, low), up
        yield (low, high), (up[0], opening.up[0])
        yield (low, high), (opening.up[1], up[1])
        at = high
    yield (at, along[1]), up


def _bars(along: Span, up: Span, width: float = 0.05) -> Iterator[tuple[Span, Span]]:
    """Two jambs and a mullion, and two cross bars between them."""
    middle = (along[0] + along[1]) / 2
    height = up[1] - up[0]
    for left in (along[0], middle - width / 2, along[1] - width):
        yield (left, left + width), up
    for low in (up[0] + height / 3, up[0] + 2 * height / 3):
        yield (along[0] + width, middle - width / 2), (low - width / 2, low + width / 2)
        yield (middle + width / 2, along[1] - width), (low - width / 2, low + width / 2)

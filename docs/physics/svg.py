"""Plain line plots as SVG: lines for theory, dots for what was measured. No library needed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

WIDTH, HEIGHT = 560, 340
LEFT, RIGHT, TOP, BOTTOM = 64, 16, 34, 46
COLOURS = ("#1f6fb4", "#d1495b", "#2f8f4e", "#8a5fbf")
TICKS = 6


@dataclass
class Plot:
    """Axes with lines and dots; call `svg` last."""

    title: str
    x_label: str
    y_label: str
    x_range: tuple[float, float]
    y_range: tuple[float, float]
    legend: str = "top right"
    """Corner that is free of curves."""
    parts: list[str] = field(default_factory=list)
    names: list[str] = field(default_factory=list)

    def line(self, x: ArrayLike, y: ArrayLike, name: str, colour: int) -> None:
        """A thin line, for theory."""
        points = " ".join(f"{a:.1f},{b:.1f}" for a, b in self._pixels(x, y))
        self.parts.append(
            f'<polyline points="{points}" fill="none" stroke="{COLOURS[colour]}" stroke-width="1.5"/>'
        )
        self._name(name, colour)

    def dots(self, x: ArrayLike, y: ArrayLike, name: str, colour: int) -> None:
        """Circles, for measurements."""
        self.parts += [
            f'<circle cx="{a:.1f}" cy="{b:.1f}" r="3.2" fill="{COLOURS[colour]}"/>'
            for a, b in self._pixels(x, y)
        ]
        self._name(name, colour)

    def bars(self, x: ArrayLike, y: ArrayLike, name: str, colour: int, offset: int) -> None:
        """Narrow bars side by side."""
        floor = HEIGHT - BOTTOM
        self.parts += [
            f'<rect x="{a - 9 + 7 * offset:.1f}" y="{b:.1f}" width="6" '
            f'height="{max(floor - b, 0):.1f}" fill="{COLOURS[colour]}"/>'
            for a, b in self._pixels(x, y)
        ]
        self._name(name, colour)

    def svg(self) -> str:
        """The whole picture."""
        body = [*self._axes(), *self.parts, *self._legend()]
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
            f'width="{WIDTH}" height="{HEIGHT}" font-family="sans-serif" font-size="12">\n'
            f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>\n'
            + "\n".join(body)
            + "\n</svg>\n"
        )

    def _pixels(self, x: ArrayLike, y: ArrayLike) -> NDArray[np.float64]:
        across = _place(x, self.x_range, LEFT, WIDTH - RIGHT)
        down = _place(y, self.y_range, HEIGHT - BOTTOM, TOP)
        return np.stack([across, down], axis=1)

    def _name(self, name: str, colour: int) -> None:
        if name:
            self.names.append(f'<tspan fill="{COLOURS[colour]}">{name}</tspan>')

    def _axes(self) -> Sequence[str]:
        out = [_text(WIDTH / 2, 18, self.title, weight="bold")]
        for value in np.linspace(*self.x_range, TICKS):
            x = float(_place(value, self.x_range, LEFT, WIDTH - RIGHT))
            out.append(_line(x, TOP, x, HEIGHT - BOTTOM))
            out.append(_text(x, HEIGHT - BOTTOM + 16, f"{value:.3g}"))
        for value in np.linspace(*self.y_range, TICKS):
            y = float(_place(value, self.y_range, HEIGHT - BOTTOM, TOP))
            out.append(_line(LEFT, y, WIDTH - RIGHT, y))
            out.append(_text(LEFT - 6, y + 4, f"{value:.3g}", anchor="end"))
        out.append(_text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 10, self.x_label))
        turn = f' transform="rotate(-90 14 {HEIGHT / 2})"'
        out.append(_text(14, HEIGHT / 2, self.y_label, extra=turn))
        return out

    def _legend(self) -> Sequence[str]:
        right = self.legend.endswith("right")
        x, anchor = (WIDTH - RIGHT - 10, "end") if right else (LEFT + 10, "start")
        below = HEIGHT - BOTTOM - 16 * len(self.names) - 20
        y = TOP + 4 if self.legend.startswith("top") else below
        return [_text(x, y + 16 * (k + 1), name, anchor) for k, name in enumerate(self.names)]


def _place(
    value: ArrayLike, span: tuple[float, float], start: float, stop: float
) -> NDArray[np.float64]:
    part = (np.asarray(value, float) - span[0]) / (span[1] - span[0])
    return start + part * (stop - start)


def _line(x0: float, y0: float, x1: float, y1: float) -> str:
    return f'<line x1="{x0:.1f}" y1="{y0:.1f}" x2="{x1:.1f}" y2="{y1:.1f}" stroke="#ddd"/>'


def _text(
    x: float,
    y: float,
    text: str,
    anchor: str = "middle",
    *,
    weight: str = "normal",
    extra: str = "",
) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-weight="{weight}"{extra}>{text}</text>'

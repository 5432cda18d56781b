"""What an evaluation found: as numbers, JSON, and tables for people."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

from datagen.training.measure import MEAN, NETWORK, ORACLE, ZERO, MaskedErrors, Measured
from datagen.training.metrics import DENSITY_EDGES, SPEED_EDGES
from datagen.training.protocols import Protocol

HEADER = ("method", "EPE [px]", "mean of frames", "> 1 px", "> 2 px", "> 3 px", "outliers", "AE [deg]",
          "dense EPE", "EPE at events")  # fmt: skip


def _ranges(
    what: str, edges: tuple[float, ...], *, scale: float = 1.0, unit: str = ""
) -> list[str]:
    """Labels of bins that begin at these edges."""
    at = [f"{edge * scale:g}" for edge in edges]
    inner = [f"{what} {low}-{high}{unit}" for low, high in itertools.pairwise(at)]
    return [*inner, f"{what} >= {at[-1]}{unit}"]


BY_BIN = ("EPE [px] where", *_ranges("flow", SPEED_EDGES),
          *_ranges("active", DENSITY_EDGES, scale=100.0, unit="%"))  # fmt: skip
"""By length of the true flow [px]; by the frame's share of pixels with an event. Bins do not overlap."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationReport:
    """Errors on a split, with everything needed to compare them."""

    source: str
    """What was judged."""
    split: str
    windows: str
    """Which windows, in words."""
    protocol: Protocol
    segments: dict[str, Measured]
    """By name of segment."""

    @property
    def pooled(self) -> Measured:
        """Over all segments together."""
        return sum(self.segments.values(), start=Measured())

    def epe(self, errors: MaskedErrors) -> float | None:
        """The protocol's headline number [px]."""
        own = errors.protocol
        return own.mean_frame_epe() if self.protocol.by_frames else own.mean_epe()

    def headline(self) -> dict[str, Any]:
        """The few numbers that must be quoted together [px]."""
        epe = {method: self.epe(errors) for method, errors in self.pooled.errors.items()}
        return {
            "epe": epe[NETWORK],
            "epe_zero_flow": epe[ZERO],
            "epe_mean_flow": epe.get(MEAN),
            "epe_oracle_translation": epe[ORACLE],
            "epe_protocol": f"{self.protocol.name}: {self.windows}; {self.protocol.describe()}",
        }

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain data."""
        return {
            **self.headline(),
            "source": self.source,
            "split": self.split,
            "all": _plain(self.pooled),
            "segments": {name: _plain(found) for name, found in self.segments.items()},
        }

    def to_markdown(self) -> str:
        """Tables for people, all EPE in px."""
        lines = [
            f"# Flow on the {self.split} split",
            "",
            f"{self.source}. {self.headline()['epe_protocol']}.",
        ]
        pooled = {"all segments": self.pooled} if len(self.segments) > 1 else {}
        for name, found in {**pooled, **self.segments}.items():
            gains = ", ".join(f"{m} {gain:.2f}" for m, gain in _warp_gains(found).items())
            lines += ["", f"## {name}", ""]
            lines += [
                f"{_density(found):.2f} events per pixel and window. FWL: {gains or '-'}.",
                "",
            ]
            lines += [*self._table(found), "", *_table_by_bin(found)]
        return "\n".join(lines) + "\n"

    def _table(self, found: Measured) -> list[str]:
        rows = []
        for method, masked in found.errors.items():
            own = masked.protocol.summary()
            rows.append((
                method, _number(self.epe(masked)), _number(own["epe_frame_mean"]),
                *(_percent(own[f"above_{n}px"]) for n in (1, 2, 3)),
                _percent(own["kitti_outliers"]), _number(own["angular_error_deg"]),
                _number(masked.dense.mean_epe()), _number(masked.events.mean_epe()),
            ))  # fmt: skip
        return _markdown(HEADER, rows)


def _table_by_bin(found: Measured) -> list[str]:
    rows = []
    for method, masked in found.errors.items():
        own = masked.protocol.summary()
        rows.append((method, *(_number(e) for e in (*own["epe_by_speed"], *own["epe_by_density"]))))
    return _markdown(BY_BIN, rows)


def _markdown(header: tuple[str, ...], rows: list[tuple[str, ...]]) -> list[str]:
    """A table whose columns are as wide as they need to be."""
    table = [header, *rows]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |"
        for row in table
    ]
    return [lines[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|", *lines[1:]]


def _plain(found: Measured) -> dict[str, Any]:
    return {
        "events_per_pixel_and_window": _density(found),
        "flow_warp_loss": _warp_gains(found),
        "methods": {
            method: {
                "protocol": masked.protocol.summary(),
                "dense": masked.dense.summary(),
                "events": masked.events.summary(),
            }
            for method, masked in found.errors.items()
        },
    }


def _density(found: Measured) -> float:
    return found.events / max(found.pixels, 1)


def _warp_gains(found: Measured) -> dict[str, float]:
    return {method: gain / found.warped for method, gain in found.warp.items()}


def _number(value: Any) -> str:
    return "-" if value is None else f"{value:.3f}"


def _percent(value: Any) -> str:
    return "-" if value is None else f"{100 * value:.1f} %"

"""What an evaluation found: as numbers, JSON, and tables for people."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from datagen.training.measure import MEAN, NETWORK, ORACLE, ZERO, Errors

HEADER = ("method", "EPE", "EPE, mean of frames", "> 1 px", "> 3 px", "outliers", "EPE at events",
          "EPE at 0-1 px", "1-4 px", "4-10 px", "> 10 px")  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationReport:
    """Errors of a checkpoint on a split, with everything needed to compare them."""

    protocol: str
    checkpoint: str
    step: int
    """Optimiser steps behind the checkpoint."""
    split: str
    events_per_pixel: float
    """Mean events per pixel and window."""
    segments: dict[str, Errors]
    """By name of segment."""
    errors: Errors
    """Over all segments, pooled."""

    def headline(self) -> dict[str, Any]:
        """The few numbers that must be quoted together [px]."""
        epe = {method: errors.dense.mean_epe() for method, errors in self.errors.items()}
        return {
            "epe": epe[NETWORK],
            "epe_zero_flow": epe[ZERO],
            "epe_mean_flow": epe[MEAN],
            "epe_oracle_translation": epe[ORACLE],
            "epe_protocol": self.protocol,
        }

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain data."""
        return {
            **self.headline(),
            "checkpoint": self.checkpoint,
            "step": self.step,
            "split": self.split,
            "events_per_pixel_and_window": self.events_per_pixel,
            "all": _plain(self.errors),
            "segments": {name: _plain(errors) for name, errors in self.segments.items()},
        }

    def to_markdown(self) -> str:
        """Tables for people, all EPE in px."""
        lines = [
            f"# Flow on the {self.split} split",
            "",
            f"Protocol: {self.protocol}. {self.events_per_pixel:.2f} events per pixel and window. "
            f"Checkpoint `{self.checkpoint}`, {self.step} steps.",
        ]
        for name, errors in {"all segments": self.errors, **self.segments}.items():
            lines += ["", f"## {name}", "", *_table(errors)]
        return "\n".join(lines) + "\n"


def _plain(errors: Errors) -> dict[str, Any]:
    return {
        method: {"dense": masked.dense.summary(), "events": masked.events.summary()}
        for method, masked in errors.items()
    }


def _table(errors: Errors) -> list[str]:
    rows = [" | ".join(HEADER), " | ".join("---" for _ in HEADER)]
    for method, masked in errors.items():
        dense: dict[str, Any] = masked.dense.summary()
        cells = [
            method, _number(dense["epe"]), _number(dense["epe_frame_mean"]),
            _percent(dense["above_1px"]), _percent(dense["above_3px"]),
            _percent(dense["kitti_outliers"]), _number(masked.events.summary()["epe"]),
            *(_number(value) for value in dense["epe_by_speed"]),
        ]  # fmt: skip
        rows.append(" | ".join(cells))
    return [f"| {row} |" for row in rows]


def _number(value: Any) -> str:
    return "-" if value is None else f"{value:.3f}"


def _percent(value: Any) -> str:
    return "-" if value is None else f"{100 * value:.1f} %"

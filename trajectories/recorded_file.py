"""Recorded trajectories as text: TUM (`t tx ty tz qx qy qz qw`, seconds) and EuRoC (CSV,
`t_ns, px, py, pz, qw, qx, qy, qz, ...`, nanoseconds). `#` starts a comment line.

Formats: the TUM RGB-D benchmark's file format page; M. Burri et al., The EuRoC micro aerial vehicle
datasets, IJRR 2016. Time stamps are read as decimals: a float64 of seconds since 1970 resolves
only a quarter of a microsecond.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from itertools import pairwise
from pathlib import Path
from typing import Literal

import numpy as np

from trajectories.jet import Floats

LEAST_POSES = 4
"""A cubic spline needs as many to have a third derivative of its own."""

Format = Literal["tum", "euroc"]
_LAYOUT: dict[Format, str] = {
    "tum": "t tx ty tz qx qy qz qw, separated by spaces",
    "euroc": "t_ns, px, py, pz, qw, qx, qy, qz, separated by commas",
}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Recording:
    """Poses as they are in the file."""

    t: Floats
    """Times since the first pose [s], strictly increasing, shape (N,)."""
    position: Floats
    """[m], shape (N, 3)."""
    quaternion_xyzw: Floats
    """Unit quaternions, shape (N, 4)."""


def read_recording(path: Path, format: Format) -> Recording:
    """Read a recorded trajectory.

    Raises:
        ValueError: the file is missing, has fewer than four poses, or a line is malformed, out of
            order or without a rotation; names the file and the line.
    """
    rows = list(_rows(path, format))
    if len(rows) < LEAST_POSES:
        raise ValueError(
            f"{path}: holds {len(rows)} poses; expected at least {LEAST_POSES} lines of {_LAYOUT[format]}"
        )
    values = np.array([row.values for row in rows])
    quaternions = values[:, 3:] / np.linalg.norm(values[:, 3:], axis=1, keepdims=True)
    return Recording(t=_elapsed(path, rows), position=values[:, :3], quaternion_xyzw=quaternions)


@dataclass(frozen=True, slots=True)
class _Row:
    line: int
    stamp: Decimal
    """[s]."""
    values: list[float]
    """px py pz qx qy qz qw."""


def _rows(path: Path, format: Format) -> Iterator[_Row]:
    if not path.is_file():
        raise ValueError(f"{path}: no such file; expected a recorded trajectory ({format})")
    text = path.read_text(encoding="utf-8-sig", errors="replace")  # editors may put a mark first
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip() and not line.lstrip().startswith("#"):
            yield _row(path, number, line, format)


def _row(path: Path, number: int, line: str, format: Format) -> _Row:
    row = _parse(number, line, format)
    if row is None:
        raise ValueError(
            f"{path}:{number}: {line.strip()[:80]!r} is not a pose; expected {_LAYOUT[format]}"
        )
    if math.hypot(*row.values[3:]) < 1e-6:
        raise ValueError(
            f"{path}:{number}: the quaternion has zero length; expected a rotation. Remove the line."
        )
    return row


def _parse(number: int, line: str, format: Format) -> _Row | None:
    """The numbers of a line in one order; None when they are not what the format has."""
    fields = line.split() if format == "tum" else line.split(",")
    if len(fields) < 8 or (format == "tum" and len(fields) > 8):
        return None
    try:
        stamp = Decimal(fields[0].strip())
        values = [float(field) for field in fields[1:8]]
    except (InvalidOperation, ValueError):
        return None
    if not (stamp.is_finite() and all(map(math.isfinite, values))):
        return None
    if format == "euroc":
        px, py, pz, qw, qx, qy, qz = values
        return _Row(number, stamp.scaleb(-9), [px, py, pz, qx, qy, qz, qw])
    return _Row(number, stamp, values)


def _elapsed(path: Path, rows: list[_Row]) -> Floats:
    for before, row in pairwise(rows):
        if row.stamp <= before.stamp:
            raise ValueError(
                f"{path}:{row.line}: time {row.stamp} s is not after {before.stamp} s of line "
                f"{before.line}; expected strictly increasing times. Sort the file and drop repeats."
            )
    return np.array([float(row.stamp - rows[0].stamp) for row in rows])

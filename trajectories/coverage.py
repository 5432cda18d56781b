"""The check that a path of finite length covers the times that are asked for."""

from __future__ import annotations

import numpy as np

from trajectories.jet import Floats

SLACK = 1e-6
"""Times this little outside [s], the resolution of the clock, are taken for rounding."""


def require_coverage(t: Floats, first: float, last: float, what: str) -> None:
    """Refuse times outside of what a path covers.

    Args:
        t: times [s], shape (N,).
        first: start of what is covered [s].
        last: end of what is covered [s].
        what: subject and verb of the error message.

    Raises:
        ValueError: a time lies outside.
    """
    outside = np.flatnonzero((t < first - SLACK) | (t > last + SLACK))
    if len(outside):
        raise ValueError(
            f"{what} t = {first:.6g} to {last:.6g} s ({last - first:.6g} s) of the segment; "
            f"t = {t[outside[0]]:.6g} s is asked for. Extend the path or shorten the segment."
        )

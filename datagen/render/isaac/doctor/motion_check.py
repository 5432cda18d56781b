"""Check 5: the convention of motion vectors, for both strategies and several sub-frames.

Flow in datasets never comes from motion vectors, so this is for information: where those of a job's
own passes (its strategy, one sub-frame) are the documented ones, jobs audit them; elsewhere not.
Replicator's step renders an instant several times in some versions, and then they are all zero.
"""

from __future__ import annotations

from typing import Any

from datagen.render.isaac.doctor.bench import Bench, run
from datagen.render.isaac.doctor.finding import Finding
from datagen.render.isaac.doctor.motion import DOCUMENTED, Identified, fill_value, identify
from datagen.render.isaac.host import IsaacSimRenderer
from datagen.render.isaac.profile_file import DEFAULT_STRATEGY, Strategy

MOTION = 5
"""Number of this check."""
CASES: tuple[tuple[Strategy, int], ...] = (
    ("T", 1),
    ("P", 1),
    ("T", 2),
    ("P", 2),
    ("T", 4),
    ("P", 4),
)
ERROR = 0.1
"""Median distance that identifies a convention [px]."""
MARGIN = 0.3
"""By which the next best must be worse [px]."""


def check_motion(bench: Bench, renderer: IsaacSimRenderer) -> Finding:
    """Run all cases, and say whether jobs can audit theirs (figure `audited`)."""
    figures: dict[str, Any] = {}
    for strategy, sub_frames in CASES:
        vectors = run(renderer, bench.views, ("motion",), strategy=strategy, sub_frames=sub_frames)
        found = identify(bench, vectors["motion"])
        figures[f"{strategy}{sub_frames}"] = _plain(found) | {"fill": fill_value(vectors["motion"])}
    used = f"{bench.spec.strategy or DEFAULT_STRATEGY}1"
    judged = figures[used]
    figures["audited"] = bool(judged["trusted"])
    return Finding(
        number=MOTION, title="Motion vectors", passed=True,
        text=(
            f"{used}: {_words(judged)} (documented: previous, +x, +y, pixel), so jobs "
            f"{'audit' if judged['trusted'] else 'do not audit'} them (for information); "
            + "; ".join(f"{case}: {_words(told)}" for case, told in figures.items() if case not in (used, "audited"))
            + _unset(judged["fill"])
        ),
        figures=figures,
    )  # fmt: skip


def _unset(fill: float | None) -> str:
    return "" if fill is None else f"; unset pixels hold {fill:g} (left out of every comparison)"


def _plain(found: Identified) -> dict[str, Any]:
    c = found.convention
    sure = found.error < ERROR and found.margin > MARGIN
    return {
        "direction": c.direction, "x": c.x, "y": c.y, "unit": c.unit,
        "error_px": found.error, "margin_px": found.margin, "first_frame": found.first_frame,
        "known": sure, "trusted": sure and c == DOCUMENTED,
    }  # fmt: skip


def _words(case: dict[str, Any]) -> str:
    if not case["known"]:
        return f"no convention fits ({case['error_px']:.2f} px from the nearest): not usable"
    signs = f"{'+' if case['x'] > 0 else '-'}x, {'+' if case['y'] > 0 else '-'}y"
    return f"{case['direction']}, {signs}, {case['unit']} (to {case['error_px']:.3f} px)"

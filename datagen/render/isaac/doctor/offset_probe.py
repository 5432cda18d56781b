"""Which sign an aperture offset has in this renderer. Nothing depends on it: pictures are cropped.

The camera gets the offset that USD's frustum needs for a principal point 10 px right of the middle;
depth then says where it went.
"""

from __future__ import annotations

import numpy as np

from datagen.render.embedded import EmbeddedRenderer
from datagen.render.isaac.doctor.bench import Bench, run
from datagen.scenes.shot import shift_camera
from schemas.camera import Intrinsics

VIEW = slice(5, 6)
SHIFT = 10.0
"""[px]."""
MEANINGS = {"usd": SHIFT, "opposite": -SHIFT, "ignored": 0.0}


def probe_offset(bench: Bench) -> str:
    """`usd`, `opposite`, `ignored`, or `unknown`."""
    renderer = bench.renderer()
    try:
        shift_camera(renderer.stage_file, SHIFT, bench.camera)
        depth = run(renderer, bench.views[VIEW], ("depth",))["depth"][0]
    finally:
        renderer.close()
    errors = {name: _error(bench, depth, shift) for name, shift in MEANINGS.items()}
    best = min(errors, key=errors.__getitem__)
    return best if errors[best] < 1e-3 else "unknown"


def _error(bench: Bench, depth: np.ndarray, shift: float) -> float:
    c = bench.camera
    moved = Intrinsics(c.width, c.height, c.fx, c.fy, c.cx + shift, c.cy)
    true = EmbeddedRenderer(bench.scene, moved, samples=1).labels(bench.views[VIEW]).depth[0]
    with np.errstate(invalid="ignore"):
        return float(np.nanmean(np.abs(depth - true)))

"""What this renderer makes of an aperture offset and of an OpenCV lens.

Nothing depends on either: pictures have square pixels and are cropped from centred ones. The camera
is changed in a stage of its own, and depth tells by which camera it was drawn.
"""

from __future__ import annotations

from contextlib import closing

import numpy as np
from numpy.typing import NDArray

from datagen.render.embedded import EmbeddedRenderer
from datagen.render.isaac.doctor.bench import Bench, run
from datagen.scenes.shot import give_opencv_lens, shift_camera
from schemas.camera import Intrinsics

VIEW = slice(5, 6)
SHIFT = 10.0
"""Of the principal point [px]."""
STRETCH = 1.05
"""Of the vertical focal length."""
NEAR = 1e-3
"""Mean error of depth by the right camera [m]."""


def probe_offset(bench: Bench) -> str:
    """Whether an offset moves the picture as USD says: `usd`, `opposite`, `ignored`, or `unknown`.

    The camera gets the offset that USD's frustum needs for a principal point 10 px right of the
    middle.
    """
    with closing(bench.renderer()) as renderer:
        shift_camera(renderer.stage_file, SHIFT, bench.camera)
        depth = run(renderer, bench.views[VIEW], ("depth",))["depth"][0]
    meanings = {"usd": SHIFT, "opposite": -SHIFT, "ignored": 0.0}
    return _nearest(bench, depth, {name: _moved(bench, by) for name, by in meanings.items()})


def probe_lens(bench: Bench) -> str:
    """Whether an OpenCV pinhole lens draws as told: `opencv`, `ignored`, or `unknown`.

    The lens has unequal focal lengths and a principal point 10 px right of the middle.
    """
    shifted = _moved(bench, SHIFT)
    lens = Intrinsics(
        shifted.width, shifted.height, shifted.fx, STRETCH * shifted.fy, shifted.cx, shifted.cy
    )
    with closing(bench.renderer()) as renderer:
        give_opencv_lens(renderer.stage_file, lens)
        depth = run(renderer, bench.views[VIEW], ("depth",))["depth"][0]
    return _nearest(bench, depth, {"opencv": lens, "ignored": bench.camera})


def _moved(bench: Bench, columns: float) -> Intrinsics:
    c = bench.camera
    return Intrinsics(c.width, c.height, c.fx, c.fy, c.cx + columns, c.cy)


def _nearest(bench: Bench, depth: NDArray[np.float32], cameras: dict[str, Intrinsics]) -> str:
    errors = {name: _error(bench, depth, camera) for name, camera in cameras.items()}
    best = min(errors, key=errors.__getitem__)
    return best if errors[best] < NEAR else "unknown"


def _error(bench: Bench, depth: NDArray[np.float32], camera: Intrinsics) -> float:
    true = EmbeddedRenderer(bench.scene, camera, samples=1).labels(bench.views[VIEW]).depth[0]
    with np.errstate(invalid="ignore"):
        return float(np.nanmean(np.abs(depth - true)))

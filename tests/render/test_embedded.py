"""The embedded renderer keeps the renderers' promises."""

from __future__ import annotations

import numpy as np
from contract.renderer_contract import RendererContract
from contract.scenes import CAMERA, busy_scene, busy_views

from datagen.render.embedded import EmbeddedRenderer
from schemas.render import EmbeddedRendererSpec


class TestEmbeddedRenderer(RendererContract):
    spec = EmbeddedRendererSpec(samples=4)


def test_sub_pixels_average_to_the_picture() -> None:
    """Show the same scene at every oversampling."""
    seen = busy_scene()
    renderer = EmbeddedRenderer(seen, CAMERA, samples=64)
    views = busy_views(seen)[:1]
    coarse, fine = renderer.radiance(views)[0], renderer.radiance(views, oversample=2)[0]
    mean = fine.reshape(32, 2, 40, 2, 3).mean(axis=(1, 3))
    assert np.abs(mean - coarse).mean() < 0.03 * coarse.mean()

"""Isaac Sim over the fake Kit keeps the renderers' promises, and agrees with the embedded one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from contract.scenes import CAMERA, busy_scene, busy_views
from isaac.isaac_kit import open_fake

from datagen.render.embedded import EmbeddedRenderer


def test_same_labels_and_pictures_as_embedded(tmp_path: Path) -> None:
    """Agree with the renderer inside the fake: the exchange changes nothing but half floats."""
    seen = busy_scene()
    views = busy_views(seen)
    theirs, ours = open_fake(seen, CAMERA, tmp_path), EmbeddedRenderer(seen, CAMERA, samples=4)
    expected, labels = ours.labels(views), theirs.labels(views)
    np.testing.assert_allclose(labels.depth, expected.depth, rtol=0, atol=1e-4)
    np.testing.assert_array_equal(labels.instance, expected.instance)
    for oversample in (1, 2):
        light = ours.radiance(views, oversample=oversample)
        np.testing.assert_allclose(
            theirs.radiance(views, oversample=oversample), light, rtol=1e-3, atol=1e-6
        )
    theirs.close()

"""No fault of the renderer passes silently: each is caught by the guard that the table names.

Faults that show only over many frames, or against a known scene, are the doctor's: see
`test_isaac_doctor`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from contract.scenes import CAMERA, busy_scene, looking, views_of
from isaac.isaac_kit import open_fake

from datagen.render.isaac.errors import GuardTrippedError

CAUGHT: list[tuple[str, dict[str, Any]]] = [
    ("motion", {"convention": {"x": -1, "y": -1}}),
    ("motion", {"convention": {"unit": "ndc"}}),
    ("pose", {"lag": 1}),
    ("motion", {"zero_motion": True}),
    ("projection", {"wrong_aperture": True}),
    ("depth", {"depth_fill": -1.0}),
    ("shape", {"empty_buffers": True}),
    ("change", {"stuck_buffers": True}),
    ("shape", {"flat_buffers": True}),
    ("light", {"black": True}),
]
POSES = [looking((2.0 + 0.3 * k, -2.0 + 0.2 * k, 1.5), (0.0, 0.4 * k, 0.9)) for k in range(3)]
"""Every pixel moves, and the sky is seen."""
EVERYTHING = ("depth", "instance", "radiance", "motion")


@pytest.mark.parametrize(("guard", "faults"), CAUGHT, ids=[str(f) for _, f in CAUGHT])
def test_guard_catches_fault(guard: str, faults: dict[str, Any], tmp_path: Path) -> None:
    """End the job with an error that names the guard, and give out no wrong frame."""
    seen = busy_scene()
    renderer = open_fake(seen, CAMERA, tmp_path, **faults)
    with pytest.raises(GuardTrippedError) as caught:
        list(renderer.stream(views_of(seen, *POSES, t_us=(0, 1, 2)), EVERYTHING))
    assert caught.value.guard == guard
    renderer.close()


@pytest.mark.parametrize("faults", [{}, {"changing_ids": True}, {"motion_fill": -1.0}], ids=str)
def test_harmless_behaviour_changes_no_label(faults: dict[str, Any], tmp_path: Path) -> None:
    """Give the right labels whatever the renderer's ids are and unset motion vectors hold."""
    seen = busy_scene()
    views = views_of(seen, *POSES, t_us=(0, 1, 2))
    renderer = open_fake(seen, CAMERA, tmp_path, **faults)
    (batch,) = renderer.stream(views, EVERYTHING)
    renderer.close()
    assert set(np.unique(batch.columns["instance"])) == {0, 1, 2, 3, 4}
    assert batch.columns["motion"].shape == (3, 32, 40, 2)

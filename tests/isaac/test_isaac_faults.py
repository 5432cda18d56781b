"""No fault of the renderer passes silently: each is caught by the guard that the table names.

Faults that show only over many frames, or against a known scene, are the doctor's: see
`test_isaac_doctor`; those of the process are the host's: see `test_isaac_process`.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from contract.scenes import CAMERA, busy_scene, looking, views_of
from isaac.fault_table import BY_GUARD, NAMED
from isaac.isaac_kit import SPEC, open_fake

from datagen.render.isaac.errors import GuardTrippedError
from datagen.render.isaac.profile_file import write_profile

POSES = [looking((2.0 + 0.3 * k, -2.0 + 0.2 * k, 1.5), (0.0, 0.4 * k, 0.9)) for k in range(3)]
"""Every pixel moves, and the sky is seen."""
EVERYTHING = ("depth", "instance", "radiance", "motion")


@pytest.mark.parametrize(("guard", "words", "faults"), BY_GUARD, ids=[str(g[2]) for g in BY_GUARD])
def test_guard_catches_fault(
    guard: str, words: str, faults: dict[str, Any], tmp_path: Path
) -> None:
    """End the job with an error that names the guard, and give out no wrong frame."""
    seen = busy_scene()
    renderer = open_fake(seen, CAMERA, tmp_path, **faults)
    with pytest.raises(GuardTrippedError) as caught:
        list(renderer.stream(views_of(seen, *POSES, t_us=(0, 1, 2)), EVERYTHING))
    assert caught.value.guard == guard
    assert re.search(words, str(caught.value))
    renderer.close()


def test_every_fault_has_a_catcher() -> None:
    """Leave no fault of the fake out of the table."""
    sources = (path.read_text() for path in Path(__file__).parent.glob("fake_kit/**/*.py"))
    spoken = {name for text in sources for name in re.findall(r'fault\(\s*"(\w+)"\s*\)', text)}
    spoken |= {"truncated", "wrong_digest"}
    assert spoken - {"convention_file"} == NAMED


def test_verified_motion_vectors_are_audited_in_every_job(tmp_path: Path) -> None:
    """Trip over vectors that stopped moving, where the doctor had found them right."""
    seen, profile = busy_scene(), tmp_path / "profile.json"
    views = views_of(seen, *POSES, t_us=(0, 1, 2))
    renderer = open_fake(seen, CAMERA, tmp_path, profile=profile, zero_motion=True)
    versions = renderer.ready["versions"]
    write_profile(profile, versions=versions, spec=SPEC, strategy="T", checks=[{"passed": False}])
    unaudited = renderer.labels(views)
    write_profile(profile, versions=versions, spec=SPEC, strategy="T", checks=[{"passed": True}])
    with pytest.raises(GuardTrippedError) as caught:
        renderer.labels(views)
    assert caught.value.guard == "motion"
    renderer.close()
    sound = open_fake(seen, CAMERA, tmp_path / "sound", profile=profile)
    assert sound.verified
    np.testing.assert_array_equal(sound.labels(views).depth, unaudited.depth)
    sound.close()


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

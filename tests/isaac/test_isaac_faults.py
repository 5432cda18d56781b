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
from isaac.fault_table import BY_GUARD, BY_SETUP, HARMLESS, NAMED
from isaac.isaac_kit import SPEC, open_fake

from datagen.render.isaac.errors import GuardTrippedError
from datagen.render.isaac.installation import NoIsaacSimError
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
    spoken |= {"truncated", "wrong_digest", "no_gpu"}
    assert spoken - {"convention_file"} == NAMED


def test_trusted_motion_vectors_are_audited_in_every_job(tmp_path: Path) -> None:
    """Trip over vectors that stopped moving, where the doctor had found them right."""
    seen, profile = busy_scene(), tmp_path / "profile.json"
    views = views_of(seen, *POSES, t_us=(0, 1, 2))
    renderer = open_fake(seen, CAMERA, tmp_path, profile=profile, zero_motion=True)
    told = {"versions": renderer.ready["versions"], "spec": SPEC, "strategy": "P"}
    write_profile(profile, **told, motion=False, checks=[{"passed": True}])
    unaudited = renderer.labels(views)
    assert renderer.verified
    write_profile(profile, **told, motion=True, checks=[{"passed": True}])
    with pytest.raises(GuardTrippedError) as caught:
        renderer.labels(views)
    assert caught.value.guard == "motion"
    renderer.close()
    sound = open_fake(seen, CAMERA, tmp_path / "sound", profile=profile)
    np.testing.assert_array_equal(sound.labels(views).depth, unaudited.depth)
    sound.close()


@pytest.mark.parametrize(("words", "faults"), BY_SETUP, ids=[str(s[1]) for s in BY_SETUP])
def test_what_cannot_work_is_said_at_once(
    words: str, faults: dict[str, Any], tmp_path: Path
) -> None:
    """Refuse an installation that can never render in its own words, without another start."""
    seen = busy_scene()
    renderer = open_fake(seen, CAMERA, tmp_path, **faults)
    with pytest.raises(NoIsaacSimError, match=words):
        renderer.labels(views_of(seen, *POSES, t_us=(0, 1, 2)))
    assert renderer.close() is None


@pytest.mark.parametrize("faults", HARMLESS, ids=str)
def test_harmless_behaviour_changes_no_label(faults: dict[str, Any], tmp_path: Path) -> None:
    """Give the right labels whatever ids, unset motion vectors and the first frames are like."""
    seen = busy_scene()
    views = views_of(seen, *POSES, t_us=(0, 1, 2))
    renderer = open_fake(seen, CAMERA, tmp_path, **faults)
    (batch,) = renderer.stream(views, EVERYTHING)
    renderer.close()
    assert set(np.unique(batch.columns["instance"])) == {0, 1, 2, 3, 4}
    assert batch.columns["motion"].shape == (3, 32, 40, 2)

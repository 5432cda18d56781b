"""The doctor over the fake: passes a clean one, names every fault that guards cannot see."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from contract.scenes import CAMERA, busy_scene, looking, views_of
from isaac.fault_table import BY_CHECK, BY_REPORT
from isaac.isaac_kit import LIMITS, SPEC, installation, open_fake

from datagen.render.embedded import EmbeddedRenderer
from datagen.render.isaac.doctor.bench import Bench, Size, run
from datagen.render.isaac.doctor.examine import Examination, examine
from datagen.render.isaac.doctor.machine_checks import check_versions
from datagen.render.isaac.doctor.motion import ALL, Convention, fill_value, identify, truth
from datagen.render.isaac.profile_file import verdict_on

SMALL = Size(width=80, height=60, static_frames=17, endurance_frames=6)


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Examination:
    return examine(
        installation(), SPEC, tmp_path_factory.mktemp("clean"), size=SMALL, limits=LIMITS
    )


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return Bench(installation(), SPEC, tmp_path_factory.mktemp("bench"), size=SMALL)


def test_clean_installation_passes(clean: Examination) -> None:
    """Pass every check, write report, pictures and profile."""
    assert clean.passed, clean.describe()
    assert {f.number for f in clean.findings} >= set(range(1, 12))
    names = {path.name for path in clean.report.parent.iterdir()}
    assert {"light.png", "depth.png", "instances.png", "motion.png"} <= names


@pytest.mark.parametrize(
    ("gpu", "fit"),
    [
        ("NVIDIA RTX A1000, 580.95.05", True),
        ("NVIDIA L40S, 580.95.05", True),
        ("NVIDIA A100-SXM4-80GB, 580.95.05", False),
        ("NVIDIA H200, 580.95.05", False),
    ],
)
def test_gpus_without_ray_cores_are_known_by_name(gpu: str, fit: bool) -> None:
    """Pass a graphics GPU whose name begins like that of one made for computing."""
    ready = {"versions": {"gpu": gpu}, "settings": {"/a": 1}}
    assert check_versions(ready, {"/a": 1}).passed is fit


def test_profile_speaks_of_this_installation_alone(clean: Examination) -> None:
    """Verify the same versions and settings, and no others."""
    versions = json.loads(clean.profile.read_text())["versions"]
    other = SPEC.model_copy(update={"strategy": "T"})
    assert verdict_on(clean.profile, versions, SPEC).verified
    assert not verdict_on(clean.profile, versions | {"gpu": "another"}, SPEC).verified
    assert not verdict_on(clean.profile, versions, other).verified
    assert not verdict_on(None, versions, SPEC).verified


def test_strategy_that_shows_every_pose_is_chosen(clean: Examination, tmp_path: Path) -> None:
    """Write poses per step, and time samples where those come late; jobs do as the profile says."""
    assert json.loads(clean.profile.read_text())["strategy"] == "P"
    found = examine(installation(pose_lag=1), SPEC, tmp_path, size=SMALL, limits=LIMITS)
    assert found.passed, found.describe()
    assert json.loads(found.profile.read_text())["strategy"] == "T"
    seen = busy_scene()
    views = views_of(
        seen, *(looking((2.0 + 0.3 * k, -2.0, 1.5), (0.0, 0.0, 0.9)) for k in range(3))
    )
    late = open_fake(seen, CAMERA, tmp_path / "job", profile=found.profile, pose_lag=1)
    labels = late.labels(views)
    late.close()
    expected = EmbeddedRenderer(seen, CAMERA, samples=1).labels(views)
    np.testing.assert_allclose(labels.depth, expected.depth, atol=1e-4)


def test_sub_frames_are_seen_to_kill_motion_vectors(clean: Examination) -> None:
    """Trust one sub-frame and nothing more."""
    (motion,) = (f for f in clean.findings if f.number == 5)
    assert motion.figures["audited"]
    assert verdict_on(clean.profile, json.loads(clean.profile.read_text())["versions"], SPEC).motion
    cases = {name: told for name, told in motion.figures.items() if name != "audited"}
    trusted = {name: told["trusted"] for name, told in cases.items()}
    assert trusted == {"T1": True, "P1": True, "T2": False, "P2": False, "T4": False, "P4": False}


@pytest.mark.parametrize("convention", ALL, ids=str)
def test_every_convention_is_told_apart(bench: Bench, convention: Convention) -> None:
    """Name the convention of noisy vectors with unset pixels, by a wide margin."""
    rng = np.random.default_rng(5)
    n, (height, width) = len(bench.views), bench.expected.depth.shape[1:]
    pixels = np.zeros((n, height, width, 2))
    for k in range(2, n - 1):
        pixels[k] = truth(bench, convention.direction, k)[0]
    pixels += rng.normal(0.0, 0.03, pixels.shape)
    vectors = (pixels * convention.scale(width, height)).astype(np.float32)
    vectors[rng.random(vectors.shape[:3]) < 0.05] = -1.0
    found = identify(bench, vectors)
    assert found.convention == convention
    assert found.margin > 0.3


def test_value_of_unset_pixels_is_found() -> None:
    """Record the number that unset motion vectors hold, and none where there is none."""
    vectors = np.random.default_rng(1).normal(size=(3, 60, 80, 2)).astype(np.float32)
    assert fill_value(vectors) is None
    vectors[:, :4] = -1.0
    assert fill_value(vectors) == -1.0


DIRECTIONS = ("previous", "next", "stale")
CASES = [Convention(d, x, y, u) for d in DIRECTIONS for x in (1, -1) for y in (1, -1) for u in ("pixel", "ndc", "normalised")]  # fmt: skip


def test_fake_with_every_convention_is_told_apart(bench: Bench, tmp_path: Path) -> None:
    """Name all 36 conventions of a renderer that speaks them, through the whole exchange."""
    said = tmp_path / "convention.json"
    bench.installation = installation(convention_file=str(said))
    renderer = bench.renderer()
    named = {}
    for one in CASES:
        said.write_text(
            json.dumps({"towards": one.direction, "x": one.x, "y": one.y, "unit": one.unit})
        )
        # only samples tell where things will be in the next frame
        vectors = run(renderer, bench.views, ("motion",), strategy="T")["motion"]
        found = identify(bench, vectors)
        named[one] = found.convention
    renderer.close()
    assert named == {one: one for one in CASES}


@pytest.mark.slow
@pytest.mark.parametrize(("number", "words", "faults"), BY_CHECK, ids=[str(c[2]) for c in BY_CHECK])
def test_check_catches_fault(
    number: int, words: str, faults: dict[str, Any], tmp_path: Path
) -> None:
    """Fail the check that is about the fault, in words that name it."""
    found = examine(installation(**faults), SPEC, tmp_path, size=SMALL, limits=LIMITS)
    said = {f.number: f.text for f in found.findings if not f.passed}
    assert number in said, found.describe()
    assert re.search(words, said[number])


def test_harmless_behaviour_is_reported(clean: Examination, tmp_path: Path) -> None:
    """Pass a renderer with behaviour that spoils nothing, and say what it does."""
    faults = {name: value for _, _, fault in BY_REPORT for name, value in fault.items()}
    found = examine(installation(**faults), SPEC, tmp_path, size=SMALL, limits=LIMITS)
    assert found.passed, found.describe()
    verdict = verdict_on(found.profile, json.loads(found.profile.read_text())["versions"], SPEC)
    assert (verdict.verified, verdict.motion) == (True, False)
    for number, words, _ in BY_REPORT:
        (said,) = (f.text for f in found.findings if f.number == number)
        (usual,) = (f.text for f in clean.findings if f.number == number)
        assert words in said
        assert said != usual


@pytest.mark.parametrize(("faults", "sign"), [({}, "usd"), ({"offset_sign": True}, "opposite")])
def test_offset_sign_is_found(faults: dict[str, Any], sign: str, tmp_path: Path) -> None:
    """Say which way an aperture offset moves the picture."""
    from datagen.render.isaac.doctor.camera_probes import probe_offset

    assert probe_offset(Bench(installation(**faults), SPEC, tmp_path, size=SMALL)) == sign

"""Following the flow is judged by pixels enough to judge by."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from datagen.validate.flow import LEAST_PIXELS, WarpCheck
from datagen.validate.frames import Frame
from schemas.camera import CameraSpec, PinholeOptics

WIDTH = 40


def segment(blur: float = 0.5) -> SimpleNamespace:
    """What the check asks of a segment."""
    camera = CameraSpec(width=WIDTH, height=100, optics=PinholeOptics(psf_sigma=blur))
    return SimpleNamespace(
        name="noise", pose=lambda k: np.full(1, k), world_from_object=[0, 0],
        spec=SimpleNamespace(camera=camera),
    )  # fmt: skip


def frame(k: int, rows: int, squeeze: float = 0.0) -> Frame:
    """Noise of its own, and flow that says that it moved two pixels to the right, or more."""
    shape = (rows, WIDTH)
    light = np.random.default_rng(k).random(shape, np.float32)
    flow = np.zeros((*shape, 2), np.float32)
    flow[..., 0] = 2.0 + squeeze * (np.arange(WIDTH) - WIDTH)
    valid = np.broadcast_to(np.arange(WIDTH) < WIDTH - 2, shape)
    empty = np.zeros(shape)
    return Frame(k, empty, light, empty, empty, flow, valid, flow, valid)  # type: ignore[arg-type]


@pytest.mark.parametrize(("pixels", "told"), [(0.5, "not measured"), (2.0, "along the flow")])
def test_few_pixels_tell_nothing(pixels: float, told: str) -> None:
    """Fail flow that explains no change, but not by a few hundred pixels."""
    rows = round(pixels * LEAST_PIXELS / (WIDTH - 2))
    poses = segment()
    check = WarpCheck(poses)  # type: ignore[arg-type]
    before = frame(0, rows)
    check.see(None, before)
    check.see(before, frame(1, rows))
    (result,) = [found for found in check.results() if found.name == "flow/warp"]
    assert told in result.message
    assert result.passed == (told == "not measured")


@pytest.mark.parametrize(("squeeze", "told"), [(0.4, "along the flow"), (0.8, "not measured")])
def test_pixels_that_are_squeezed_tell_nothing(squeeze: float, told: str) -> None:
    """Follow the light of pixels that land on about one pixel, as few do under a very wide lens."""
    poses = segment()
    check = WarpCheck(poses)  # type: ignore[arg-type]
    before = frame(0, LEAST_PIXELS, squeeze)
    check.see(None, before)
    check.see(before, frame(1, LEAST_PIXELS))
    (result,) = [found for found in check.results() if found.name == "flow/warp"]
    assert told in result.message


def test_a_picture_blurred_together_tells_nothing() -> None:
    """Measure nothing where the lens mixes what moves apart."""
    check = WarpCheck(segment(blur=5.0))  # type: ignore[arg-type]
    before = frame(0, LEAST_PIXELS)
    check.see(None, before)
    check.see(before, frame(1, LEAST_PIXELS))
    (result,) = [found for found in check.results() if found.name == "flow/warp"]
    assert "blurs much of the picture" in result.message

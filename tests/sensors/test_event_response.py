"""The photoreceptor's curve, in both precisions and backwards."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from datagen.sensors.events.response import (
    MIDDLE_GREY,
    log_picture,
    log_picture_f32,
    luminance_of,
    response_of,
    single,
)
from schemas.sensor import EventCameraSpec

LIGHT = np.concatenate([[0.0], np.geomspace(1e-4, 50.0, 2001)])
CURVES = [EventCameraSpec(), EventCameraSpec(response="lin_log"), EventCameraSpec(log_eps=1e-6)]


def test_known_points() -> None:
    """Be ln(light + eps), or v2e's curve of codes: linear to 20, ln above."""
    plain = log_picture(LIGHT, response_of(EventCameraSpec(log_eps=1e-3)))
    np.testing.assert_allclose(plain, np.log(LIGHT + 1e-3), rtol=0, atol=1e-12)
    codes = np.array([0.0, 5.0, 20.0, 255.0])
    expected = [0.0, math.log(20) / 4, math.log(20), math.log(255)]
    for white, values in ((1.0, codes / 255), (255.0, codes)):
        curve = response_of(EventCameraSpec(response="lin_log"), white=white)
        np.testing.assert_allclose(log_picture(values, curve), expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("spec", CURVES)
@pytest.mark.parametrize("white", [1.0, 255.0])
def test_single_precision_agrees(spec: Any, white: float) -> None:
    """Differ by the value for middle grey, and by rounding."""
    curve = response_of(spec, white=white)
    light = (LIGHT * white).astype(np.float32)
    exact = log_picture(light, curve) - log_picture(np.array([MIDDLE_GREY * white]), curve)
    found = log_picture_f32(light, single(curve, white=white))
    np.testing.assert_allclose(found, exact, rtol=1.2e-7, atol=4e-7)


@pytest.mark.parametrize("spec", CURVES)
def test_luminance_is_found_back(spec: Any) -> None:
    """Undo the curve."""
    curve = response_of(spec)
    back = [luminance_of(level, curve) for level in log_picture(LIGHT, curve)]
    np.testing.assert_allclose(back, LIGHT, rtol=1e-11, atol=1e-14)

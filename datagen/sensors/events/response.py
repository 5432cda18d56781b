"""Photoreceptor: luminance -> log light, and back.

    y = scale * luminance + offset
    L = ln max(y, knee) + min(y - knee, 0) * slope

`log`: y = luminance + log_eps and a knee that is never reached. `lin_log`: y is light in 8-bit
codes, logarithmic above 20 and linear below, where ln 20 / 20 joins the two and gives L(0) = 0
(Hu, Liu and Delbruck, "v2e: From Video Frames to Realistic DVS Events", CVPRW 2021).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit

from datagen.sensors.elementary import exponential, natural_log, natural_log_f32
from schemas.sensor import EventCameraSpec

WHITE_CODE = 255.0
LIN_LOG_KNEE = 20.0
NO_KNEE = 1e-30
F32_ZERO = np.float32(0.0)


class Response(NamedTuple):
    """Coefficients of the curve, all float64 (or all float32)."""

    scale: float
    offset: float
    knee: float
    log_knee: float
    slope: float
    inverse_slope: float


def response_of(spec: EventCameraSpec, *, white: float = 1.0) -> Response:
    """The curve of a spec for pictures in which white is `white` (255 for 8-bit pictures)."""
    if spec.response == "lin_log":
        knee, slope = LIN_LOG_KNEE, math.log(LIN_LOG_KNEE) / LIN_LOG_KNEE
        return Response(WHITE_CODE / white, 0.0, knee, math.log(knee), slope, 1.0 / slope)
    return Response(1.0 / white, spec.log_eps, NO_KNEE, math.log(NO_KNEE), 0.0, 0.0)


def single(response: Response) -> Response:
    """The same curve in float32."""
    return Response._make(np.float32(c) for c in response)


@njit(cache=True, nogil=True, error_model="numpy")
def log_light(luminance, response):  # type: ignore[no-untyped-def]
    """L of a luminance, float64."""
    y = response.scale * np.float64(luminance) + response.offset
    knee = response.knee
    return natural_log(y if y > knee else knee) + np.minimum(y - knee, 0.0) * response.slope


@njit(cache=True, nogil=True, error_model="numpy")
def log_light_f32(luminance, response):  # type: ignore[no-untyped-def]
    """L of a luminance, float32; the curve as `single` gives it."""
    y = response.scale * np.float32(luminance) + response.offset
    knee = response.knee
    bent = np.minimum(y - knee, F32_ZERO) * response.slope
    return natural_log_f32(y if y > knee else knee) + bent


@njit(cache=True, nogil=True, error_model="numpy")
def luminance_of(level, response):  # type: ignore[no-untyped-def]
    """The luminance at which log light is `level`, float64; may be negative."""
    y = exponential(np.maximum(level, response.log_knee))
    y += np.minimum(level - response.log_knee, 0.0) * response.inverse_slope
    return (y - response.offset) / response.scale


@njit(cache=True, nogil=True, error_model="numpy")
def log_picture(luminance, response):  # type: ignore[no-untyped-def]
    """L of every pixel of a flat picture, float64."""
    out = np.empty(luminance.size, np.float64)
    for i in range(luminance.size):
        out[i] = log_light(luminance[i], response)
    return out

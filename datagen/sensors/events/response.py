"""Photoreceptor: luminance -> log light, and back.

    y = scale * luminance + offset
    L = ln max(y, knee) + min(y, knee) * slope

`log`: y = luminance + log_eps, and a knee that is never reached. `lin_log`: y is light in units of
20 8-bit codes, logarithmic above 1 and linear below with the slope ln 20, so that L(0) = 0 and white
is at ln 255 (Hu, Liu and Delbruck, "v2e: From Video Frames to Realistic DVS Events", CVPRW 2021).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit

from datagen.sensors.elementary import exponential, fma, natural_log, natural_log_f32
from schemas.sensor import EventCameraSpec

WHITE = {np.dtype(np.uint8): 255.0, np.dtype(np.float32): 1.0}
"""White in pictures of either type."""
WHITE_CODE = 255.0
KNEE_CODE = 20.0
MIDDLE_GREY = 0.18
NO_KNEE = 1e-30


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
        slope = math.log(KNEE_CODE)
        return Response(WHITE_CODE / KNEE_CODE / white, 0.0, 1.0, 0.0, slope, 1.0 / slope)
    return Response(1.0 / white, spec.log_eps, NO_KNEE, math.log(NO_KNEE), 0.0, 0.0)


def single(response: Response, *, white: float) -> Response:
    """The curve in float32, less its value for middle grey: near zero float32 rounds least."""
    shift = -float(log_light(MIDDLE_GREY * white, response))
    factor = exponential(shift)
    moved = Response(
        response.scale * factor,
        response.offset * factor,
        response.knee * factor,
        response.log_knee + shift,
        response.slope / factor,
        response.inverse_slope * factor,
    )
    return Response._make(np.float32(c) for c in moved)


@njit(cache=True, nogil=True, error_model="numpy")
def log_light(luminance, response):  # type: ignore[no-untyped-def]
    """L of a luminance, float64."""
    y, knee = response.scale * np.float64(luminance) + response.offset, response.knee
    return natural_log(y if y > knee else knee) + (y if y < knee else knee) * response.slope


@njit(cache=True, nogil=True, error_model="numpy")
def log_light_f32(luminance, response):  # type: ignore[no-untyped-def]
    """L of a luminance less that of middle grey, float32; the curve as `single` gives it."""
    y, knee = fma(np.float32(luminance), response.scale, response.offset), response.knee
    return fma(y if y < knee else knee, response.slope, natural_log_f32(y if y > knee else knee))


@njit(cache=True, nogil=True, error_model="numpy")
def luminance_of(level, response):  # type: ignore[no-untyped-def]
    """The luminance at which log light is `level`, float64; may be negative."""
    logarithm = level - response.knee * response.slope
    y = exponential(np.maximum(logarithm, response.log_knee))
    y += np.minimum(logarithm - response.log_knee, 0.0) * response.inverse_slope
    return (y - response.offset) / response.scale


@njit(cache=True, nogil=True, error_model="numpy")
def log_picture(luminance, response):  # type: ignore[no-untyped-def]
    """L of every pixel of a flat picture, float64."""
    out = np.empty(luminance.size, np.float64)
    for i in range(luminance.size):
        out[i] = log_light(luminance[i], response)
    return out


@njit(cache=True, nogil=True, error_model="numpy")
def log_picture_f32(luminance, response):  # type: ignore[no-untyped-def]
    """`log_light_f32` of every pixel of a flat picture."""
    out = np.empty(luminance.size, np.float32)
    for i in range(luminance.size):
        out[i] = log_light_f32(luminance[i], response)
    return out

"""An event camera run over pictures in one step."""

from __future__ import annotations

from typing import Any

import numpy as np

from datagen.sensors.event_camera import EventCamera
from schemas.arrays import EventArray
from schemas.sensor import EventCameraSpec


def sense(spec: EventCameraSpec, t: Any, pictures: Any, key: int = 7) -> EventArray:
    """Events of pictures (N, H, W), luminance or 8-bit, at times [us]; the first starts the camera."""
    pictures = np.asarray(pictures)
    if pictures.dtype != np.uint8:
        pictures = pictures.astype(np.float32)
    camera = EventCamera(spec, width=pictures.shape[2], height=pictures.shape[1], key=key)
    t = np.asarray(t, np.int64)
    state = camera.init_pictures(t[:1], pictures[:1])
    return camera.step_pictures(state, t[1:], pictures[1:])[1]

"""Film -> events in any of the export formats, a few pictures at a time.

Light between two pictures is taken as linear in log light; nothing is interpolated, so a film has to
be fast enough for its motion (half a pixel from picture to picture, as a rule).

What a picture's numbers mean is the `transfer`: `codes` takes them as luminance, as v2e does, and
`srgb` undoes sRGB's curve (IEC 61966-2-1), which is what most films need for honest contrast.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from datagen.dataset.streams import SLAB
from datagen.export.base import write_events
from datagen.export.event_source import EventSource
from datagen.sensors.event_camera import EventCamera
from datagen.sensors.events.state import EventCameraState
from datagen.sensors.light import BLUE, GREEN, RED, Pictures
from datagen.srgb import to_linear
from datagen.video.film import Film, Picture
from schemas.arrays import EventArray, LightBatch
from schemas.export import EventFormat
from schemas.sensor import EventCameraSpec

Transfer = Literal["codes", "srgb"]
BATCH_BYTES = 2**26
"""Pictures held at a time, as float32 RGB."""
LUMA = np.array([0.299, 0.587, 0.114])
"""Rec. 601, as image libraries and v2e turn colour into grey."""


def film_to_file(
    film: Film,
    camera: EventCameraSpec,
    form: EventFormat,
    path: Path,
    *,
    key: int,
    transfer: Transfer = "codes",
) -> Path:
    """Write the events of a film.

    Args:
        film: read once.
        camera: what looks at it.
        form: format and its options.
        path: file without suffix.
        key: seeds the camera's randomness.
        transfer: what the pictures' numbers mean.

    Returns:
        The file, whole and synced.

    Raises:
        InputError: the format cannot hold the events, or the film cannot be read on.
    """
    events = EventSource(
        title=film.title, width=film.width, height=film.height, last_us=film.last_us,
        slabs=film_events(film, camera, key=key, transfer=transfer),
    )  # fmt: skip
    return write_events(events, form, path)


def film_events(
    film: Film, spec: EventCameraSpec, *, key: int, transfer: Transfer = "codes"
) -> Iterator[EventArray]:
    """Events in time order, at most `SLAB` at a time, none empty."""
    camera = EventCamera(spec, width=film.width, height=film.height, key=key)
    state = None
    for t, light in _batches(film, colour=spec.bayer is not None, transfer=transfer):
        if state is None:
            state = _start(camera, t[:1], light[:1])
            t, light = t[1:], light[1:]
        if spec.bayer is None:
            state, events = camera.step_pictures(state, t, light)
        else:
            state, events = camera.step(state, LightBatch(t=t, rgb=light))
        for start in range(0, len(events), SLAB):
            yield events[start : start + SLAB]


def _start(camera: EventCamera, t: NDArray[np.int64], light: NDArray[Any]) -> EventCameraState:
    if light.ndim == 4:
        return camera.init(LightBatch(t=t, rgb=light))
    return camera.init_pictures(t, light)


def _batches(
    film: Film, *, colour: bool, transfer: Transfer
) -> Iterator[tuple[NDArray[np.int64], NDArray[Any]]]:
    size = max(2, BATCH_BYTES // (12 * film.width * film.height))
    times: list[int] = []
    pictures: list[NDArray[Any]] = []
    for t, picture in film.frames:
        times.append(t)
        pictures.append(_rgb(picture, transfer) if colour else _grey(picture, transfer))
        if len(times) == size:
            yield np.array(times, np.int64), np.stack(pictures)
            times, pictures = [], []
    if times:
        yield np.array(times, np.int64), np.stack(pictures)


def _grey(picture: Picture, transfer: Transfer) -> Pictures:
    """Luminance (H, W): 8-bit codes stay what they are, all else becomes float32, white = 1."""
    if transfer == "codes":
        luma = picture if picture.ndim == 2 else np.rint(picture @ LUMA)
        if picture.dtype == np.uint8:
            return luma.astype(np.uint8)
        return (luma / 65535).astype(np.float32)
    light = _linear(picture)
    return light if light.ndim == 2 else light @ np.array([RED, GREEN, BLUE])


def _rgb(picture: Picture, transfer: Transfer) -> NDArray[np.float32]:
    """Light (H, W, 3), float32, white = 1."""
    white = np.float32(np.iinfo(picture.dtype).max)
    light = _linear(picture) if transfer == "srgb" else picture.astype(np.float32) / white
    return light if light.ndim == 3 else np.repeat(light[..., None], 3, axis=-1)


def _linear(picture: Picture) -> NDArray[np.float32]:
    white = np.iinfo(picture.dtype).max
    curve = to_linear(np.arange(white + 1) / white)
    light: NDArray[np.float32] = curve.astype(np.float32)[picture]
    return light

"""What `datagen events from-video` does: plain settings and a path in, a file of events out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from datagen.errors import OutputError, SpecError
from datagen.export.base import parse_export
from datagen.seeding import key_for
from datagen.spec_file import parse_as
from datagen.store import folder_lock
from datagen.video.convert import Transfer, film_to_file
from datagen.video.film import open_film
from schemas.export import EventExportSpec
from schemas.sensor import EventCameraSpec


def events_from_video(
    source: Path,
    out: Path,
    *,
    form: dict[str, Any],
    camera: dict[str, Any],
    fps: float | None = None,
    stamps: Path | None = None,
    transfer: Transfer = "codes",
    seed: int = 0,
) -> Path:
    """Write the events of a video file or a folder of pictures into the folder `out`.

    Args:
        source: the film, see `datagen.video.film.open_film`.
        out: created if need be.
        form: `kind` and options of an event format.
        camera: fields of `EventCameraSpec`.
        fps: frames per second.
        stamps: file of time stamps.
        transfer: see `datagen.video.convert`.
        seed: of mismatch and noise; the file depends on it, the film and the settings alone.

    Returns:
        The file, named after the film.

    Raises:
        InputError: the film, a setting or the folder is wrong.
    """
    spec = parse_export(form)
    if not isinstance(spec, EventExportSpec):
        raise SpecError(f"--format {spec.kind}: not an event format; docs/export.md lists them")
    sensor = parse_as(EventCameraSpec, camera, source="--camera")
    if out.resolve() in (source.resolve(), source.resolve().parent):
        raise OutputError(f"{out}: is where the film is; expected another folder for the events")
    film = open_film(source, fps=fps, stamps=stamps)
    key = key_for(seed, 0, sensor.name)
    with folder_lock(out):
        return film_to_file(film, sensor, spec, out / source.stem, key=key, transfer=transfer)

"""Commands that write other formats: `export` a dataset, `events from-video`."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import click

from datagen.cli.formats import EventsCommand, ExportCommand, known_format
from datagen.cli.group import FILE
from schemas.sensor_presets import EVENT_CAMERA_PRESETS


@click.command(cls=ExportCommand)
@click.argument("dataset", type=FILE)
@click.option(
    "--format", "kind", callback=known_format, required=True, metavar="NAME",
    help="One of the formats below.",
)  # fmt: skip
@click.option("-o", "--out", type=FILE, required=True, help="Folder for the files.")
@click.option("--sensor", default=None, help="Name of the sensor; default: the first that fits.")
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="OPTION=VALUE",
    help="An option of the format (see below); may be given again.",
)
def export(
    dataset: Path, kind: str, out: Path, sensor: str | None, settings: tuple[str, ...]
) -> None:
    """Write a dataset in another format.

    DATASET is a folder or one segment file; every segment becomes a file, or a folder of them.

    \b
    Example:
      datagen export my-dataset --format aedat4 --set compression=lz4 -o aedat
    """
    from datagen.export.base import export_dataset, parse_export
    from datagen.spec_file import parse_settings

    options = {"kind": kind, "sensor": sensor, **parse_settings(settings)}
    for path in export_dataset(dataset, parse_export(options), out):
        click.echo(path)


@click.group()
def events() -> None:
    """Events from pictures that were not generated here."""


@events.command("from-video", cls=EventsCommand)
@click.argument("source", type=FILE)
@click.option("-o", "--out", type=FILE, required=True, help="Folder for the file.")
@click.option(
    "--format", "kind", callback=known_format, default="v2e_h5", show_default=True, metavar="NAME",
    help="One of the formats below.",
)  # fmt: skip
@click.option(
    "--fps", type=float, default=None, help="Frames per second; default: the video's own."
)
@click.option(
    "--timestamps", type=FILE, default=None,
    help="Text file: a line per picture that ends with its time in seconds.",
)  # fmt: skip
@click.option(
    "--preset", type=click.Choice(tuple(EVENT_CAMERA_PRESETS)), default="clean",
    show_default=True, help="Preset of the event camera.",
)  # fmt: skip
@click.option(
    "--camera", "camera_settings", multiple=True, metavar="OPTION=VALUE",
    help="A setting of the event camera, such as threshold_on=0.15 (`datagen schema` has all);"
    " may be given again.",
)  # fmt: skip
@click.option(
    "--set", "settings", multiple=True, metavar="OPTION=VALUE",
    help="An option of the format (see below); may be given again.",
)  # fmt: skip
@click.option(
    "--transfer", type=click.Choice(["codes", "srgb"]), default="codes", show_default=True,
    help="Take the pictures' numbers as luminance, as v2e does, or undo sRGB's curve.",
)  # fmt: skip
@click.option(
    "--seed", type=click.IntRange(0), default=0, show_default=True,
    help="Seed of mismatch and noise.",
)  # fmt: skip
def from_video(
    source: Path,
    out: Path,
    kind: str,
    fps: float | None,
    timestamps: Path | None,
    preset: str,
    camera_settings: tuple[str, ...],
    settings: tuple[str, ...],
    transfer: Literal["codes", "srgb"],
    seed: int,
) -> None:
    """Turn a video into a file of events.

    SOURCE is a video file or a folder of pictures. A folder's pictures are taken in the order of
    their names (9.png before 10.png); their times come from timestamps.txt in it, --timestamps or
    --fps. Video files need the `video` extra.

    \b
    Example:
      datagen events from-video drive.mp4 --preset davis346 -o events
    """
    from datagen.spec_file import parse_settings
    from datagen.video.command import events_from_video

    path = events_from_video(
        source, out, form={"kind": kind, **parse_settings(settings)},
        camera={"preset": preset, **parse_settings(camera_settings)},
        fps=fps, stamps=timestamps, transfer=transfer, seed=seed,
    )  # fmt: skip
    click.echo(path)

"""Commands that write other formats: `export` a dataset, `events from-video`."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import click

from datagen.cli.group import FILE


@click.command()
@click.argument("dataset", type=FILE)
@click.option(
    "--format", "kind", required=True, metavar="NAME", help="Format; docs/export.md lists them."
)
@click.option("-o", "--out", type=FILE, required=True, help="Folder for the files.")
@click.option("--sensor", default=None, help="Name of the sensor; default: the first that fits.")
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="OPTION=VALUE",
    help="An option of the format, such as flipud=false; may be given again.",
)
def export(
    dataset: Path, kind: str, out: Path, sensor: str | None, settings: tuple[str, ...]
) -> None:
    """Write DATASET, a folder or segment file, in the format of another project."""
    from datagen.export.base import export_dataset, parse_export, parse_settings

    options = {"kind": kind, "sensor": sensor, **parse_settings(settings)}
    for path in export_dataset(dataset, parse_export(options), out):
        click.echo(path)


@click.group()
def events() -> None:
    """Events from pictures that were not generated here."""


@events.command("from-video")
@click.argument("source", type=FILE)
@click.option("-o", "--out", type=FILE, required=True, help="Folder for the file.")
@click.option(
    "--format", "kind", default="v2e_h5", show_default=True, metavar="NAME",
    help="An event format of docs/export.md.",
)  # fmt: skip
@click.option("--fps", type=float, default=None, help="Frames per second.")
@click.option(
    "--timestamps", type=FILE, default=None,
    help="Text file: a line per picture that ends with its time in seconds.",
)  # fmt: skip
@click.option("--preset", default="clean", show_default=True, help="Preset of the event camera.")
@click.option(
    "--camera", "camera_settings", multiple=True, metavar="OPTION=VALUE",
    help="A setting of the event camera, such as threshold_on=0.15; may be given again.",
)  # fmt: skip
@click.option(
    "--set", "settings", multiple=True, metavar="OPTION=VALUE", help="An option of the format."
)
@click.option(
    "--transfer", type=click.Choice(["codes", "srgb"]), default="codes", show_default=True,
    help="Take the pictures' numbers as luminance, as v2e does, or undo sRGB's curve.",
)  # fmt: skip
@click.option("--seed", type=click.IntRange(0), default=0, help="Seed of mismatch and noise.")
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
    """Turn SOURCE, a video file or a folder of pictures, into a file of events.

    A folder's pictures are taken in the order of their names; their times come from
    timestamps.txt in it, --timestamps or --fps. Video files need the `video` extra.
    """
    from datagen.export.base import parse_settings
    from datagen.video.command import events_from_video

    path = events_from_video(
        source, out, form={"kind": kind, **parse_settings(settings)},
        camera={"preset": preset, **parse_settings(camera_settings)},
        fps=fps, stamps=timestamps, transfer=transfer, seed=seed,
    )  # fmt: skip
    click.echo(path)

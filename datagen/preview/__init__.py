"""Pictures of a segment for people: a contact sheet and a short film."""

from __future__ import annotations

from pathlib import Path

from datagen.dataset import Segment
from datagen.preview.animation import write_animation
from datagen.preview.contact_sheet import contact_sheet
from datagen.preview.page import save_png


def write_previews(path: Path, folder: Path) -> list[Path]:
    """Draw a segment file into `folder`; equal files give equal pictures.

    Args:
        path: the segment's `.h5`; read only.
        folder: where `<segment>.png` (contact sheet) and `<segment>.gif` go; created if needed.

    Returns:
        The files written.

    Raises:
        DatasetError: `path` cannot be read.
    """
    with Segment(path) as segment:
        sheet = save_png(contact_sheet(segment), folder / f"{path.stem}.png")
        film = write_animation(segment, folder / f"{path.stem}.gif")
    return [sheet, film]

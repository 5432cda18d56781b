"""Segment files and their manifest -> `card.json`, `card.md` and `croissant.json`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from datagen.card.croissant import croissant
from datagen.card.statistics import label_statistics, segment_statistics
from datagen.card.text import card_markdown
from datagen.card.warnings import dataset_warnings, segment_warnings
from datagen.dataset import Segment
from datagen.store import write_file, write_json
from schemas.dataset import CARD, DatasetCard, DatasetManifest


def build_card(
    folder: Path,
    manifest: DatasetManifest,
    *,
    on_segment: Callable[[str], None] = lambda _name: None,
) -> DatasetCard:
    """Read every segment file once and describe it.

    Args:
        folder: where the manifest's files lie; read only.
        manifest: the files to describe, in order.
        on_segment: takes the name of each that is described.

    Raises:
        DatasetError: a file cannot be read.
    """
    statistics, warnings = [], list(dataset_warnings(manifest))
    for entry in manifest.segments:
        with Segment(folder / entry.file) as segment:
            labels = label_statistics(segment)
            statistics.append(segment_statistics(segment, labels))
            warnings += segment_warnings(segment, statistics[-1], labels)
        on_segment(entry.name)
    return DatasetCard(
        name=manifest.name,
        licence=manifest.licence,
        renderer=manifest.renderer,
        verified=manifest.verified,
        spec_sha256=manifest.spec_sha256,
        segments=statistics,
        warnings=warnings,
    )


def write_card(
    folder: Path,
    manifest: DatasetManifest,
    *,
    on_segment: Callable[[str], None] = lambda _name: None,
) -> DatasetCard:
    """Write the card beside the files; equal files give equal bytes. See `build_card`."""
    card = build_card(folder, manifest, on_segment=on_segment)
    write_file(folder / CARD, (card.model_dump_json(indent=2) + "\n").encode())
    write_file(folder / "card.md", card_markdown(card, manifest).encode())
    write_json(folder / "croissant.json", croissant(card, manifest))
    return card

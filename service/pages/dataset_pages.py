"""`/datasets`, `/datasets/<id>`: finished datasets, and one with its card, plots and downloads."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, TypeVar

from fastapi import APIRouter, Request, Response
from pydantic import ValidationError

from datagen.pipeline.layout import PREVIEWS
from schemas.base import Spec
from schemas.dataset import CARD, MANIFEST, DatasetCard, DatasetManifest
from service.deps import Cursor, DatasetId, Reader, StateDep
from service.models import DatasetDetail, FileView
from service.pages.charts import charts_of
from service.pages.parts import SHOWN, First, parts_of
from service.pages.rendering import page
from service.pages.route import PageRoute
from service.routes.datasets import get_dataset, list_datasets
from service.routes.jobs import list_segments

router = APIRouter(route_class=PageRoute, include_in_schema=False)

DATASETS_SHOWN = 50

Described = TypeVar("Described", bound=Spec)


@router.get("/datasets")
def show_datasets(
    request: Request, state: StateDep, who: Reader, cursor: Cursor = None
) -> Response:
    """One's own datasets (an admin: everyone's), the newest first."""
    found = list_datasets(state, who, None, DATASETS_SHOWN, cursor)
    return page(request, "datasets.html", datasets=found.datasets, next_cursor=found.next_cursor)


@router.get("/datasets/{dataset_id}")
def show_dataset(
    request: Request, state: StateDep, who: Reader, dataset_id: DatasetId, first: First = 0
) -> Response:
    """One dataset, with its segments from number `first` on."""
    dataset = get_dataset(state, who, dataset_id)
    folder = state.folders.dataset(dataset.job)
    card = _read(folder / CARD, DatasetCard)
    manifest = _read(folder / MANIFEST, DatasetManifest)
    segments = list_segments(state, who, dataset.job).segments
    part = slice(first, first + SHOWN)
    return page(
        request,
        "dataset.html",
        dataset=dataset,
        files=_in_reading_order(dataset),
        card=card,
        manifest=manifest,
        charts=charts_of(card.segments[part]) if card is not None else None,
        segments=segments[part],
        first=first,
        parts=parts_of(len(segments)),
        origin=str(request.base_url).rstrip("/"),
    )


def _read(path: Path, kind: type[Described]) -> Described | None:
    """A description that lies beside the files; None when it cannot be read."""
    try:
        data: Any = json.loads(path.read_bytes())
        return kind.model_validate(data)
    except (OSError, ValueError, ValidationError):
        return None


def _in_reading_order(dataset: DatasetDetail) -> list[FileView]:
    """Segments first, then what describes them, then pictures."""

    def rank(file: FileView) -> tuple[bool, bool]:
        return file.name.startswith(f"{PREVIEWS}/"), not file.name.endswith(".h5")

    return sorted(dataset.files, key=rank)

"""`/v1/datasets`: list finished datasets and download them, file by file or as one archive."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path as FilePath
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response
from sqlalchemy import Row

from datagen.archive import TarLayout, read_range
from schemas.dataset import MANIFEST
from service.deps import NO_NULL, Cursor, DatasetId, Limit, Reader, StateDep
from service.errors import (
    NotFound,
    PreconditionFailed,
    RangeNotSatisfiable,
    TooManyRequests,
    Unreadable,
)
from service.http.content import Content, ContentResponse
from service.http.problems import documented
from service.ledger import datasets
from service.ledger.keys import Caller
from service.models import DatasetDetail, DatasetPage
from service.state import State
from service.views import (
    cursor_after,
    dataset_view,
    file_view,
    media_type_of,
    read_cursor,
)

router = APIRouter(prefix="/v1", tags=["datasets"])

BINARY: dict[str, Any] = {"schema": {"type": "string", "format": "binary"}}
RANGE_HEADERS = {
    "Range": "Only these bytes, as in `bytes=1000-` (RFC 9110).",
    "If-Range": "An entity tag or date; with another one `Range` is left aside.",
    "If-None-Match": "Entity tags of what the caller has already.",
    "If-Match": "Entity tags without which nothing is sent.",
}
HEADERS: dict[str, Any] = {
    "parameters": [
        {
            "name": n,
            "in": "header",
            "required": False,
            "description": d,
            "schema": {"type": "string"},
        }
        for n, d in RANGE_HEADERS.items()
    ]
}


def _download(media_type: str) -> dict[int | str, dict[str, Any]]:
    content = {media_type: BINARY}
    return {
        200: {"description": "All of it.", "content": content},
        206: {
            "description": "The ranges asked for.",
            "content": {**content, "multipart/byteranges": BINARY},
        },
        304: {"description": "The caller has it already."},
        **documented(NotFound, PreconditionFailed, RangeNotSatisfiable, TooManyRequests),
    }


@router.get("/datasets", summary="List datasets", responses=documented(Unreadable, TooManyRequests))
def list_datasets(
    state: StateDep,
    who: Reader,
    name: Annotated[
        str | None, Query(max_length=64, pattern=NO_NULL, description="Only of this name.")
    ] = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> DatasetPage:
    """One's own datasets (an admin: everyone's), the newest first."""
    after = read_cursor(cursor)
    with state.database.read() as connection:
        rows = datasets.page(connection, owner=who.sees, name=name, after=after, limit=limit)
    return DatasetPage(
        datasets=[dataset_view(row) for row in rows], next_cursor=cursor_after(rows, limit)
    )


@router.get(
    "/datasets/{dataset_id}",
    summary="Look at a dataset",
    responses=documented(NotFound, TooManyRequests),
)
def get_dataset(state: StateDep, who: Reader, dataset_id: DatasetId) -> DatasetDetail:
    """One dataset with its files."""
    row, files = _find(state, who, dataset_id)
    return DatasetDetail(
        **dict(dataset_view(row)),
        archive_size=_layout(row, files).size,
        archive_sha256=row.archive_sha256,
        files=[file_view(file) for file in files],
    )


def _find(state: State, who: Caller, dataset_id: str) -> tuple[Row[Any], list[Row[Any]]]:
    with state.database.read() as connection:
        row = datasets.find(connection, dataset_id, who.sees)
        return row, datasets.files_of(connection, dataset_id)


def _layout(row: Row[Any], files: list[Row[Any]]) -> TarLayout:
    return TarLayout([(file.name, file.size) for file in files], folder=row.name)


@router.get(
    "/datasets/{dataset_id}/manifest",
    summary="Manifest of a dataset",
    response_class=Response,
    openapi_extra=HEADERS,
    responses=_download("application/json"),
)
def get_manifest(request: Request, state: StateDep, who: Reader, dataset_id: DatasetId) -> Response:
    """`manifest.json`: every segment file with its digest and counts."""
    return get_file(request, state, who, dataset_id, MANIFEST)


@router.head(
    "/datasets/{dataset_id}/files/{name:path}",
    summary="Size and digest of a file",
    response_class=Response,
    responses=_download("application/octet-stream"),
    operation_id="head_file",
)
@router.get(
    "/datasets/{dataset_id}/files/{name:path}",
    summary="Download a file",
    response_class=Response,
    openapi_extra=HEADERS,
    responses=_download("application/octet-stream"),
)
def get_file(
    request: Request,
    state: StateDep,
    who: Reader,
    dataset_id: DatasetId,
    name: Annotated[str, Path(max_length=255, pattern=NO_NULL, examples=["manifest.json"])],
) -> Response:
    """One file, by a name that the dataset lists. Resumable: Range, If-Range, ETag, Repr-Digest."""
    with state.database.read() as connection:
        row = datasets.find(connection, dataset_id, who.sees)
        file = datasets.find_file(connection, dataset_id, name)
    path = state.folders.dataset(row.job_id) / file.name
    content = Content(
        size=file.size,
        sha256=file.sha256,
        media_type=media_type_of(file.name),
        filename=FilePath(file.name).name,
        modified_ms=row.created_ms,
        read=partial(read_range, path),
    )
    return ContentResponse(request, content)


@router.head(
    "/datasets/{dataset_id}/archive",
    summary="Size and digest of the archive",
    response_class=Response,
    responses=_download("application/x-tar"),
    operation_id="head_archive",
)
@router.get(
    "/datasets/{dataset_id}/archive",
    summary="Download a dataset as one tar archive",
    response_class=Response,
    openapi_extra=HEADERS,
    responses=_download("application/x-tar"),
)
def get_archive(request: Request, state: StateDep, who: Reader, dataset_id: DatasetId) -> Response:
    """All files in one uncompressed tar. Made while it is sent, and resumable all the same."""
    row, files = _find(state, who, dataset_id)
    layout = _layout(row, files)

    def read(start: int, stop: int) -> Iterator[bytes]:
        return layout.read(state.folders.dataset(row.job_id), start, stop)

    content = Content(
        size=layout.size,
        sha256=row.archive_sha256,
        media_type="application/x-tar",
        filename=f"{row.name}.tar",
        modified_ms=row.created_ms,
        read=read,
    )
    return ContentResponse(request, content)

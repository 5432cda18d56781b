"""`/v1/assets`: upload scenes, textures and recorded paths for specs to name."""

from __future__ import annotations

from shutil import rmtree
from typing import Annotated, Any

from anyio import to_thread
from fastapi import APIRouter, Header, Query, Request, Response

from service.clock import now_ms
from service.deps import AssetId, Cursor, Limit, Reader, StateDep, Submitter
from service.errors import (
    Busy,
    Conflict,
    Invalid,
    NotFound,
    Problem,
    QuotaExceeded,
    StorageFull,
    TooLarge,
    TooManyRequests,
    Unavailable,
    Unreadable,
    UnsupportedMedia,
)
from service.http.problems import documented
from service.ledger import assets
from service.ledger.assets import NewAsset
from service.models import AssetPage, AssetView
from service.state import State
from service.uploads.accept import expected_digest, new_asset_id, take_in
from service.views import asset_view, cursor_after, read_cursor

router = APIRouter(prefix="/v1", tags=["uploads"])

BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/octet-stream": {
                "schema": {"type": "string", "format": "binary"},
                "example": "0.0 0.0 0.0 1.0 0.0 0.0 0.0 1.0\n",
            }
        },
    }
}


@router.post(
    "/assets",
    status_code=201,
    summary="Upload a file or an archive",
    openapi_extra=BODY,
    responses=documented(
        Unreadable,
        TooLarge,
        UnsupportedMedia,
        Invalid,
        QuotaExceeded,
        TooManyRequests,
        Busy,
        Unavailable,
        StorageFull,
    ),
)
async def upload(
    request: Request,
    response: Response,
    state: StateDep,
    who: Submitter,
    name: Annotated[
        str,
        Query(
            min_length=1,
            max_length=200,
            examples=["walk.txt"],
            description="File name; `.zip`, `.tar` and `.tar.gz` are unpacked.",
        ),
    ],
    repr_digest: Annotated[
        str | None,
        Header(max_length=500, description="`sha-256=:<base64>:` of the body, to be checked."),
    ] = None,
) -> AssetView:
    """Keep scenes (.usd, .usda, .usdc, .usdz), pictures and recorded paths.

    A spec names a file as `<upload id>/<file>`. Archives with links, with names that lead elsewhere
    or with other kinds of files are refused, and so are scenes that refer to anything outside.
    """
    if request.headers.get("content-type", "").lower().startswith("multipart/"):
        raise UnsupportedMedia(
            "the body is a form; expected the bytes of the file alone (curl --data-binary @FILE)"
        )
    expected = expected_digest(repr_digest)
    asset_id = new_asset_id()
    digest, files = await take_in(state, asset_id, name, request.stream(), expected)
    new = NewAsset(id=asset_id, owner=who.owner, name=name, sha256=digest, files=files)
    view = await to_thread.run_sync(_keep, state, new)
    response.headers["Location"] = f"/v1/assets/{asset_id}"
    return view


def _keep(state: State, new: NewAsset) -> AssetView:
    try:
        with state.database.write() as connection:
            assets.add(connection, new, quota_bytes=state.settings.quota_bytes, now=now_ms())
            row = assets.find(connection, new.id, new.owner)
            return asset_view(row, assets.files_of(connection, new.id))
    except Problem:
        rmtree(state.folders.assets / new.id, ignore_errors=True)
        raise


@router.get("/assets", summary="List uploads", responses=documented(Unreadable, TooManyRequests))
def list_assets(
    state: StateDep,
    who: Reader,
    own: Annotated[bool, Query(description="Only those that one's own jobs may name.")] = False,
    sha256: Annotated[
        str | None, Query(pattern="^[0-9a-f]{64}$", description="Of the body as it was sent.")
    ] = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> AssetPage:
    """One's own uploads (an admin: everyone's, unless `own`), the newest first."""
    after, owner = read_cursor(cursor), who.owner if own else who.sees
    with state.database.read() as connection:
        rows = assets.page(connection, owner=owner, sha256=sha256, after=after, limit=limit)
        views = [asset_view(row, assets.files_of(connection, row.id)) for row in rows]
    return AssetPage(assets=views, next_cursor=cursor_after(rows, limit))


@router.get(
    "/assets/{asset_id}",
    summary="Look at an upload",
    responses=documented(NotFound, TooManyRequests),
)
def get_asset(state: StateDep, who: Reader, asset_id: AssetId) -> AssetView:
    """One upload with its files."""
    with state.database.read() as connection:
        row = assets.find(connection, asset_id, who.sees)
        return asset_view(row, assets.files_of(connection, asset_id))


@router.delete(
    "/assets/{asset_id}",
    status_code=204,
    summary="Delete an upload",
    responses=documented(NotFound, Conflict, TooManyRequests),
)
def delete_asset(state: StateDep, who: Submitter, asset_id: AssetId) -> None:
    """Remove an upload that no unfinished job needs."""
    with state.database.write() as connection:
        assets.remove(connection, asset_id, who.sees)
    # jobs that use the files have links of their own
    rmtree(state.folders.assets / asset_id, ignore_errors=True)

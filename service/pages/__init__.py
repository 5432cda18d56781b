"""The service in a browser: pages that the server renders, one stylesheet, a little JavaScript.

Pages read the ledger and answer in HTML. Whatever a page changes goes through the same functions
and checks as the API, so that there is nothing a page can do that a key cannot.
"""

from __future__ import annotations

from fastapi import FastAPI

from service.pages import dataset_pages, edit_page, job_pages, login
from service.pages.rendering import STATIC_FOLDER, StaticAssets

ROUTERS = (
    edit_page.router,
    edit_page.parts,
    job_pages.router,
    dataset_pages.router,
    login.router,
)


def add_static(app: FastAPI) -> None:
    """Let an app serve what pages load."""
    app.mount("/static", StaticAssets(directory=STATIC_FOLDER), name="static")

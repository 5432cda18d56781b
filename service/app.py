"""The web app: wiring only."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from importlib.metadata import version

from fastapi import FastAPI
from starlette.routing import Route

from service import pages
from service.folders import make_data_folder
from service.http.middleware import BodyLimit, Observe, SameOrigin
from service.http.problems import add_handlers
from service.ledger import open_database
from service.openapi import add_openapi
from service.routes import assets, datasets, jobs, meta
from service.settings import Settings
from service.state import make_state


def create_app(settings: Settings) -> FastAPI:
    """The app on the ledger and the data folder of some settings; no dispatcher is started."""
    make_data_folder(settings.data)
    database = open_database(settings.ledger_url)
    state = make_state(settings, database)

    @contextlib.asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        watching = asyncio.create_task(state.hub.run())
        yield
        watching.cancel()
        database.close()

    app = FastAPI(
        title="neuromorphic-datagen",
        version=version("neuromorphic-datagen"),
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        generate_unique_id_function=lambda route: route.name,
    )
    app.state.datagen = state
    routers = (jobs.router, datasets.router, assets.router, meta.router, *pages.ROUTERS)
    routes = [*app.routes, *(route for router in routers for route in router.routes)]
    for router in routers:
        app.include_router(router)
    pages.add_static(app)
    add_handlers(app, [route for route in routes if isinstance(route, Route)])
    add_openapi(app)
    app.add_middleware(
        BodyLimit,
        most=settings.spec_bytes,
        uploads=settings.asset_bytes,
        upload_path="/v1/assets",
    )
    app.add_middleware(SameOrigin, loopback=settings.loopback)
    app.add_middleware(Observe, metrics=state.metrics)
    return app

"""What the app holds while it runs, in one place."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from service.events import EventHub
from service.folders import Folders
from service.http.limits import RateLimiter, StreamLimiter
from service.ledger.database import Database
from service.metrics import Metrics
from service.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """Everything that requests share."""

    settings: Settings
    database: Database
    folders: Folders
    metrics: Metrics
    rate: RateLimiter
    streams: StreamLimiter
    hub: EventHub
    checks: asyncio.Semaphore


def make_state(settings: Settings, database: Database) -> State:
    """The state of a new app."""
    return State(
        settings=settings,
        database=database,
        folders=Folders(settings.data.resolve()),
        metrics=Metrics(),
        rate=RateLimiter(per_minute=settings.rate_per_minute, burst=settings.rate_burst),
        streams=StreamLimiter(per_owner=settings.streams_per_owner, total=settings.streams),
        hub=EventHub(database),
        checks=asyncio.Semaphore(settings.checks),
    )

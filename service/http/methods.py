"""Which methods an address takes; the framework tells only those of the first route it finds."""

from __future__ import annotations

import re
from collections.abc import Iterable

from starlette.routing import Route

OF_FILES = ("GET", "HEAD")


def methods_at(path: str, routes: Iterable[Route]) -> list[str]:
    """The methods of the routes at an address; those of files where there is no route."""
    found: dict[str, set[str]] = {}
    for route in routes:
        if route.path_regex.match(path):
            found.setdefault(route.path, set()).update(route.methods or ())
    # `/jobs/{job_id}` also matches what ends in `:cancel`: the most literal one is meant
    meant = max(found, key=lambda template: len(re.sub(r"{.*?}", "", template)), default="")
    return sorted(found.get(meant, OF_FILES))

"""Requests that survive a service that is restarted, busy or far away.

Only requests that may be repeated go through here: reads, deletions, and submissions with an
idempotency key.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx

from datagen.errors import InputError
from service.client.errors import ServiceError

PAUSES = (0.2, 0.5, 1.0, 2.0, 4.0, 8.0)
"""Before every further try [s]."""
COME_AGAIN = (429, 502, 503, 504)


def open_http(
    url: str, key: str | None, transport: httpx.AsyncBaseTransport | None
) -> httpx.AsyncClient:
    """An HTTP client that connects on its first request.

    Raises:
        InputError: the address or the key cannot be one.
    """
    if not url.startswith(("http://", "https://")):
        raise InputError(f"{url!r}; expected an address such as http://127.0.0.1:8000")
    if key is not None and not re.fullmatch(r"[!-~]*", key):
        raise InputError("the API key holds characters that no key has; expected dgk_<id>_<secret>")
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    timeout = httpx.Timeout(30.0, read=180.0)
    return httpx.AsyncClient(base_url=url, headers=headers, timeout=timeout, transport=transport)


class Connection:
    """An HTTP client that tries again and raises `ServiceError` for problems."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http

    async def close(self) -> None:
        """Close every connection."""
        await self._http.aclose()

    async def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        """One answer.

        Raises:
            ServiceError: the service refused.
            httpx.TransportError: it cannot be reached.
        """
        for pause in (*PAUSES, None):
            try:
                response = await self._http.request(method, path, **options)
            except httpx.TransportError:
                if pause is None:
                    raise
                await asyncio.sleep(pause)
                continue
            if response.status_code not in COME_AGAIN or pause is None:
                break
            await asyncio.sleep(max(pause, _asked_pause(response)))
        raise_for_problem(response)
        return response

    async def send(
        self, path: str, content: AsyncIterator[bytes], **options: Any
    ) -> httpx.Response:
        """Post a body that is read as it goes; tried once.

        Raises:
            ServiceError: the service refused.
            httpx.TransportError: it cannot be reached.
        """
        response = await self._http.post(path, content=content, **options)
        raise_for_problem(response)
        return response

    @asynccontextmanager
    async def stream(
        self, path: str, headers: dict[str, str], *, read_timeout: float
    ) -> AsyncIterator[httpx.Response]:
        """An answer that is read as it comes; tried once."""
        timeout = httpx.Timeout(30.0, read=read_timeout)
        async with self._http.stream("GET", path, headers=headers, timeout=timeout) as response:
            if response.status_code >= 400:
                await response.aread()
            raise_for_problem(response)
            yield response


def _asked_pause(response: httpx.Response) -> float:
    asked = response.headers.get("Retry-After", "0")
    return min(float(asked), 60.0) if asked.isdecimal() else 0.0


def raise_for_problem(response: httpx.Response) -> None:
    """Raise ServiceError for an answer of 400 and above."""
    if response.status_code < 400:
        return
    try:
        document = response.json()
    except ValueError:
        document = {"detail": response.text[:500] or response.reason_phrase}
    raise ServiceError(response.status_code, document if isinstance(document, dict) else {})

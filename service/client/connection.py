"""Requests that survive a service that is restarted, busy or far away.

Whatever goes through here may be repeated: reads, submissions with an idempotency key, and changes
whose second try says that the first was heard.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
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
    if not _is_address(url):
        raise InputError(f"{url!r}; expected an address such as http://127.0.0.1:8000")
    if key is not None and not re.fullmatch(r"[!-~]*", key):
        raise InputError("the API key holds characters that no key has; expected dgk_<id>_<secret>")
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    timeout = httpx.Timeout(30.0, read=180.0)
    return httpx.AsyncClient(base_url=url, headers=headers, timeout=timeout, transport=transport)


def _is_address(url: str) -> bool:
    try:
        place = httpx.URL(url)
    except httpx.InvalidURL:
        return False
    return place.scheme in ("http", "https") and bool(place.host) and (place.port or 0) < 2**16


class Connection:
    """An HTTP client that tries again and raises `ServiceError` for problems."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http

    async def close(self) -> None:
        """Close every connection."""
        await self._http.aclose()

    async def request(
        self, method: str, path: str, *, heard: int | None = None, **options: Any
    ) -> httpx.Response:
        """One answer.

        Args:
            method: of HTTP.
            path: below the service's address.
            heard: status by which the service refuses what it has done already; returned when the
                answer to an earlier try was lost.
            options: as httpx has them.

        Raises:
            ServiceError: the service refused.
            httpx.TransportError: it cannot be reached.
        """
        lost = False
        for pause in (*PAUSES, None):
            try:
                response = await self._http.request(method, path, **options)
            except httpx.TransportError:
                if pause is None:
                    raise
                lost = True
                await asyncio.sleep(pause)
                continue
            if pause is None or not await _waited(response, pause):
                break
        if not (lost and response.status_code == heard):
            raise_for_problem(response)
        return response

    async def send(
        self, path: str, content: Callable[[], AsyncGenerator[bytes]], **options: Any
    ) -> httpx.Response:
        """Post a body that is read as it goes, anew when the service says to come again.

        Raises:
            ServiceError: the service refused.
            httpx.TransportError: it cannot be reached; tried once.
        """
        for pause in (*PAUSES, None):
            async with aclosing(content()) as body:  # a refusal may come before its end
                response = await self._http.post(path, content=body, **options)
            if pause is None or not await _waited(response, pause):
                break
        raise_for_problem(response)
        return response

    @asynccontextmanager
    async def stream(
        self, path: str, headers: dict[str, str], *, read_timeout: float
    ) -> AsyncIterator[httpx.Response]:
        """An answer that is read as it comes, asked for anew when the service says to come again."""
        timeout = httpx.Timeout(30.0, read=read_timeout)
        for pause in (*PAUSES, None):
            async with self._http.stream("GET", path, headers=headers, timeout=timeout) as response:
                if not response.is_success:
                    await response.aread()
                    if pause is not None and await _waited(response, pause):
                        continue
                raise_for_problem(response)
                yield response
                return


async def _waited(response: httpx.Response, pause: float) -> bool:
    """Wait as an answer asks for; False for one that will be the same when asked again."""
    if response.status_code not in COME_AGAIN or "quota-exceeded" in response.text:
        return False
    asked = response.headers.get("Retry-After", "0")
    await asyncio.sleep(max(pause, min(float(asked), 60.0) if asked.isdecimal() else 0.0))
    return True


def raise_for_problem(response: httpx.Response) -> None:
    """Raise ServiceError for an answer that is no success."""
    if response.is_success:
        return
    if response.has_redirect_location:
        there = response.headers["Location"]
        raise ServiceError(response.status_code, {"detail": f"it leads on to {there}; give that"})
    try:
        document = response.json()
    except ValueError:
        document = {"detail": response.text[:500] or response.reason_phrase}
    raise ServiceError(response.status_code, document if isinstance(document, dict) else {})

"""The port that the service listens on, taken before anything else is started."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
from collections.abc import Iterator

from datagen.errors import InputError

BACKLOG = 2048
WORDS = {
    errno.EADDRINUSE: "already in use; stop what listens there, or choose another (--port)",
    errno.EACCES: "not permitted; expected a port from 1024 on (--port)",
    errno.EADDRNOTAVAIL: "not an address of this machine; expected 127.0.0.1 or 0.0.0.0 (--host)",
}


@contextlib.contextmanager
def open_port(host: str, port: int) -> Iterator[list[socket.socket]]:
    """Sockets that listen on every address of a host, until the block ends.

    Args:
        host: name or address.
        port: 0 takes a free one.

    Raises:
        InputError: there is no such address, or the port cannot be had.
    """
    with contextlib.ExitStack() as opened:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
            sockets = []
            for family, kind, protocol, _, address in dict.fromkeys(found):
                one = opened.enter_context(socket.socket(family, kind, protocol))
                _listen(one, address)
                sockets.append(one)
        except (socket.gaierror, UnicodeError) as error:
            raise InputError(f"host {host!r}: {error}; expected an address (--host)") from error
        except OSError as error:
            words = WORDS.get(error.errno or 0, os.strerror(error.errno or 0))
            raise InputError(f"{host}:{port}: {words}") from error
        yield sockets


def _listen(one: socket.socket, address: object) -> None:
    one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a predecessor's connections linger
    if one.family == socket.AF_INET6:
        one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    one.bind(address)  # type: ignore[arg-type]
    one.listen(BACKLOG)


def url_of(host: str, sockets: list[socket.socket]) -> str:
    """Where a browser finds it."""
    port = sockets[0].getsockname()[1]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

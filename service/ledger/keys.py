"""API keys and browser sessions. Secrets are kept as SHA-256 only.

A key reads `dgk_<id>_<secret>`: the id finds the row, the secret (256 random bits, so a plain hash
is enough) is compared in constant time.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, insert, select, update

from service.errors import NotFound
from service.ledger.tables import keys, sessions

PREFIX = "dgk"
ID = re.compile(r"[0-9a-f]{12}")
OWNER = re.compile(r"[\w.@-]{1,64}", re.ASCII)
# Asked at every request: building a statement takes longer than running it.
ANY_KEY = select(keys.c.id).limit(1)
KEY = select(keys).where(keys.c.id == bindparam("key"))
KEY_OF_SESSION = (
    select(keys)
    .join(sessions, sessions.c.key_id == keys.c.id)
    .where(
        sessions.c.token_sha256 == bindparam("token"),
        sessions.c.expires_ms > bindparam("now"),
        keys.c.revoked_ms.is_(None),
    )
)


class Scope(StrEnum):
    """What a key allows."""

    READ = "read"
    #: look at and download one's own jobs and datasets
    SUBMIT = "submit"
    #: also submit, upload, cancel, retry, delete
    ADMIN = "admin"
    #: also everyone's jobs and the metrics


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, and what they may."""

    owner: str
    scopes: frozenset[Scope]

    def may(self, scope: Scope) -> bool:
        """Admin includes all; submit includes read."""
        if Scope.ADMIN in self.scopes or scope in self.scopes:
            return True
        return scope is Scope.READ and Scope.SUBMIT in self.scopes

    @property
    def sees(self) -> str | None:
        """Whose jobs the caller sees; None is everyone's."""
        return None if Scope.ADMIN in self.scopes else self.owner


LOCAL = Caller("local", frozenset(Scope))
"""Whoever can reach a loopback service without keys."""


def create(
    connection: Connection, *, owner: str | None, scopes: frozenset[Scope], now: int
) -> tuple[str, str]:
    """Make a key.

    Returns:
        Its id and the key itself, which is not kept.
    """
    key_id, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
    row = {
        "id": key_id,
        "owner": owner or key_id,
        "scopes": " ".join(sorted(scopes)),
        "secret_sha256": _sha256(secret),
        "created_ms": now,
    }
    connection.execute(insert(keys), row)
    return key_id, f"{PREFIX}_{key_id}_{secret}"


def revoke(connection: Connection, key_id: str, *, now: int) -> None:
    """End a key and its sessions at once.

    Raises:
        NotFound: there is no such key, or it is revoked already.
    """
    statement = update(keys).where(keys.c.id == key_id, keys.c.revoked_ms.is_(None))
    if connection.execute(statement.values(revoked_ms=now)).rowcount == 0:
        raise NotFound(f"there is no key {key_id} in force")
    connection.execute(delete(sessions).where(sessions.c.key_id == key_id))


def all_keys(connection: Connection) -> list[Row[Any]]:
    """Every key, the oldest first."""
    return list(connection.execute(select(keys).order_by(keys.c.created_ms, keys.c.id)))


def any_keys(connection: Connection) -> bool:
    """A key was ever made: from then on the service is closed, even when all are revoked."""
    return connection.execute(ANY_KEY).first() is not None


def caller_of(connection: Connection, key: str) -> Caller | None:
    """Whose key this is; None when it is not in force."""
    row = _key_row(connection, key)
    return None if row is None else _caller(row)


def _key_row(connection: Connection, key: str) -> Row[Any] | None:
    prefix, _, rest = key.partition("_")
    key_id, _, secret = rest.partition("_")
    if not ID.fullmatch(key_id):
        return None
    row = connection.execute(KEY, {"key": key_id}).first()
    expected = row.secret_sha256 if row is not None else _sha256("")
    same = hmac.compare_digest(_sha256(secret), expected)
    if row is None or not same or prefix != PREFIX or row.revoked_ms is not None:
        return None
    return row


def _caller(row: Row[Any]) -> Caller:
    return Caller(row.owner, frozenset(Scope(scope) for scope in row.scopes.split()))


def log_in(connection: Connection, key: str, *, now: int, expires_ms: int) -> str | None:
    """Start a browser session; its token, or None when the key is not in force."""
    row = _key_row(connection, key)
    if row is None:
        return None
    token = secrets.token_urlsafe(32)
    connection.execute(delete(sessions).where(sessions.c.expires_ms < now))
    session = {"token_sha256": _sha256(token), "key_id": row.id, "expires_ms": expires_ms}
    connection.execute(insert(sessions), session)
    return token


def log_out(connection: Connection, token: str) -> None:
    """End a browser session."""
    connection.execute(delete(sessions).where(sessions.c.token_sha256 == _sha256(token)))


def caller_of_session(connection: Connection, token: str, *, now: int) -> Caller | None:
    """Whose session this is; None when it has ended."""
    row = connection.execute(KEY_OF_SESSION, {"token": _sha256(token), "now": now}).first()
    return None if row is None else _caller(row)


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()

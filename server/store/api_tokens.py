"""Tokens with which programs act as a person, within scopes. The store holds only their SHA-256."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass

from sqlalchemy import Row, delete, select, update

from server.clock import Clock
from server.store.county_tables import API_TOKENS
from server.store.database import Database

PREFIX = "lk_"
USED_EVERY_MS = 60_000


@dataclass(frozen=True, slots=True)
class ApiToken:
    id: str
    person: str
    name: str
    scopes: frozenset[str]
    created_at: int
    expires_at: int
    used_at: int | None


class ApiTokens:
    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def make(self, person: str, name: str, scopes: frozenset[str], lifetime_ms: int) -> tuple[str, str]:
        """(id, the token, told once)."""
        token, now = PREFIX + secrets.token_urlsafe(32), self._clock.wall_ms()
        values = {"token": _id_of(token), "person": person, "name": name, "scopes": " ".join(sorted(scopes))}
        made = API_TOKENS.insert().values(**values, created_at=now, expires_at=now + lifetime_ms)
        await self._database.write(made)
        return _id_of(token), token

    async def find(self, token: str) -> ApiToken | None:
        """None where it is none of ours, revoked or over."""
        row = await self._database.row(select(API_TOKENS).where(API_TOKENS.c.token == _id_of(token)))
        now = self._clock.wall_ms()
        if row is None or row.expires_at <= now:
            return None
        if row.used_at is None or now - row.used_at > USED_EVERY_MS:
            used = update(API_TOKENS).where(API_TOKENS.c.token == row.token)
            await self._database.write(used.values(used_at=now))
        return _token(row)

    async def of(self, person: str) -> list[ApiToken]:
        asked = select(API_TOKENS).where(API_TOKENS.c.person == person).order_by(API_TOKENS.c.created_at)
        return [_token(row) for row in await self._database.rows(asked)]

    async def revoke(self, person: str, token: str) -> None:
        """By its id."""
        gone = delete(API_TOKENS).where(API_TOKENS.c.person == person, API_TOKENS.c.token == token)
        await self._database.write(gone)


def _id_of(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _token(row: Row[tuple[object, ...]]) -> ApiToken:
    return ApiToken(
        row.token, row.person, row.name, frozenset(row.scopes.split()), row.created_at, row.expires_at,
        row.used_at,
    )  # fmt: skip

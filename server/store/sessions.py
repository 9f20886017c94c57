"""Log-ins that are still good. The cookie's word is nowhere in the store, only its SHA-256.

Campus alone opens the store, so a session that was read stays true until it is changed here.
"""

from __future__ import annotations

import hashlib
import secrets
from collections import OrderedDict
from dataclasses import dataclass, replace

from sqlalchemy import Row, delete, select, update

from server.clock import Clock
from server.store.county_tables import SESSIONS
from server.store.database import Database

MOST_KNOWN = 10_000
MOST_NETWORKS = 6
SEEN_EVERY_MS = 300_000


@dataclass(frozen=True, slots=True)
class Session:
    """`networks`: from where its person gave the password (keyed hashes); `agent`: in which browser."""

    session: str
    person: str
    created_at: int
    seen_at: int
    expires_at: int
    networks: tuple[str, ...]
    agent: str


class Sessions:
    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._known: OrderedDict[str, Session] = OrderedDict()

    async def begin(self, person: str, network: str, agent: str, lifetime_ms: int) -> str:
        """A new one; the word for the cookie (43 characters, 256 bits)."""
        word, now = secrets.token_urlsafe(32), self._clock.wall_ms()
        session = Session(_name_of(word), person, now, now, now + lifetime_ms, (network,), agent)
        await self._database.write(
            delete(SESSIONS).where(SESSIONS.c.expires_at <= now),
            SESSIONS.insert().values(
                session=session.session, person=person, created_at=now, seen_at=now,
                expires_at=session.expires_at, network=network, agent=agent,
            ),
        )  # fmt: skip
        self._remember(session)
        return word

    async def find(self, word: str) -> Session | None:
        """The session of a cookie; None where it is none of ours, or over."""
        name = _name_of(word)
        session = self._known.get(name)
        if session is None:
            row = await self._database.row(select(SESSIONS).where(SESSIONS.c.session == name))
            if row is None:
                return None
            session = _session(row)
            self._remember(session)
        now = self._clock.wall_ms()
        if session.expires_at <= now:
            return None
        if now - session.seen_at >= SEEN_EVERY_MS:
            session = replace(session, seen_at=now)
            self._remember(session)
            await self._database.write(update(SESSIONS).where(SESSIONS.c.session == name).values(seen_at=now))
        return session

    async def admit_network(self, session: Session, network: str) -> None:
        """Its person gave the password from there too."""
        networks = (*session.networks, network)[-MOST_NETWORKS:]
        await self._database.write(
            update(SESSIONS).where(SESSIONS.c.session == session.session).values(network=" ".join(networks))
        )
        self._remember(replace(session, networks=networks))

    async def of(self, person: str) -> list[Session]:
        """The newest first."""
        asked = select(SESSIONS).where(
            SESSIONS.c.person == person, SESSIONS.c.expires_at > self._clock.wall_ms()
        )
        return [_session(row) for row in await self._database.rows(asked.order_by(SESSIONS.c.seen_at.desc()))]

    async def end(self, session: str) -> None:
        """By its name (not the cookie's word)."""
        self._known.pop(session, None)
        await self._database.write(delete(SESSIONS).where(SESSIONS.c.session == session))

    async def end_all(self, person: str, *, but: str = "") -> None:
        """Everywhere; `but`: the session that stays."""
        for name in [name for name, one in self._known.items() if one.person == person and name != but]:
            del self._known[name]
        await self._database.write(
            delete(SESSIONS).where(SESSIONS.c.person == person, SESSIONS.c.session != but)
        )

    def _remember(self, session: Session) -> None:
        self._known[session.session] = session
        self._known.move_to_end(session.session)
        while len(self._known) > MOST_KNOWN:
            self._known.popitem(last=False)


def _name_of(word: str) -> str:
    return hashlib.sha256(word.encode()).hexdigest()


def _session(row: Row[tuple[object, ...]]) -> Session:
    return Session(
        row.session,
        row.person,
        row.created_at,
        row.seen_at,
        row.expires_at,
        tuple(row.network.split()),
        row.agent,
    )

"""One person's data: everything the store knows of them as one document, and its erasure.

What is erased: name, log-in name, password, posts, sessions, tokens, where they stopped watching; their name
in the words of the lessons they teach (`store.erasing`). What stays: the lessons and every figure (they
belong to the school), and the audit log, in which a person is an id that then means nobody.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Table, delete, or_, select, update

from server.clock import Clock
from server.domain.erasure import ERASED, neutral
from server.ids import random_word
from server.protocol.messages import Words
from server.store.county_tables import API_TOKENS, PEOPLE, POSTS, SESSIONS
from server.store.database import Database
from server.store.device_tables import REHEARSALS
from server.store.erasing import erase_words, lessons_of
from server.store.tables import AUDIT, CATALOGUE, UPLOADS, WATCHED
from server.store.timetable_tables import BOOKINGS

SECRET = frozenset({"password_hash", "session", "token"})


class Personal:
    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def export(self, person: str) -> dict[str, list[dict[str, Any]]]:
        """Rows by table, without secrets; empty lists where there are none."""
        viewer = f"person:{person}"
        acted = or_(AUDIT.c.actor.contains(f":{person}", autoescape=True), AUDIT.c.thing == person)
        sent = UPLOADS.c.actor.contains(f":{person}", autoescape=True)
        asked: dict[str, tuple[Table, Any]] = {
            "person": (PEOPLE, PEOPLE.c.person == person),
            "posts": (POSTS, POSTS.c.person == person),
            "sessions": (SESSIONS, SESSIONS.c.person == person),
            "tokens": (API_TOKENS, API_TOKENS.c.person == person),
            "watched": (WATCHED, WATCHED.c.viewer == viewer),
            "taught": (CATALOGUE, CATALOGUE.c.taught_by == person),
            "booked": (BOOKINGS, BOOKINGS.c.teacher == person),
            "rehearsals": (REHEARSALS, REHEARSALS.c.teacher == person),
            "uploads": (UPLOADS, sent),
            "audit": (AUDIT, acted),
        }
        found = {}
        for name, (table, condition) in asked.items():
            rows = await self._database.rows(select(table).where(condition))
            found[name] = [
                {key: value for key, value in row._mapping.items() if key not in SECRET} for row in rows
            ]
        return found

    async def taught(self, person: str) -> tuple[list[str], dict[str, str]]:
        """The lessons whose words may name this person, and the names with what takes their place."""
        async with self._database.writing() as connection:
            asked = select(PEOPLE.c.name_zh, PEOPLE.c.name_en).where(PEOPLE.c.person == person)
            row = (await connection.execute(asked)).one()
            names = neutral(Words(zh=row.name_zh, en=row.name_en))
            return (await lessons_of(connection, person, names) if names else []), names

    async def erase(self, person: str) -> None:
        """The id stays, so that rows that name it stay whole; it is nobody's any more."""
        lessons, names = await self.taught(person)
        blank = {"login": f"erased-{random_word(10)}", "name_zh": ERASED.zh, "name_en": ERASED.en}
        gone = {"password_hash": "", "must_change": False, "active": False, "language": ""}
        async with self._database.writing() as connection:
            if names:
                sqlite = self._database.is_sqlite
                await erase_words(connection, person, lessons, names, sqlite=sqlite)
            for table in (SESSIONS, API_TOKENS, POSTS):
                await connection.execute(delete(table).where(table.c.person == person))
            await connection.execute(delete(WATCHED).where(WATCHED.c.viewer == f"person:{person}"))
            await connection.execute(
                update(PEOPLE)
                .where(PEOPLE.c.person == person)
                .values(**blank, **gone, changed_at=self._clock.wall_ms())
            )

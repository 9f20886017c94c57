"""One person's data: everything the store knows of them as one document, and its erasure.

What is erased: name, log-in name, password, posts, sessions, tokens, where they stopped watching. What stays:
the lessons (they belong to the school) and the audit log, in which a person is an id that then means nobody.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Table, delete, or_, select, update

from server.clock import Clock
from server.ids import random_word
from server.store.county_tables import API_TOKENS, PEOPLE, POSTS, SESSIONS
from server.store.database import Database
from server.store.tables import AUDIT, CATALOGUE, WATCHED

SECRET = frozenset({"password_hash", "session", "token"})
ERASED = ("已删除", "Erased")


class Personal:
    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def export(self, person: str) -> dict[str, list[dict[str, Any]]]:
        """Rows by table, without secrets; empty lists where there are none."""
        viewer = f"person:{person}"
        acted = or_(AUDIT.c.actor.contains(f":{person}", autoescape=True), AUDIT.c.thing == person)
        asked: dict[str, tuple[Table, Any]] = {
            "person": (PEOPLE, PEOPLE.c.person == person),
            "posts": (POSTS, POSTS.c.person == person),
            "sessions": (SESSIONS, SESSIONS.c.person == person),
            "tokens": (API_TOKENS, API_TOKENS.c.person == person),
            "watched": (WATCHED, WATCHED.c.viewer == viewer),
            "taught": (CATALOGUE, CATALOGUE.c.taught_by == person),
            "audit": (AUDIT, acted),
        }
        found = {}
        for name, (table, condition) in asked.items():
            rows = await self._database.rows(select(table).where(condition))
            found[name] = [
                {key: value for key, value in row._mapping.items() if key not in SECRET} for row in rows
            ]
        return found

    async def erase(self, person: str) -> None:
        """The id stays, so that rows that name it stay whole; it is nobody's any more."""
        now = self._clock.wall_ms()
        blank = {"login": f"erased-{random_word(10)}", "name_zh": ERASED[0], "name_en": ERASED[1]}
        await self._database.write(
            delete(SESSIONS).where(SESSIONS.c.person == person),
            delete(API_TOKENS).where(API_TOKENS.c.person == person),
            delete(POSTS).where(POSTS.c.person == person),
            delete(WATCHED).where(WATCHED.c.viewer == f"person:{person}"),
            update(PEOPLE)
            .where(PEOPLE.c.person == person)
            .values(**blank, password_hash="", must_change=False, active=False, language="", changed_at=now),
        )

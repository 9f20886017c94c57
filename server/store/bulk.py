"""Many rows at once, of a county that was made beforehand: in whole blocks, nothing asked back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import msgspec
from sqlalchemy import Table

from server.clock import Clock
from server.domain.lesson import Lesson
from server.domain.org import Bond, Unit, UnitKind
from server.domain.posts import Post
from server.protocol.messages import Words
from server.store.county import CountyStore
from server.store.county_tables import BONDS, PEOPLE, POSTS, ROOMS, UNIT_NAMES, UNIT_PARENTS, UNITS
from server.store.database import Database
from server.store.tables import CATALOGUE, LESSONS, PUBLISHING, RECORDINGS

BLOCK = 2_000
Row = dict[str, Any]


class Bulk:
    """Writes into a store that holds none of it yet; what is there already is an error of the database."""

    def __init__(self, database: Database, county: CountyStore, clock: Clock) -> None:
        self._database = database
        self._county = county
        self._clock = clock

    async def organisation(self, units: Sequence[Unit], bonds: Sequence[Bond], mains: Sequence[str]) -> None:
        """Units above those below them; `mains`: rooms with a studio, shown first, in order."""
        rooms = [unit.id for unit in units if unit.kind is UnitKind.ROOM]
        ordered = [*mains, *(room for room in rooms if room not in set(mains))]
        rows: list[tuple[Table, list[Row]]] = [
            (UNITS, [{"unit": unit.id, "kind": unit.kind.value, "since": unit.since, "until": unit.until,
                      "successor": unit.successor} for unit in units]),
            (UNIT_NAMES, [{"unit": unit.id, "since": line.since, "zh": line.value.zh, "en": line.value.en}
                          for unit in units for line in unit.names]),
            (UNIT_PARENTS, [{"unit": unit.id, "since": line.since, "parent": line.value}
                            for unit in units for line in unit.parents]),
            (BONDS, [{"kind": bond.kind.value, "first": bond.first, "second": bond.second,
                      "since": bond.since, "until": bond.until} for bond in bonds]),
            (ROOMS, [{"room": room, "position": position, "main": room in set(mains)}
                     for position, room in enumerate(ordered)]),
        ]  # fmt: skip
        await self._write(rows)
        self._county.forget()

    async def people(self, people: Sequence[tuple[str, str, Words]], posts: Sequence[Post]) -> None:
        """Each (id, log-in name, name), without a password."""
        now = self._clock.wall_ms()
        named = [
            {"person": person, "login": login, "name_zh": name.zh, "name_en": name.en, "password_hash": "",
             "created_at": now, "changed_at": now}
            for person, login, name in people
        ]  # fmt: skip
        held = [
            {"person": post.person, "role": post.role.value, "unit": post.unit, "since": post.since,
             "until": post.until}
            for post in posts
        ]  # fmt: skip
        await self._write([(PEOPLE, named), (POSTS, held)])

    async def lessons(
        self, lessons: Iterable[tuple[Lesson, float, dict[str, str]]], told: Callable[[int], None]
    ) -> None:
        """Ended lessons, each with the seconds of its recording and its words in the catalogue. `told`: how
        many are written so far."""
        block: list[tuple[Lesson, float, dict[str, str]]] = []
        written = 0
        for each in lessons:
            block.append(each)
            if len(block) == BLOCK:
                await self._write(_rows_of(block))
                written += len(block)
                told(written)
                block.clear()
        await self._write(_rows_of(block))
        told(written + len(block))

    async def _write(self, rows: Iterable[tuple[Table, list[Row]]]) -> None:
        async with self._database.writing() as connection:
            for table, values in rows:
                if values:
                    await connection.execute(table.insert(), values)


def _rows_of(block: Sequence[tuple[Lesson, float, dict[str, str]]]) -> list[tuple[Table, list[Row]]]:
    lessons = [
        {"lesson": lesson.id, "state": lesson.state.value, "main_room": lesson.main_room,
         "created_at": lesson.created_at, "started_at": lesson.started_at, "ended_at": lesson.ended_at,
         "value": msgspec.json.encode(lesson).decode()}
        for lesson, _, _ in block
    ]  # fmt: skip
    recordings = [
        {"lesson": lesson.id, "state": "ready", "seconds": seconds, "ready_after_s": 1.0, "problem": "",
         "path": lesson.id, "marks": "[]"}
        for lesson, seconds, _ in block
    ]  # fmt: skip
    published = [
        {"lesson": lesson.id, "state": "done", "progress": 1.0, "step": "", "problem": "", "attempt": 0,
         "export": False}
        for lesson, _, _ in block
    ]  # fmt: skip
    catalogue = [
        {"lesson": lesson.id, "room": lesson.main_room, "created_at": lesson.created_at,
         "own_title": lesson.title.zh, "recording": "ready", "seconds": seconds, **words}
        for lesson, seconds, words in block
    ]  # fmt: skip
    return [(LESSONS, lessons), (RECORDINGS, recordings), (PUBLISHING, published), (CATALOGUE, catalogue)]

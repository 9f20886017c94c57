"""Who rehearsed with acting rooms, and how it went: all that is kept of a rehearsal."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import msgspec
from sqlalchemy import insert, select

from server.store.database import Database
from server.store.device_tables import REHEARSALS

MOST = 5_000


@dataclass(frozen=True, slots=True)
class Tried:
    """One rehearsal. `teacher` "": nobody was logged in; `steps`: seconds of each, None: missed."""

    at: int
    main_room: str
    teacher: str
    steps: dict[str, float | None]

    @property
    def passed(self) -> bool:
        return bool(self.steps) and None not in self.steps.values()


class Rehearsals:
    """`live.ports.RehearsalRows`, and what pages list of it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, at: int, main_room: str, teacher: str, steps: dict[str, float | None]) -> None:
        row = {"at": at, "main_room": main_room, "teacher": teacher}
        await self._database.write(
            insert(REHEARSALS).values(**row, steps=msgspec.json.encode(steps).decode())
        )

    async def newest(
        self, main_rooms: Iterable[str] | None = None, teacher: str | None = None
    ) -> list[Tried]:
        """The newest first; of these main rooms, or by this person, where they are given."""
        asked = select(REHEARSALS).order_by(REHEARSALS.c.at.desc(), REHEARSALS.c.number.desc()).limit(MOST)
        if teacher is not None:
            asked = asked.where(REHEARSALS.c.teacher == teacher)
        rooms = None if main_rooms is None else frozenset(main_rooms)
        return [
            Tried(row.at, row.main_room, row.teacher, msgspec.json.decode(row.steps))
            for row in await self._database.rows(asked)
            if rooms is None or row.main_room in rooms
        ]

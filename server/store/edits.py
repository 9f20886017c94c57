"""Edit lists and captions that people made for a recording; every version of a list is kept."""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy import delete, func, select, update

from server.clock import Clock
from server.domain.editing import WHOLE, EditList
from server.store.database import Database, upsert
from server.store.tables import CAPTIONS, EDITS


class Edits:
    """The newest list that was not undone is the one that counts."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def edits(self, lesson: str) -> EditList:
        """WHOLE where nothing is left out."""
        row = await self._database.row(
            select(EDITS.c.value)
            .where(EDITS.c.lesson == lesson, EDITS.c.undone.is_(False))
            .order_by(EDITS.c.number.desc())
            .limit(1)
        )
        return WHOLE if row is None else msgspec.json.decode(row.value, type=EditList)

    async def edit(self, lesson: str, actor: str, edits: EditList) -> None:
        """A new version; what was undone before it cannot be done again."""
        value = msgspec.json.encode(edits).decode()
        await self._database.write(
            delete(EDITS).where(EDITS.c.lesson == lesson, EDITS.c.undone.is_(True)),
            EDITS.insert().values(
                lesson=lesson, at=self._clock.wall_ms(), actor=actor, value=value, undone=False
            ),
        )

    async def undo(self, lesson: str) -> bool:
        """Back to the version before; False where there is none."""
        newest = _one(func.max(EDITS.c.number), lesson, undone=False)
        return await self._turn(newest, undone=True)

    async def redo(self, lesson: str) -> bool:
        """Forth to the version that was undone last; False where there is none."""
        return await self._turn(_one(func.min(EDITS.c.number), lesson, undone=True), undone=False)

    async def steps(self, lesson: str) -> tuple[int, int]:
        """How many versions can be undone and done again."""
        rows = await self._database.rows(select(EDITS.c.undone).where(EDITS.c.lesson == lesson))
        undone = sum(bool(row.undone) for row in rows)
        return len(rows) - undone, undone

    async def _turn(self, number: Any, *, undone: bool) -> bool:
        async with self._database.writing() as connection:
            statement = update(EDITS).where(EDITS.c.number == number).values(undone=undone)
            return (await connection.execute(statement)).rowcount == 1

    async def captions(self, lesson: str) -> dict[str, str]:
        """WebVTT text by language."""
        rows = await self._database.rows(
            select(CAPTIONS.c.language, CAPTIONS.c.vtt).where(CAPTIONS.c.lesson == lesson)
        )
        return {row.language: row.vtt for row in rows}

    async def put_captions(self, lesson: str, language: str, vtt: str) -> None:
        await self._database.write(
            upsert(CAPTIONS, "lesson", "language", lesson=lesson, language=language, vtt=vtt)
        )

    async def delete_captions(self, lesson: str, language: str | None = None) -> None:
        """Of one language; None: of all."""
        statement = delete(CAPTIONS).where(CAPTIONS.c.lesson == lesson)
        await self._database.write(
            statement if language is None else statement.where(CAPTIONS.c.language == language)
        )


def _one(number: Any, lesson: str, *, undone: bool) -> Any:
    return select(number).where(EDITS.c.lesson == lesson, EDITS.c.undone.is_(undone)).scalar_subquery()

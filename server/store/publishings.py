"""What is made of recordings, and how long they are kept: rows and queries."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, delete, select, update

from server.store.database import Database, upsert
from server.store.records import PublishingRow, RetentionRow
from server.store.store import PUBLISHING_COLUMNS
from server.store.tables import CAPTIONS, CATALOGUE, LESSONS, PUBLISHING, RECORDINGS, RETENTION

SETTLED = ("done", "failed")


class Publishings:
    """Queries over the store's database, each a transaction of its own."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._all_submitted: tuple[int, ...] | None = None

    async def save(self, row: PublishingRow) -> None:
        """Upsert; a row without its lesson's is left to the disk."""
        if await self._knows(row.lesson):
            values = {name: getattr(row, name) for name in PUBLISHING_COLUMNS}
            await self._database.write(upsert(PUBLISHING, "lesson", lesson=row.lesson, **values))

    async def row(self, lesson: str) -> PublishingRow | None:
        row = await self._database.row(select(PUBLISHING).where(PUBLISHING.c.lesson == lesson))
        return None if row is None else _publishing(row)

    async def unsettled(self) -> list[PublishingRow]:
        """Those that were submitted and are not known to have ended, the oldest first."""
        statement = select(PUBLISHING).where(PUBLISHING.c.state.not_in(SETTLED))
        return [
            _publishing(row) for row in await self._database.rows(statement.order_by(PUBLISHING.c.lesson))
        ]

    async def unsubmitted(self) -> list[str]:
        """Lessons whose recording is ready and of which nothing was ever made, the oldest first. Asked again
        and again: looked for when a recording has changed."""
        mark = self._database.mark(RECORDINGS, PUBLISHING)
        if mark == self._all_submitted:
            return []
        joined = RECORDINGS.join(PUBLISHING, RECORDINGS.c.lesson == PUBLISHING.c.lesson, isouter=True)
        statement = select(RECORDINGS.c.lesson).select_from(joined)
        statement = statement.where(RECORDINGS.c.state == "ready", PUBLISHING.c.lesson.is_(None))
        found = await self._database.rows(statement.order_by(RECORDINGS.c.lesson))
        self._all_submitted = None if found else mark
        return [row.lesson for row in found]

    async def retention(self, lesson: str) -> RetentionRow | None:
        row = await self._database.row(select(RETENTION).where(RETENTION.c.lesson == lesson))
        return None if row is None else _retention(row)

    async def retentions(self, lessons: Sequence[str]) -> dict[str, RetentionRow]:
        rows = await self._database.rows(select(RETENTION).where(RETENTION.c.lesson.in_(lessons)))
        return {row.lesson: _retention(row) for row in rows}

    async def save_retention(self, row: RetentionRow) -> None:
        """Upsert; a row without its lesson's is left out."""
        if await self._knows(row.lesson):
            values = {"kept_as": row.kept_as, "hold": row.hold, "deleted_at": row.deleted_at}
            await self._database.write(upsert(RETENTION, "lesson", lesson=row.lesson, **values))

    async def deleted(self, row: RetentionRow) -> None:
        """The recording is gone: its lesson stays known by its row, and nobody finds it any more. What was
        said in it goes too."""
        await self.save_retention(row)
        gone = update(CATALOGUE).where(CATALOGUE.c.lesson == row.lesson)
        await self._database.write(gone.values(deleted_at=row.deleted_at, series=None, indexed=False))
        await self._database.write(delete(CAPTIONS).where(CAPTIONS.c.lesson == row.lesson))

    async def kept(self) -> list[tuple[str, int, RetentionRow | None]]:
        """Every recording that is not deleted: lesson, when it ended (ms since 1970), how it is kept."""
        joined = LESSONS.join(RECORDINGS, LESSONS.c.lesson == RECORDINGS.c.lesson)
        joined = joined.join(RETENTION, LESSONS.c.lesson == RETENTION.c.lesson, isouter=True)
        columns = [LESSONS.c.lesson.label("of"), LESSONS.c.ended_at, LESSONS.c.created_at, *RETENTION.c]
        statement = select(*columns).select_from(joined).where(RETENTION.c.deleted_at.is_(None))
        rows = await self._database.rows(statement.where(RECORDINGS.c.state.in_(("ready", "failed"))))
        return [
            (row.of, row.ended_at or row.created_at, None if row.lesson is None else _retention(row))
            for row in rows
        ]

    async def _knows(self, lesson: str) -> bool:
        known = await self._database.row(select(LESSONS.c.lesson).where(LESSONS.c.lesson == lesson))
        return known is not None


def _publishing(row: Row[Any]) -> PublishingRow:
    return PublishingRow(row.lesson, **{name: getattr(row, name) for name in PUBLISHING_COLUMNS})


def _retention(row: Row[Any]) -> RetentionRow:
    return RetentionRow(row.lesson, row.kept_as, row.hold, row.deleted_at)

"""What is made of recordings, and how long they are kept: rows and queries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Row, and_, delete, func, or_, select, update

from server.domain.retention import KeptAs
from server.store.database import Database, insert, upsert
from server.store.records import PublishingRow, RetentionRow
from server.store.store import PUBLISHING_COLUMNS
from server.store.tables import CAPTIONS, CATALOGUE, LESSONS, PUBLISHING, RECORDINGS, RETENTION

SETTLED = ("done", "failed")
_ended = func.coalesce(LESSONS.c.ended_at, LESSONS.c.created_at)


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

    async def over(self, limits: Mapping[str, int], most: int) -> list[str]:
        """Recordings whose time is over and that nothing holds, the oldest first. `limits`: of each class
        that is not kept for ever, what ended then or earlier (ms since 1970)."""
        kept_as = func.coalesce(RETENTION.c.kept_as, KeptAs.ORDINARY.value)
        ways = [and_(kept_as == name, _ended <= limit) for name, limit in limits.items()]
        if not ways:
            return []
        free = func.coalesce(RETENTION.c.hold, "") == ""
        return await self._there(max(limits.values()), most, free, or_(*ways))

    async def local(self, ended_before: int, most: int) -> list[str]:
        """Recordings that ended then or earlier whose media may still be on this disk, the oldest first."""
        return await self._there(ended_before, most, RETENTION.c.freed_at.is_(None))

    async def _there(self, ended_before: int, most: int, *conditions: Any) -> list[str]:
        joined = LESSONS.join(RECORDINGS, LESSONS.c.lesson == RECORDINGS.c.lesson)
        joined = joined.join(RETENTION, LESSONS.c.lesson == RETENTION.c.lesson, isouter=True)
        # What ended by then was made by then: the index of the age leaves out the rest.
        asked = (
            select(LESSONS.c.lesson)
            .select_from(joined)
            .where(LESSONS.c.created_at <= ended_before, _ended <= ended_before, *conditions)
            .where(RETENTION.c.deleted_at.is_(None), RECORDINGS.c.state.in_(("ready", "failed")))
            .order_by(LESSONS.c.created_at)
            .limit(most)
        )
        return [row.lesson for row in await self._database.rows(asked)]

    async def freed(self, lesson: str, at: int | None) -> None:
        """Its media are in the object store alone since then; None: they are here too."""
        if await self._knows(lesson):
            usual = {"kept_as": KeptAs.ORDINARY.value, "hold": ""}
            fresh = insert(RETENTION).values(lesson=lesson, **usual, freed_at=at)
            changed = fresh.on_conflict_do_update(index_elements=["lesson"], set_={"freed_at": at})
            await self._database.write(changed)

    async def _knows(self, lesson: str) -> bool:
        known = await self._database.row(select(LESSONS.c.lesson).where(LESSONS.c.lesson == lesson))
        return known is not None


def _publishing(row: Row[Any]) -> PublishingRow:
    return PublishingRow(row.lesson, **{name: getattr(row, name) for name in PUBLISHING_COLUMNS})


def _retention(row: Row[Any]) -> RetentionRow:
    return RetentionRow(row.lesson, row.kept_as, row.hold, row.deleted_at)

"""What receiving rooms received: spans and sums, written in the lesson, read for receipts and reports."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, and_, func, select

from server.domain.reception import Kind, Reception, Side, Span
from server.store.database import Database, upsert_each
from server.store.device_tables import RECEPTIONS, SPANS

_MEASURES = ("freeze_ms", "concealed_ms", "delay_ms", "height")
_TOLD = ("until", "cause", *_MEASURES)
_PUT_SUMS = upsert_each(RECEPTIONS, "lesson", "room")
_PUT_SPANS = upsert_each(SPANS, "lesson", "room", "since")


class Spans:
    """Queries over the store's database, each a transaction of its own: `live.ports.SpanStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def write(self, lesson: str, receptions: list[Reception]) -> None:
        """All of them in one transaction."""
        sums = [
            {"lesson": lesson, "room": one.room, "heads": one.heads, "talk_ms": one.talk_ms}
            for one in receptions
        ]
        spans = [
            {"lesson": lesson, "room": one.room, "since": span.since, "kind": span.kind.value,
             "side": span.side.value, **{name: getattr(span, name) for name in _TOLD}}
            for one in receptions
            for span in one.spans
        ]  # fmt: skip
        if not sums:
            return
        async with self._database.writing() as connection:
            await connection.execute(_PUT_SUMS, sums)
            if spans:
                await connection.execute(_PUT_SPANS, spans)

    async def last(self, lesson: str) -> dict[str, tuple[Span, Reception]]:
        """The newest span of each room, with the room's sums."""
        newest = (
            select(SPANS.c.room, func.max(SPANS.c.since).label("since"))
            .where(SPANS.c.lesson == lesson)
            .group_by(SPANS.c.room)
            .subquery()
        )
        same = and_(SPANS.c.room == newest.c.room, SPANS.c.since == newest.c.since)
        rows = await self._database.rows(select(SPANS).join(newest, same).where(SPANS.c.lesson == lesson))
        sums = {one.room: one for one in await self._sums(lesson)}
        return {row.room: (_span(row), sums[row.room]) for row in rows if row.room in sums}

    async def of(self, lesson: str) -> list[Reception]:
        """Every room of the lesson that was due, by its id."""
        asked = select(SPANS).where(SPANS.c.lesson == lesson).order_by(SPANS.c.room, SPANS.c.since)
        spans: dict[str, list[Span]] = {}
        for row in await self._database.rows(asked):
            spans.setdefault(row.room, []).append(_span(row))
        return [
            Reception(one.room, tuple(spans.get(one.room, ())), one.heads, one.talk_ms)
            for one in await self._sums(lesson)
        ]

    async def _sums(self, lesson: str) -> list[Reception]:
        asked = select(RECEPTIONS).where(RECEPTIONS.c.lesson == lesson).order_by(RECEPTIONS.c.room)
        return [Reception(row.room, (), row.heads, row.talk_ms) for row in await self._database.rows(asked)]


def _span(row: Row[Any]) -> Span:
    measured = {name: getattr(row, name) for name in _MEASURES}
    return Span(row.since, row.until, Kind(row.kind), Side(row.side), row.cause, **measured)

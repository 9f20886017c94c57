"""Cameras and encoders of rooms: rows and queries. Addresses, with their passwords, are sealed.

A row's address is a line, and its sub stream's another; so is what may be shown of them.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, delete, select

from server.protocol.parameters import Source
from server.store.database import Database, upsert
from server.store.records import BoxSource
from server.store.sealing import Seal
from server.store.tables import SOURCES


class Sources:
    """Queries over the store's database, each a transaction of its own."""

    def __init__(self, database: Database, seal: Seal) -> None:
        self._database = database
        self._seal = seal

    async def all(self) -> list[BoxSource]:
        """Every source, by room; one whose address cannot be opened has none."""
        rows = await self._database.rows(select(SOURCES).order_by(SOURCES.c.room, SOURCES.c.source))
        return [self._record(row) for row in rows]

    async def put(self, box: BoxSource, now_ms: int) -> None:
        values = {
            "address": self._seal.close(f"{box.address}\n{box.low}"),
            "shown": "\n".join(filter(None, (box.shown, box.low_shown))),
            "udp": box.udp,
            "sound": box.sound,
            "with_lesson": box.with_lesson,
            "changed_at": now_ms,
        }
        await self._database.write(
            upsert(SOURCES, "room", "source", room=box.room, source=box.source.value, **values)
        )

    async def remove(self, room: str, source: Source) -> None:
        await self._database.write(
            delete(SOURCES).where(SOURCES.c.room == room, SOURCES.c.source == source.value)
        )

    def _record(self, row: Row[Any]) -> BoxSource:
        address, _, low = (self._seal.open(row.address) or "").partition("\n")
        shown, _, low_shown = row.shown.partition("\n")
        settings = (row.udp, row.sound, row.with_lesson)
        return BoxSource(row.room, Source(row.source), address, shown, *settings, low, low_shown)

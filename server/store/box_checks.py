"""What was found at cameras and encoders before their lesson: the last look at each, kept over restarts."""

from __future__ import annotations

import msgspec
from sqlalchemy import delete, select

from server.domain.box_check import BoxCheck
from server.protocol.parameters import Source
from server.protocol.sources import ProbePoint
from server.store.database import Database, upsert
from server.store.tables import SOURCE_CHECKS

_POINTS = msgspec.json.Decoder(tuple[ProbePoint, ...])


class BoxChecks:
    """`live.checking.CheckRows`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def all(self) -> list[BoxCheck]:
        return [
            BoxCheck(
                row.room,
                Source(row.source),
                row.lesson,
                row.at,
                next(iter(_POINTS.decode(row.wrong)), None),
                row.since,
                _POINTS.decode(row.points),
            )
            for row in await self._database.rows(select(SOURCE_CHECKS))
        ]

    async def put(self, check: BoxCheck) -> None:
        wrong = (check.wrong,) if check.wrong is not None else ()
        values = {
            "lesson": check.lesson,
            "at": check.at,
            "since": check.since,
            "wrong": msgspec.json.encode(wrong).decode(),
            "points": msgspec.json.encode(check.points).decode(),
        }
        await self._database.write(
            upsert(SOURCE_CHECKS, "room", "source", room=check.room, source=check.source.value, **values)
        )

    async def remove(self, room: str, source: Source) -> None:
        await self._database.write(
            delete(SOURCE_CHECKS).where(SOURCE_CHECKS.c.room == room, SOURCE_CHECKS.c.source == source.value)
        )

"""The audit log: rows that nobody can change or remove; the database itself refuses (`migrations`).

    await audit.write(actor.name, Action.SHARE_LESSON, lesson, visibility="county")

What a row never holds: a token, a password, an address. Within a request, `WRITTEN` counts its rows, so that
a route that ought to leave one and did not is found.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any

import msgspec
from sqlalchemy import func, select

from server.clock import Clock
from server.store.database import Database
from server.store.records import AuditRow
from server.store.tables import AUDIT

WRITTEN: ContextVar[list[str] | None] = ContextVar("audit_written", default=None)
"""The actions of the rows that the present request wrote; None outside of requests."""


class Audit:
    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def write(self, actor: str, action: str, thing: str, **details: str) -> None:
        """Add a row."""
        row = {"at": self._clock.wall_ms(), "actor": actor, "action": str(action), "thing": thing}
        await self._database.write(
            AUDIT.insert().values(**row, details=msgspec.json.encode(details).decode())
        )
        written = WRITTEN.get()
        if written is not None:
            written.append(str(action))

    async def rows(
        self, *, limit: int = 100, before: int | None = None, actor: str = "", action: str = "",
        thing: str = "",
    ) -> list[AuditRow]:  # fmt: skip
        """The newest first; `before`: only rows of smaller numbers; the others: the whole word."""
        asked = select(AUDIT).order_by(AUDIT.c.number.desc()).limit(limit)
        if before is not None:
            asked = asked.where(AUDIT.c.number < before)
        for column, word in ((AUDIT.c.actor, actor), (AUDIT.c.action, action), (AUDIT.c.thing, thing)):
            if word:
                asked = asked.where(column == word)
        return [_row(row) for row in await self._database.rows(asked)]

    async def count(self) -> int:
        rows = await self._database.rows(select(func.count()).select_from(AUDIT))
        return int(rows[0][0])


def _row(row: Any) -> AuditRow:
    details = msgspec.json.decode(row.details)
    return AuditRow(row.at, row.actor, row.action, row.thing, details, row.number)

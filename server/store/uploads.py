"""Films on their way into the library, as rows; how much of one is here, its file tells."""

from __future__ import annotations

from typing import Any

from sqlalchemy import delete, func, select, update

from server.clock import Clock
from server.ids import random_word
from server.store.database import Database
from server.store.library_records import UploadRow, UploadState
from server.store.tables import UPLOADS


class Uploads:
    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def create(self, actor: str, main_room: str, title: str, size: int) -> UploadRow:
        row = UploadRow(
            "u" + random_word(16), actor, main_room, title, size, UploadState.RECEIVING,
            changed_at=self._clock.wall_ms(),
        )  # fmt: skip
        values = {name: getattr(row, name) for name in UploadRow.__dataclass_fields__}
        await self._database.write(UPLOADS.insert().values({**values, "state": row.state.value}))
        return row

    async def row(self, upload: str) -> UploadRow | None:
        row = await self._database.row(select(UPLOADS).where(UPLOADS.c.upload == upload))
        return None if row is None else _row(row)

    async def receiving(self) -> int:
        """How many are under way."""
        counted = select(func.count()).where(UPLOADS.c.state == UploadState.RECEIVING.value)
        row = await self._database.row(counted)
        return int(row[0]) if row else 0

    async def change(
        self, upload: str, state: UploadState, *, problem: str = "", lesson: str | None = None
    ) -> None:
        values = {"state": state.value, "problem": problem, "lesson": lesson}
        changed = update(UPLOADS).where(UPLOADS.c.upload == upload)
        await self._database.write(changed.values(**values, changed_at=self._clock.wall_ms()))

    async def touched(self, upload: str) -> None:
        """Something of it came."""
        changed = update(UPLOADS).where(UPLOADS.c.upload == upload)
        await self._database.write(changed.values(changed_at=self._clock.wall_ms()))

    async def forget_before(self, ms: int) -> list[str]:
        """Those that nothing came of since then are forgotten; their names."""
        old = UPLOADS.c.changed_at < ms
        rows = await self._database.rows(select(UPLOADS.c.upload).where(old))
        await self._database.write(delete(UPLOADS).where(old))
        return [row.upload for row in rows]


def _row(row: Any) -> UploadRow:
    values = {name: getattr(row, name) for name in UploadRow.__dataclass_fields__}
    return UploadRow(**{**values, "state": UploadState(row.state)})

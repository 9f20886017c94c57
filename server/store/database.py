"""One SQLite file: many readers, one writer at a time. The store's queries stand on this."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import Row, Table
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine


class Database:
    """Statements in transactions of their own, or several in one by `writing`."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._one_writer = asyncio.Lock()

    async def close(self) -> None:
        await self._engine.dispose()

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncConnection]:
        """A transaction; nobody else writes meanwhile."""
        async with self._one_writer, self._engine.begin() as connection:
            yield connection

    async def write(self, *statements: Any) -> None:
        """All of them or none."""
        async with self.writing() as connection:
            for statement in statements:
                await connection.execute(statement)

    async def rows(self, statement: Any, values: dict[str, Any] | None = None) -> list[Row[Any]]:
        async with self._engine.connect() as connection:
            return list((await connection.execute(statement, values)).all())

    async def row(self, statement: Any, values: dict[str, Any] | None = None) -> Row[Any] | None:
        rows = await self.rows(statement, values)
        return rows[0] if rows else None


def upsert(table: Table, *keys: str, **values: object) -> Any:
    """Insert, or change the row with these keys."""
    others = {name: value for name, value in values.items() if name not in keys}
    return insert(table).values(**values).on_conflict_do_update(index_elements=list(keys), set_=others)

"""One database, SQLite or PostgreSQL: many readers, one writer at a time. The store's queries stand on this.

Statements are written once for both: `insert` is PostgreSQL's, whose ON CONFLICT clause SQLite's compiler
takes as it is (the store's tests run on both); what differs beyond that asks `is_sqlite`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Row, Table, event
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

__all__ = ["Database", "engine_of", "insert", "upsert", "upsert_each", "url_of"]

SQLITE = "sqlite"


def url_of(place: Path | str) -> str:
    """An SQLite file, or "postgresql://user:password@host/name", with the driver that we use."""
    if isinstance(place, Path):
        return f"sqlite+aiosqlite:///{place}"
    scheme, _, rest = place.partition("://")
    return f"postgresql+asyncpg://{rest}" if scheme in ("postgresql", "postgres") else place


def engine_of(place: Path | str, *, migrating: bool = False) -> AsyncEngine:
    """`migrating`: without the checks of foreign keys, since SQLite alters a table by making it anew."""
    engine = create_async_engine(url_of(place))
    if engine.dialect.name == SQLITE and not migrating:
        event.listen(engine.sync_engine, "connect", _pragmas)
    return engine


def _pragmas(connection: Any, _record: object) -> None:
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON", "busy_timeout=5000"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


class Database:
    """Statements in transactions of their own, or several in one by `writing`."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._one_writer = asyncio.Lock()
        self.in_flight = 0
        """Statements and transactions that are under way."""

    @property
    def is_sqlite(self) -> bool:
        return self._engine.dialect.name == SQLITE

    async def close(self) -> None:
        await self._engine.dispose()

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncConnection]:
        """A transaction; nobody else writes meanwhile."""
        async with self._one_writer, self._under_way(), self._engine.begin() as connection:
            yield connection

    @asynccontextmanager
    async def _under_way(self) -> AsyncIterator[None]:
        self.in_flight += 1
        try:
            yield
        finally:
            self.in_flight -= 1

    async def write(self, *statements: Any) -> None:
        """All of them or none."""
        async with self.writing() as connection:
            for statement in statements:
                await connection.execute(statement)

    async def rows(self, statement: Any, values: dict[str, Any] | None = None) -> list[Row[Any]]:
        async with self._under_way(), self._engine.connect() as connection:
            return list((await connection.execute(statement, values)).all())

    async def row(self, statement: Any, values: dict[str, Any] | None = None) -> Row[Any] | None:
        rows = await self.rows(statement, values)
        return rows[0] if rows else None


def upsert_each(table: Table, *keys: str) -> Any:
    """The same for a list of rows with every column, given to `execute` beside it."""
    asked = insert(table)
    others = {column.name: asked.excluded[column.name] for column in table.c if column.name not in keys}
    return asked.on_conflict_do_update(index_elements=list(keys), set_=others)


def upsert(table: Table, *keys: str, **values: object) -> Any:
    """Insert, or change the row with these keys."""
    others = {name: value for name, value in values.items() if name not in keys}
    return insert(table).values(**values).on_conflict_do_update(index_elements=list(keys), set_=others)

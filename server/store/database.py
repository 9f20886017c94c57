"""One database, SQLite or PostgreSQL: many readers, one writer at a time. The store's queries stand on this.

Statements are written once for both: `insert` is PostgreSQL's, whose ON CONFLICT clause SQLite's compiler
takes as it is (the store's tests run on both); what differs beyond that asks `is_sqlite`. What is read of
SQLite is read in threads of its own, one hop a statement: the asynchronous driver makes six of them.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, Row, Table, UpdateBase, create_engine, event
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

__all__ = ["Database", "engine_of", "insert", "upsert", "upsert_each", "url_of"]

SQLITE = "sqlite"
READERS = 4
WRITER_KIB, READER_KIB = 65_536, 16_384
"""Pages in memory, at most: an import of a term writes each page once and not again and again."""


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


def _pragmas(connection: Any, _record: object, cache_kib: int = WRITER_KIB) -> None:
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON", "busy_timeout=5000"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.execute(f"PRAGMA cache_size={-cache_kib}")
    cursor.close()


def _reader_pragmas(connection: Any, record: object) -> None:
    _pragmas(connection, record, READER_KIB)


class _Readers:
    """Reads an SQLite file in threads; each statement by itself."""

    def __init__(self, file: str) -> None:
        self._engine: Engine = create_engine(f"sqlite:///{file}", pool_size=READERS)
        event.listen(self._engine, "connect", _reader_pragmas)
        self._threads = ThreadPoolExecutor(READERS, thread_name_prefix="store")

    async def rows(self, statement: Any, values: dict[str, Any] | None) -> list[Row[Any]]:
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._read, statement, values)

    def _read(self, statement: Any, values: dict[str, Any] | None) -> list[Row[Any]]:
        with self._engine.connect() as connection:
            return list(connection.execute(statement, values).all())

    def close(self) -> None:
        self._threads.shutdown(wait=True)
        self._engine.dispose()


class Database:
    """Statements in transactions of their own, or several in one by `writing`."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        file = engine.url.database
        self._readers = _Readers(file) if self.is_sqlite and file else None
        self._one_writer = asyncio.Lock()
        self._touched: set[str] = set()
        self._changes: Counter[str] = Counter()
        event.listen(engine.sync_engine, "after_execute", self._note)
        self.in_flight = 0
        """Statements and transactions that are under way."""

    @property
    def is_sqlite(self) -> bool:
        return self._engine.dialect.name == SQLITE

    async def close(self) -> None:
        if self._readers is not None:
            self._readers.close()
        await self._engine.dispose()

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncConnection]:
        """A transaction; nobody else writes meanwhile."""
        async with self._one_writer, self._under_way():
            try:
                async with self._engine.begin() as connection:
                    yield connection
            finally:
                self._changes.update(self._touched)
                self._touched.clear()

    def mark(self, *tables: Table) -> tuple[int, ...]:
        """Rises with each transaction that changed one of these tables: what was read before is stale."""
        return tuple(self._changes[table.name] for table in tables)

    def _note(self, _connection: Any, statement: Any, *_: Any) -> None:
        if isinstance(statement, UpdateBase) and isinstance(statement.table, Table):
            self._touched.add(statement.table.name)

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
        async with self._under_way():
            if self._readers is not None:
                return await self._readers.rows(statement, values)
            async with self._engine.connect() as connection:
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

"""The whole store as one file, and back: taken while the server runs, read by either database.

A zip file: `meta.json`, then for each table `tables/NAME.jsonl`, a row a line, in the order in which rows
can be put back. SQLite is copied first (VACUUM INTO), PostgreSQL read in one REPEATABLE READ transaction:
both are the store of one moment. A backup of an earlier version goes into the tables of that version,
which are then brought up to date.
"""

from __future__ import annotations

import base64
import tempfile
import zipfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import Connection, Date, LargeBinary, MetaData, Table, func, insert, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from server.errors import UserFault
from server.store.database import engine_of
from server.store.migrate import newest_revision, revision_of, upgrade

FORMAT = 1
OURS = "lianke-backup"
NOT_COPIED = ("alembic_version", "catalogue_search")
BLOCK = 1_000
LARGEST_LINE = 16_000_000


class Meta(msgspec.Struct, frozen=True):
    kind: str
    format: int
    revision: str
    made_at: int
    rows: dict[str, int]


class BadBackup(UserFault):
    """A file that is no backup of ours, or of a newer version."""

    def __init__(self) -> None:
        super().__init__(
            "bad_backup",
            zh="这不是联课的备份文件，或由更新的版本制作。请换一个文件，或先升级。",
            en="This is no backup of Lianke, or one of a newer version. Choose another, or upgrade first.",
        )


class NotEmpty(UserFault):
    def __init__(self) -> None:
        super().__init__(
            "store_not_empty",
            zh="目标数据库里已有数据。请先移走数据库文件，或换一个空的数据库，再恢复。",
            en="The database to restore into is not empty. Move its file away or name an empty one first.",
        )


async def back_up(place: Path | str, into: Path, now_ms: int) -> dict[str, int]:
    """Write `into`, whole or not at all (0600); how many rows of each table."""
    beside = into.with_name(into.name + ".new")
    beside.unlink(missing_ok=True)
    beside.touch(mode=0o600)
    try:
        async with _frozen(place) as connection:
            revision = await connection.run_sync(revision_of)
            if revision is None:
                raise BadBackup
            with zipfile.ZipFile(beside, "w", zipfile.ZIP_DEFLATED) as archive:
                counted = await connection.run_sync(_write_tables, archive)
                meta = Meta(OURS, FORMAT, revision, now_ms, counted)
                archive.writestr("meta.json", msgspec.json.encode(meta))
        beside.replace(into)
    finally:
        beside.unlink(missing_ok=True)
    return counted


@asynccontextmanager
async def _frozen(place: Path | str) -> AsyncIterator[AsyncConnection]:
    """The store as it is at this moment, whatever is written meanwhile."""
    if isinstance(place, Path):
        with tempfile.TemporaryDirectory(dir=place.parent) as folder:
            copy = Path(folder) / "copy.sqlite3"
            source = engine_of(place)
            try:
                async with source.connect() as connection:
                    await connection.execute(text("VACUUM INTO :file"), {"file": str(copy)})
            finally:
                await source.dispose()
            async with _connected(copy) as connection:
                yield connection
        return
    async with _connected(place) as connection:
        await connection.execution_options(isolation_level="REPEATABLE READ")
        yield connection


@asynccontextmanager
async def _connected(place: Path | str) -> AsyncIterator[AsyncConnection]:
    engine = engine_of(place, migrating=True)
    try:
        async with engine.connect() as connection:
            yield connection
    finally:
        await engine.dispose()


def _tables(connection: Connection) -> list[Table]:
    """Those of the database as it is, referred ones first."""
    known = MetaData()
    known.reflect(connection, only=lambda name, _: not name.startswith(NOT_COPIED))
    return known.sorted_tables


def _write_tables(connection: Connection, archive: zipfile.ZipFile) -> dict[str, int]:
    counted = {}
    for table in _tables(connection):
        with archive.open(f"tables/{table.name}.jsonl", "w", force_zip64=True) as file:
            rows = connection.execute(select(table).order_by(*table.primary_key.columns))
            number = 0
            for number, row in enumerate(rows.mappings(), 1):  # noqa: B007
                file.write(msgspec.json.encode({key: _plain(value) for key, value in row.items()}) + b"\n")
        counted[table.name] = number
    return counted


def _plain(value: object) -> object:
    return {"b64": base64.b64encode(value).decode()} if isinstance(value, bytes) else value


async def restore(file: Path, place: Path | str) -> Meta:
    """Into a database that is empty or was only just made. BadBackup, NotEmpty; nothing is half done."""
    if isinstance(place, Path):
        _make_file(place)
    try:
        with zipfile.ZipFile(file) as archive:
            meta = _meta_of(archive)
            engine = engine_of(place, migrating=True)
            try:
                async with engine.begin() as connection:
                    await connection.run_sync(_restore, archive, meta)
            finally:
                await engine.dispose()
            return meta
    except (zipfile.BadZipFile, OSError, msgspec.MsgspecError, KeyError) as error:
        _take_away(place)
        raise BadBackup from error
    except UserFault:
        _take_away(place)
        raise


def _make_file(path: Path) -> None:
    if path.exists():
        raise NotEmpty
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)


def _take_away(place: Path | str) -> None:
    if isinstance(place, Path):
        for path in place.parent.glob(place.name + "*"):
            path.unlink(missing_ok=True)


def _meta_of(archive: zipfile.ZipFile) -> Meta:
    if archive.getinfo("meta.json").file_size > LARGEST_LINE:
        raise BadBackup
    meta = msgspec.json.decode(archive.read("meta.json"), type=Meta)
    if (meta.kind, meta.format) != (OURS, FORMAT) or meta.revision > newest_revision():
        raise BadBackup
    return meta


def _restore(connection: Connection, archive: zipfile.ZipFile, meta: Meta) -> None:
    if revision_of(connection) is not None:
        raise NotEmpty
    upgrade(connection, meta.revision)
    for table in _tables(connection):
        for block in _blocks(archive, table):
            connection.execute(insert(table), block)
        _count_on(connection, table)
    upgrade(connection)
    if meta.revision > "0001":
        connection.execute(text("UPDATE catalogue SET indexed = :no").bindparams(no=False))


def _blocks(archive: zipfile.ZipFile, table: Table) -> Iterator[list[dict[str, Any]]]:
    block: list[dict[str, Any]] = []
    with archive.open(f"tables/{table.name}.jsonl") as file:
        while line := file.readline(LARGEST_LINE):
            row = msgspec.json.decode(line, type=dict[str, Any])
            block.append({name: _value(table, name, value) for name, value in row.items()})
            if len(block) == BLOCK:
                yield block
                block = []
    if block:
        yield block


def _value(table: Table, name: str, value: Any) -> Any:
    kind = table.c[name].type
    if value is None:
        return None
    if isinstance(kind, LargeBinary):
        return base64.b64decode(value["b64"])
    return date.fromisoformat(value) if isinstance(kind, Date) else value


def _count_on(connection: Connection, table: Table) -> None:
    """PostgreSQL goes on numbering where the rows end; SQLite does so by itself."""
    (key, *more) = table.primary_key.columns
    if connection.dialect.name != "postgresql" or more or key.name != "number":
        return
    last = connection.execute(select(func.max(key))).scalar()
    if last is not None:
        sequence = func.pg_get_serial_sequence(table.name, key.name)
        connection.execute(select(func.setval(sequence, last)))

"""The store's tests run on both databases: SQLite, and Debian's PostgreSQL where it is installed.

The tables are made once for each; a test gets a copy.
"""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from server.ids import random_word
from server.store.database import engine_of
from server.store.migrate import migrate
from tests.fakes.postgres import postgres, programs

TEMPLATE = "made"


async def _create(url: str, name: str, template: str = "template1") -> str:
    """Another database of the server; its URL."""
    engine = engine_of(url)
    async with engine.connect() as connection:
        autocommit = await connection.execution_options(isolation_level="AUTOCOMMIT")
        await autocommit.execute(text(f"CREATE DATABASE {name} TEMPLATE {template}"))
    await engine.dispose()
    return url.replace("/postgres?", f"/{name}?")


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """One server for all, with a database that holds the tables; skipped where there is none to be had."""
    folder = programs()
    if folder is None:
        pytest.skip("PostgreSQL is not installed here (Debian: postgresql)")
    with contextlib.ExitStack() as stack:
        url = stack.enter_context(postgres(folder))
        asyncio.run(migrate(asyncio.run(_create(url, TEMPLATE))))
        yield url


@pytest.fixture(scope="session")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite file that holds the tables."""
    path = tmp_path_factory.mktemp("made") / "store.sqlite3"
    asyncio.run(migrate(path))
    return path


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Path | str:
    """A database of the test's own."""
    if request.param == "sqlite":
        path = tmp_path / "store.sqlite3"
        shutil.copyfile(request.getfixturevalue("file"), path)
        return path
    return asyncio.run(_create(request.getfixturevalue("server"), "t" + random_word(12), TEMPLATE))


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Path | str:
    """A database without tables."""
    if request.param == "sqlite":
        return tmp_path / "empty.sqlite3"
    return asyncio.run(_create(request.getfixturevalue("server"), "t" + random_word(12)))

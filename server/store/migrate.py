"""Brings a database file to the newest tables: Alembic, run from inside the package."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from sqlalchemy import create_engine

MIGRATIONS = Path(__file__).with_name("migrations")


def newest_revision() -> str:
    """Files of `migrations/versions` are named `{revision}_{what}.py`, in order."""
    return max(path.name.partition("_")[0] for path in (MIGRATIONS / "versions").glob("[0-9]*.py"))


def _revision_of(path: Path) -> str | None:
    with closing(sqlite3.connect(path)) as connection:
        try:
            row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        except sqlite3.OperationalError:
            return None
        return None if row is None else str(row[0])


def migrate(path: Path) -> None:
    """Upgrade the SQLite file to the newest revision. Blocking: call it in a thread.

    Alembic takes half a second to import: it is left out where there is nothing to do.
    """
    if _revision_of(path) == newest_revision():
        return
    from alembic import command
    from alembic.config import Config

    engine = create_engine(f"sqlite:///{path}")
    try:
        with engine.begin() as connection:
            config = Config()
            config.set_main_option("script_location", str(MIGRATIONS))
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    finally:
        engine.dispose()

"""Brings a database to the newest tables: Alembic, run from inside the package."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, inspect, text

from server.store.database import engine_of

MIGRATIONS = Path(__file__).with_name("migrations")
HEAD = "head"


def newest_revision() -> str:
    """Files of `migrations/versions` are named `{revision}_{what}.py`, in order."""
    return max(path.name.partition("_")[0] for path in (MIGRATIONS / "versions").glob("[0-9]*.py"))


def revision_of(connection: Connection) -> str | None:
    """None for a database without tables of ours."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    row = connection.execute(text("SELECT version_num FROM alembic_version")).first()
    return None if row is None else str(row[0])


def upgrade(connection: Connection, revision: str = HEAD) -> None:
    """Alembic takes half a second to import: it is left out where there is nothing to do."""
    if revision_of(connection) == (newest_revision() if revision == HEAD else revision):
        return
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


async def migrate(place: Path | str, revision: str = HEAD) -> None:
    """Upgrade the database (`database.engine_of`) to a revision, the newest unless said."""
    engine = engine_of(place, migrating=True)
    try:
        async with engine.begin() as connection:
            await connection.run_sync(upgrade, revision)
    finally:
        await engine.dispose()

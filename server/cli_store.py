"""`lianke backup` and `lianke restore`: the store as one file. Recordings are folders, copied as they are."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from server.config import load

ConfigFile = Annotated[Path | None, Parameter(name="--config", help="TOML file; defaults where left out.")]


def backup(file: Path, /, *, config: ConfigFile = None) -> None:
    """Write everything the store holds into FILE, while the server runs. It holds password hashes and keys:
    keep it as carefully as the server. Copy sources.key beside the database too."""
    from server.store.backup import back_up

    rows = asyncio.run(back_up(load(config).store_place, file, time.time_ns() // 1_000_000))
    print(f"{file}: {sum(rows.values())} rows of {len(rows)} tables, {file.stat().st_size} bytes")


def restore(file: Path, /, *, config: ConfigFile = None) -> None:
    """Put a backup into the empty database of the configuration: SQLite or PostgreSQL, whatever it came
    from. Stop the server first."""
    from server import supervisor
    from server.store import backup as backups

    settings = load(config)
    with supervisor.run_directory(settings):  # no campus has the store open
        meta = asyncio.run(backups.restore(file, settings.store_place))
    print(f"{sum(meta.rows.values())} rows of {len(meta.rows)} tables")


def add_to(app: App) -> None:
    app.command(backup)
    app.command(restore)

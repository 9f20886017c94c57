"""Stores of earlier versions, with rows in them, are brought to the newest tables and keep what they held."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine

from server.clock import SystemClock
from server.domain.posts import PostRole
from server.store.library import Library
from server.store.library_records import LibraryQuery
from server.store.migrate import MIGRATIONS
from server.store.store import Store

LESSON = "L0000000001"
VALUE = (
    '{"id":"L0000000001","title":{"zh":"第四单元","en":"Unit 4"},"main_room":"main","rooms":["shahe"],'
    '"state":"ended","created_at":5}'
)
ROWS = {
    "0001": (
        "INSERT INTO admins VALUES ('admin', '$argon2id$hash', 7)",
        "INSERT INTO rooms VALUES ('main', 0, '录播室', 'Recording room', 1, 1)",
        "INSERT INTO rooms VALUES ('shahe', 1, '沙河', 'Shahe', 0, 1)",
        "INSERT INTO rooms VALUES ('gone', 2, '旧', 'Old', 0, 0)",
        f"INSERT INTO lessons VALUES ('{LESSON}', 'ended', 'main', 5, 6, 7, 'w0', '{VALUE}')",
        f"INSERT INTO recordings VALUES ('{LESSON}', 'ready', 60.0, 0.9, '', '{LESSON}', '[]')",
        "INSERT INTO audit (at, actor, action, thing, details) VALUES (8, 'admin', 'log_in', 'admin', '{}')",
    ),
    "0002": (f"UPDATE catalogue SET subject = '英语' WHERE lesson = '{LESSON}'",),
    "0003": (f"INSERT INTO retention VALUES ('{LESSON}', 'ordinary', '', NULL)",),
    "0004": ("INSERT INTO sources VALUES ('main', 'camera', x'00', 'rtsp://10.0.0.9/', 0, 0, 1, 9)",),
}


def store_of(revision: str, path: Path) -> None:
    """A store as that version left it, with rows of each version before it."""
    path.touch(mode=0o600)
    engine = create_engine(f"sqlite:///{path}")
    for step in sorted(ROWS):
        if step > revision:
            break
        with engine.begin() as connection:
            config = Config()
            config.set_main_option("script_location", str(MIGRATIONS))
            config.attributes["connection"] = connection
            command.upgrade(config, step)
            for statement in ROWS[step]:
                connection.exec_driver_sql(statement)
    engine.dispose()


@pytest.mark.parametrize("revision", sorted(ROWS))
async def test_each_earlier_store_comes_up_to_date_with_its_rows(revision: str, tmp_path: Path) -> None:
    path = tmp_path / "lianke.sqlite3"
    store_of(revision, path)
    store = await Store.open(path, SystemClock())
    try:
        assert [(room.room, room.name.en, room.main) for room in await store.classrooms()] == [
            ("main", "Recording room", True),
            ("shahe", "Shahe", False),
        ]
        found = await store.people.by_login("admin")
        assert found is not None
        assert found[1] == "$argon2id$hash"
        (held,) = await store.people.posts(found[0].id)
        county = await store.county.county()
        assert county is not None
        assert (held.post.role, held.post.unit) == (PostRole.COUNTY_ADMIN, county.id)
        lesson = await store.lesson(LESSON)
        assert lesson is not None
        assert lesson.lesson.title.en == "Unit 4"
        assert [row.action for row in await store.audit_log.rows()] == ["log_in"]
        library = Library(store.database, SystemClock())
        assert (await library.find(LibraryQuery("录播", None)))[1] == 1
        await library.close()
    finally:
        await store.close()
    with sqlite3.connect(path) as connection:
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()

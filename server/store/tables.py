"""The tables, as SQLAlchemy Core. Migrations (`migrations/versions`) make them; a test compares both."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Float, ForeignKey, Index, Integer, LargeBinary, MetaData, Table, Text

METADATA = MetaData()

SETTINGS = Table(
    "settings",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("value", LargeBinary, nullable=False),
)

ADMINS = Table(
    "admins",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("password_hash", Text, nullable=False),  # Argon2id, PHC string
    Column("changed_at", Integer, nullable=False),
)

ROOMS = Table(
    "rooms",
    METADATA,
    Column("room", Text, primary_key=True),
    Column("position", Integer, nullable=False),  # order of the tiles
    Column("name_zh", Text, nullable=False),
    Column("name_en", Text, nullable=False),
    Column("main", Boolean, nullable=False),
    Column("in_use", Boolean, nullable=False),
)

LESSONS = Table(
    "lessons",
    METADATA,
    Column("lesson", Text, primary_key=True),
    Column("state", Text, nullable=False),
    Column("main_room", Text, nullable=False),
    Column("created_at", Integer, nullable=False),
    Column("started_at", Integer),
    Column("ended_at", Integer),
    Column("worker", Text),
    Column("value", Text, nullable=False),  # the whole domain.lesson.Lesson, JSON
    Index("lessons_by_state", "state"),
    Index("lessons_by_age", "created_at"),
)

RECORDINGS = Table(
    "recordings",
    METADATA,
    Column("lesson", Text, ForeignKey("lessons.lesson"), primary_key=True),
    Column("state", Text, nullable=False),
    Column("seconds", Float, nullable=False),
    Column("ready_after_s", Float),
    Column("problem", Text, nullable=False),
    Column("path", Text, nullable=False),  # folder below the archive
    Column("marks", Text, nullable=False),  # list[store.records.Mark], JSON
)

AUDIT = Table(
    "audit",
    METADATA,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("at", Integer, nullable=False),
    Column("actor", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("thing", Text, nullable=False),
    Column("details", Text, nullable=False),
)

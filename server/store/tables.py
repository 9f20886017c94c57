"""The tables, as SQLAlchemy Core. Migrations (`migrations/versions`) make them; a test compares both."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Float, ForeignKey, Index, Integer, LargeBinary, Table, Text, and_

from server.store.metadata import METADATA, MS

SETTINGS = Table(
    "settings",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("value", LargeBinary, nullable=False),
)

LESSONS = Table(
    "lessons",
    METADATA,
    Column("lesson", Text, primary_key=True),
    Column("state", Text, nullable=False),
    Column("main_room", Text, nullable=False),
    Column("created_at", MS, nullable=False),
    Column("started_at", MS),
    Column("ended_at", MS),
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

PUBLISHING = Table(
    "publishing",
    METADATA,
    Column("lesson", Text, ForeignKey("lessons.lesson"), primary_key=True),
    Column("state", Text, nullable=False),  # recorder.archive.published.PublishingState
    Column("progress", Float, nullable=False),
    Column("step", Text, nullable=False),
    Column("problem", Text, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("export", Boolean, nullable=False),  # the export was asked for
)

RETENTION = Table(
    "retention",
    METADATA,
    Column("lesson", Text, ForeignKey("lessons.lesson"), primary_key=True),
    Column("kept_as", Text, nullable=False),  # server.domain.retention.KeptAs
    Column("hold", Text, nullable=False),  # why it may not be deleted, "" where it may
    Column("deleted_at", MS),
    Column("freed_at", MS),  # its media are in the object store alone since then
)

AUDIT = Table(
    "audit",
    METADATA,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("at", MS, nullable=False),
    Column("actor", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("thing", Text, nullable=False),
    Column("details", Text, nullable=False),
)

SERIES = Table(
    "series",
    METADATA,
    Column("series", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("main_room", Text),  # whose teacher made it; None: the admin
    Column("created_at", MS, nullable=False),
)

CATALOGUE_WORDS = ("title", "teacher", "school", "subject", "grade", "edition", "volume", "chapter")

CATALOGUE = Table(
    "catalogue",
    METADATA,
    Column("number", Integer, primary_key=True, autoincrement=True),  # the row of `catalogue_search`
    Column("lesson", Text, ForeignKey("lessons.lesson"), nullable=False, unique=True),
    # What lists are made of stands here again, so that no list joins: kept by `Store`.
    Column("room", Text, nullable=False, server_default=""),
    Column("created_at", MS, nullable=False, server_default="0"),
    Column("own_title", Text, nullable=False, server_default=""),  # the lesson's, where `title` is empty
    Column("recording", Text, nullable=False, server_default=""),  # RECORDINGS' state; "": there is none
    Column("seconds", Float, nullable=False, server_default="0"),
    *[Column(name, Text, nullable=False, server_default="") for name in CATALOGUE_WORDS],
    Column("chapters", Text, nullable=False, server_default="[]"),  # list[store.records.ChapterTitle], JSON
    Column("series", Text, ForeignKey("series.series")),
    Column("position", Integer, nullable=False, server_default="0"),
    Column("visibility", Text, nullable=False, server_default="room"),
    Column("download", Boolean, nullable=False, server_default="0"),
    Column("taught_by", Text, nullable=False, server_default=""),  # the person
    Column("deletion_asked_at", MS),
    Column("deleted_at", MS),
    Column("version", Integer, nullable=False, server_default="1"),  # one more at each change by a person
    Column(
        "indexed", Boolean, nullable=False, server_default="0"
    ),  # whether the search knows the row as it is
)
for _name in ("series", "indexed", "taught_by"):
    Index(f"catalogue_by_{_name}", CATALOGUE.c[_name])
LISTED = and_(CATALOGUE.c.deleted_at.is_(None), CATALOGUE.c.recording != "")
"""What is in the library at all."""
LISTED_COLUMNS = (
    "created_at", "recording", "room", "visibility", "taught_by", "subject", "grade", "teacher", "school",
)  # fmt: skip
Index(
    "catalogue_listed",  # covers every list, count and filter
    *(CATALOGUE.c[_name] for _name in LISTED_COLUMNS),
    sqlite_where=LISTED,
    postgresql_where=LISTED,
)

Index(
    "catalogue_by_room",  # one school's lessons among a county's
    CATALOGUE.c.room,
    CATALOGUE.c.created_at,
    sqlite_where=LISTED,
    postgresql_where=LISTED,
)

CLOSED_ADDRESSES = Table(
    "closed_addresses",
    METADATA,
    Column("lesson", Text, ForeignKey("lessons.lesson"), primary_key=True),
    Column("last_s", MS, nullable=False),  # seconds since 1970: signed addresses until then are not good
)

WATCHED = Table(
    "watched",
    METADATA,
    Column("viewer", Text, primary_key=True),
    Column("lesson", Text, ForeignKey("lessons.lesson"), primary_key=True),
    Column("at_s", Float, nullable=False),
    Column("seen_at", MS, nullable=False),
)

EDITS = Table(
    "edits",
    METADATA,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("lesson", Text, ForeignKey("lessons.lesson"), nullable=False),
    Column("at", MS, nullable=False),
    Column("actor", Text, nullable=False),
    Column("value", Text, nullable=False),  # domain.editing.EditList, JSON
    Column("undone", Boolean, nullable=False),
    Index("edits_by_lesson", "lesson"),
)

CAPTIONS = Table(
    "captions",
    METADATA,
    Column("lesson", Text, ForeignKey("lessons.lesson"), primary_key=True),
    Column("language", Text, primary_key=True),
    Column("vtt", Text, nullable=False),
)

UPLOADS = Table(
    "uploads",
    METADATA,
    Column("upload", Text, primary_key=True),
    Column("actor", Text, nullable=False),
    Column("main_room", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("bytes", Integer, nullable=False),
    Column("state", Text, nullable=False),  # store.records.UploadState
    Column("problem", Text, nullable=False),
    Column("lesson", Text),
    Column("changed_at", MS, nullable=False),
)

SOURCES = Table(
    "sources",
    METADATA,
    Column("room", Text, ForeignKey("rooms.room"), primary_key=True),
    Column("source", Text, primary_key=True),  # protocol.parameters.Source
    Column("address", LargeBinary, nullable=False),  # sealed: it has a password in it
    Column("shown", Text, nullable=False),  # the address without its password
    Column("udp", Boolean, nullable=False),
    Column("sound", Boolean, nullable=False),
    Column("with_lesson", Boolean, nullable=False),
    Column("changed_at", MS, nullable=False),
)

SOURCE_CHECKS = Table(
    "source_checks",
    METADATA,
    Column("room", Text, primary_key=True),
    Column("source", Text, primary_key=True),  # protocol.parameters.Source
    Column("lesson", Text, nullable=False),
    Column("at", MS, nullable=False),
    Column("since", MS, nullable=False),
    Column("wrong", Text, nullable=False),  # JSON: a list of none or one protocol.sources.ProbePoint
    Column("points", Text, nullable=False),  # JSON: a list of them
)

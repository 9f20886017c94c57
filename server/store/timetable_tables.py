"""Tables of the timetable: terms, bells, the curriculum, lines and booked lessons (SQLAlchemy Core).

A booked lesson is a row of `lessons` in the state `planned` with its place in the timetable beside it here;
that place stays when the lesson is over, so that reports know what was due. Days and times of day are the
county's.
"""

from __future__ import annotations

from sqlalchemy import Column, Date, ForeignKey, Index, Integer, Table, Text

from server.store.metadata import METADATA, MS

TERMS = Table(
    "terms",
    METADATA,
    Column("term", Text, primary_key=True),
    Column("name_zh", Text, nullable=False),
    Column("name_en", Text, nullable=False),
    Column("first_monday", Date, nullable=False),
    Column("weeks", Integer, nullable=False),
    Column("version", Integer, nullable=False),
)

TERM_SWAPS = Table(
    "term_swaps",
    METADATA,
    Column("term", Text, ForeignKey("terms.term"), primary_key=True),
    Column("day", Date, primary_key=True),
    Column("runs", Date),  # whose timetable it runs; NULL: none
)

BELLS = Table(
    "bells",
    METADATA,
    Column("school", Text, primary_key=True),  # a unit, or "county": who has none of their own
    Column("value", Text, nullable=False),  # list[protocol.timetable.BellTime], JSON
    Column("version", Integer, nullable=False),
)

CURRICULUM = Table(
    "curriculum",
    METADATA,
    Column("entry", Text, primary_key=True),
    Column("kind", Text, nullable=False),  # subject, grade, edition, volume, chapter
    Column("name_zh", Text, nullable=False),
    Column("name_en", Text, nullable=False),
    Column("parent", Text, nullable=False, server_default=""),
    Column("position", Integer, nullable=False, server_default="0"),
    Column("version", Integer, nullable=False, server_default="0"),
    Index("curriculum_by_kind", "kind", "position"),
)

LINES = Table(
    "timetable_lines",
    METADATA,
    Column("line", Text, primary_key=True),
    Column("term", Text, ForeignKey("terms.term"), nullable=False),
    Column("main_room", Text, nullable=False),
    Column("value", Text, nullable=False),  # domain.timetable.Entry, JSON
    Index("timetable_lines_by_room", "term", "main_room"),
)

BOOKINGS = Table(
    "bookings",
    METADATA,
    Column("lesson", Text, ForeignKey("lessons.lesson"), primary_key=True),
    Column("slot", Text, unique=True),  # of the line's day and period: an import finds it again by this
    Column("line", Text),
    Column("term", Text),
    Column("day", Date, nullable=False),
    Column("first", Integer, nullable=False),
    Column("last", Integer, nullable=False),
    Column("starts_at", MS, nullable=False),
    Column("ends_at", MS, nullable=False),
    Column("main_room", Text, nullable=False),
    Column("teacher", Text, nullable=False, server_default=""),
    Column("subject", Text, nullable=False, server_default=""),
    Column("grade", Text, nullable=False, server_default=""),
    Column("title", Text, nullable=False, server_default=""),
    Column("template", Text, nullable=False),
    Column("series", Text, nullable=False, server_default=""),
    Column("change", Text, nullable=False, server_default="none"),  # protocol.timetable.BookingChange
    Column("version", Integer, nullable=False, server_default="1"),
    Index("bookings_by_time", "starts_at"),
    Index("bookings_by_room", "main_room", "starts_at"),
    Index("bookings_by_teacher", "teacher", "starts_at"),
    Index("bookings_by_series", "series"),
)

BOOKED_ROOMS = Table(
    "booked_rooms",
    METADATA,
    Column("lesson", Text, ForeignKey("lessons.lesson"), primary_key=True),
    Column("room", Text, primary_key=True),
    Column("position", Integer, nullable=False),
    Column("starts_at", MS, nullable=False),
    Index("booked_rooms_by_room", "room", "starts_at"),
)

CALL_LISTS = Table(
    "call_lists",
    METADATA,
    Column("main_room", Text, primary_key=True),
    Column("room", Text, primary_key=True),  # may be invited from there, whatever school it is of
)

CALL_LIST_VERSIONS = Table(
    "call_list_versions",
    METADATA,
    Column("main_room", Text, primary_key=True),
    Column("version", Integer, nullable=False),
)

FEEDS = Table(
    "calendar_feeds",
    METADATA,
    Column("owner", Text, primary_key=True),  # "person:ID" or "room:ID"
    Column("number", Integer, nullable=False),  # of the secret address that is good; a new one ends the old
)

"""Terms, bells, the curriculum, timetable lines, booked lessons."""

import sqlalchemy as sa
from alembic import op

from server.store.metadata import MS

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    _calendar()
    _bookings()
    op.create_table(
        "call_lists",
        sa.Column("main_room", sa.Text, primary_key=True),
        sa.Column("room", sa.Text, primary_key=True),
    )
    op.create_table(
        "calendar_feeds",
        sa.Column("owner", sa.Text, primary_key=True),
        sa.Column("number", sa.Integer, nullable=False),
    )


def _calendar() -> None:
    op.create_table(
        "terms",
        sa.Column("term", sa.Text, primary_key=True),
        sa.Column("name_zh", sa.Text, nullable=False),
        sa.Column("name_en", sa.Text, nullable=False),
        sa.Column("first_monday", sa.Date, nullable=False),
        sa.Column("weeks", sa.Integer, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
    )
    op.create_table(
        "term_swaps",
        sa.Column("term", sa.Text, sa.ForeignKey("terms.term"), primary_key=True),
        sa.Column("day", sa.Date, primary_key=True),
        sa.Column("runs", sa.Date),
    )
    op.create_table(
        "bells",
        sa.Column("school", sa.Text, primary_key=True),
        sa.Column("value", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
    )
    op.create_table(
        "curriculum",
        sa.Column("entry", sa.Text, primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("name_zh", sa.Text, nullable=False),
        sa.Column("name_en", sa.Text, nullable=False),
        sa.Column("parent", sa.Text, nullable=False, server_default=""),
        sa.Column("position", sa.Integer, nullable=False, server_default="0"),
    )
    op.create_index("curriculum_by_kind", "curriculum", ["kind", "position"])
    op.create_table(
        "timetable_lines",
        sa.Column("line", sa.Text, primary_key=True),
        sa.Column("term", sa.Text, sa.ForeignKey("terms.term"), nullable=False),
        sa.Column("main_room", sa.Text, nullable=False),
        sa.Column("value", sa.Text, nullable=False),
    )
    op.create_index("timetable_lines_by_room", "timetable_lines", ["term", "main_room"])


def _bookings() -> None:
    op.create_table(
        "bookings",
        sa.Column("lesson", sa.Text, sa.ForeignKey("lessons.lesson"), primary_key=True),
        sa.Column("slot", sa.Text, unique=True),
        sa.Column("line", sa.Text),
        sa.Column("term", sa.Text),
        sa.Column("day", sa.Date, nullable=False),
        sa.Column("first", sa.Integer, nullable=False),
        sa.Column("last", sa.Integer, nullable=False),
        sa.Column("starts_at", MS, nullable=False),
        sa.Column("ends_at", MS, nullable=False),
        sa.Column("main_room", sa.Text, nullable=False),
        *[
            sa.Column(name, sa.Text, nullable=False, server_default="")
            for name in ("teacher", "subject", "grade", "title")
        ],
        sa.Column("template", sa.Text, nullable=False),
        sa.Column("series", sa.Text, nullable=False, server_default=""),
        sa.Column("change", sa.Text, nullable=False, server_default="none"),
        sa.Column("version", sa.Integer, nullable=False, server_default="1"),
    )
    op.create_index("bookings_by_time", "bookings", ["starts_at"])
    op.create_index("bookings_by_room", "bookings", ["main_room", "starts_at"])
    op.create_index("bookings_by_teacher", "bookings", ["teacher", "starts_at"])
    op.create_index("bookings_by_series", "bookings", ["series"])
    op.create_table(
        "booked_rooms",
        sa.Column("lesson", sa.Text, sa.ForeignKey("lessons.lesson"), primary_key=True),
        sa.Column("room", sa.Text, primary_key=True),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("starts_at", MS, nullable=False),
    )
    op.create_index("booked_rooms_by_room", "booked_rooms", ["room", "starts_at"])

"""The library: what a lesson is about, series, where a viewer stopped, edit lists, captions, uploads."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TSVECTOR

from server.store.metadata import MS

revision = "0002"
down_revision = "0001"

WORDS = ("title", "teacher", "school", "subject", "grade", "edition", "volume", "chapter")


def upgrade() -> None:
    op.create_table(
        "series",
        sa.Column("series", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("main_room", sa.Text),
        sa.Column("created_at", MS, nullable=False),
    )
    op.create_table(
        "catalogue",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("lesson", sa.Text, sa.ForeignKey("lessons.lesson"), nullable=False, unique=True),
        *[sa.Column(name, sa.Text, nullable=False, server_default="") for name in WORDS],
        sa.Column("chapters", sa.Text, nullable=False, server_default="[]"),
        sa.Column("series", sa.Text, sa.ForeignKey("series.series")),
        sa.Column("position", sa.Integer, nullable=False, server_default="0"),
        sa.Column("visibility", sa.Text, nullable=False, server_default="room"),
        sa.Column("download", sa.Boolean, nullable=False, server_default="0"),
        sa.Column("deletion_asked_at", MS),
        sa.Column("deleted_at", MS),
        sa.Column("indexed", sa.Boolean, nullable=False, server_default="0"),
    )
    for name in ("subject", "grade", "teacher", "school", "series", "indexed"):
        op.create_index(f"catalogue_by_{name}", "catalogue", [name])
    op.create_table(
        "watched",
        sa.Column("viewer", sa.Text, primary_key=True),
        sa.Column("lesson", sa.Text, sa.ForeignKey("lessons.lesson"), primary_key=True),
        sa.Column("at_s", sa.Float, nullable=False),
        sa.Column("seen_at", MS, nullable=False),
    )
    _made_by_people()
    if op.get_bind().dialect.name == "postgresql":
        op.create_table(
            "catalogue_search",
            sa.Column("number", sa.Integer, primary_key=True),
            sa.Column("words", TSVECTOR, nullable=False),
            sa.Column("initials", TSVECTOR, nullable=False),
        )
        for name in ("words", "initials"):
            op.create_index(f"catalogue_search_{name}", "catalogue_search", [name], postgresql_using="gin")
    else:
        op.execute("CREATE VIRTUAL TABLE catalogue_search USING fts5(words, initials, tokenize='unicode61')")
    op.execute("INSERT INTO catalogue (lesson) SELECT lesson FROM lessons")


def _made_by_people() -> None:
    op.create_table(
        "edits",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("lesson", sa.Text, sa.ForeignKey("lessons.lesson"), nullable=False),
        sa.Column("at", MS, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("value", sa.Text, nullable=False),
        sa.Column("undone", sa.Boolean, nullable=False),
    )
    op.create_index("edits_by_lesson", "edits", ["lesson"])
    op.create_table(
        "captions",
        sa.Column("lesson", sa.Text, sa.ForeignKey("lessons.lesson"), primary_key=True),
        sa.Column("language", sa.Text, primary_key=True),
        sa.Column("vtt", sa.Text, nullable=False),
    )
    op.create_table(
        "uploads",
        sa.Column("upload", sa.Text, primary_key=True),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("main_room", sa.Text, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("bytes", sa.Integer, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("problem", sa.Text, nullable=False),
        sa.Column("lesson", sa.Text),
        sa.Column("changed_at", MS, nullable=False),
    )

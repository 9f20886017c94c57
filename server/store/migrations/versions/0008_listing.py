"""What the library's lists are made of stands in the catalogue, under one index that covers them."""

import sqlalchemy as sa
from alembic import op

from server.store.metadata import MS

revision = "0008"
down_revision = "0007"

GONE = ("subject", "grade", "teacher", "school")
LISTED = (
    "created_at", "recording", "room", "visibility", "taught_by", "subject", "grade", "teacher", "school",
)  # fmt: skip
TITLE = {
    "sqlite": "json_extract(l.value, '$.title.zh')",
    "postgresql": "CAST(l.value AS json)->'title'->>'zh'",
}


def upgrade() -> None:
    for column in (
        sa.Column("room", sa.Text, nullable=False, server_default=""),
        sa.Column("created_at", MS, nullable=False, server_default="0"),
        sa.Column("own_title", sa.Text, nullable=False, server_default=""),
        sa.Column("recording", sa.Text, nullable=False, server_default=""),
        sa.Column("seconds", sa.Float, nullable=False, server_default="0"),
    ):
        op.add_column("catalogue", column)
    title = TITLE[op.get_bind().dialect.name]
    op.execute(
        "UPDATE catalogue SET "
        "room = (SELECT l.main_room FROM lessons l WHERE l.lesson = catalogue.lesson), "
        "created_at = (SELECT l.created_at FROM lessons l WHERE l.lesson = catalogue.lesson), "
        f"own_title = COALESCE((SELECT {title} FROM lessons l WHERE l.lesson = catalogue.lesson), ''), "
        "recording = COALESCE((SELECT r.state FROM recordings r WHERE r.lesson = catalogue.lesson), ''), "
        "seconds = COALESCE((SELECT r.seconds FROM recordings r WHERE r.lesson = catalogue.lesson), 0)"
    )
    op.execute(
        "UPDATE catalogue SET deleted_at = (SELECT t.deleted_at FROM retention t "
        "WHERE t.lesson = catalogue.lesson) WHERE deleted_at IS NULL AND EXISTS (SELECT 1 FROM retention t "
        "WHERE t.lesson = catalogue.lesson AND t.deleted_at IS NOT NULL)"
    )
    for name in GONE:
        op.drop_index(f"catalogue_by_{name}", "catalogue")
    listed = sa.text("deleted_at IS NULL AND recording != ''")
    op.create_index(
        "catalogue_listed", "catalogue", list(LISTED), sqlite_where=listed, postgresql_where=listed
    )

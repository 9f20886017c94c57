"""A guest's link stands for a main room, for one lesson of it or for whichever is on there."""

import sqlalchemy as sa
from alembic import op

from server.store.metadata import MS

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.drop_index("guest_links_by_lesson", "guest_links")
    op.drop_table("guest_links")  # no version before this one wrote a row
    op.create_table(
        "guest_links",
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("room", sa.Text, sa.ForeignKey("units.unit"), nullable=False),
        sa.Column("lesson", sa.Text, nullable=False, server_default=""),
        sa.Column("label", sa.Text, nullable=False, server_default=""),
        sa.Column("made_by", sa.Text, nullable=False),
        sa.Column("made_at", MS, nullable=False),
        sa.Column("until", MS, nullable=False),
        sa.Column("ended_at", MS),
    )
    op.create_index("guest_links_by_room", "guest_links", ["room"])

"""Cameras and encoders of rooms."""

import sqlalchemy as sa
from alembic import op

from server.store.metadata import MS

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "sources",
        sa.Column("room", sa.Text, sa.ForeignKey("rooms.room"), primary_key=True),
        sa.Column("source", sa.Text, primary_key=True),
        sa.Column("address", sa.LargeBinary, nullable=False),
        sa.Column("shown", sa.Text, nullable=False),
        sa.Column("udp", sa.Boolean, nullable=False),
        sa.Column("sound", sa.Boolean, nullable=False),
        sa.Column("with_lesson", sa.Boolean, nullable=False),
        sa.Column("changed_at", MS, nullable=False),
    )

"""What is made of recordings after class, and how long they are kept."""

import sqlalchemy as sa
from alembic import op

from server.store.metadata import MS

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "publishing",
        sa.Column("lesson", sa.Text, sa.ForeignKey("lessons.lesson"), primary_key=True),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("progress", sa.Float, nullable=False),
        sa.Column("step", sa.Text, nullable=False),
        sa.Column("problem", sa.Text, nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("export", sa.Boolean, nullable=False),
    )
    op.create_table(
        "retention",
        sa.Column("lesson", sa.Text, sa.ForeignKey("lessons.lesson"), primary_key=True),
        sa.Column("kept_as", sa.Text, nullable=False),
        sa.Column("hold", sa.Text, nullable=False),
        sa.Column("deleted_at", MS),
    )

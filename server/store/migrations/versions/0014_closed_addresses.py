"""Recordings whose signed addresses were ended before their time."""

import sqlalchemy as sa
from alembic import op

from server.store.metadata import MS

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    op.create_table(
        "closed_addresses",
        sa.Column("lesson", sa.Text, sa.ForeignKey("lessons.lesson"), primary_key=True),
        sa.Column("last_s", MS, nullable=False),
    )

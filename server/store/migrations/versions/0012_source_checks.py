"""What was found at cameras and encoders before their lesson."""

import sqlalchemy as sa
from alembic import op

from server.store.metadata import MS

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.create_table(
        "source_checks",
        sa.Column("room", sa.Text, primary_key=True),
        sa.Column("source", sa.Text, primary_key=True),
        sa.Column("lesson", sa.Text, nullable=False),
        sa.Column("at", MS, nullable=False),
        sa.Column("since", MS, nullable=False),
        sa.Column("wrong", sa.Text, nullable=False),
        sa.Column("points", sa.Text, nullable=False),
    )

"""Versions of what two people may edit at once; which recordings left this disk for the object store."""

import sqlalchemy as sa
from alembic import op

from server.store.metadata import MS

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    op.add_column("catalogue", sa.Column("version", sa.Integer, nullable=False, server_default="1"))
    op.add_column("curriculum", sa.Column("version", sa.Integer, nullable=False, server_default="0"))
    op.create_table(
        "call_list_versions",
        sa.Column("main_room", sa.Text, primary_key=True),
        sa.Column("version", sa.Integer, nullable=False),
    )
    op.add_column("retention", sa.Column("freed_at", MS))

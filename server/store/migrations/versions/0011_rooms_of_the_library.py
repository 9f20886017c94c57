"""The library of one room in the order of time: what a school lists is not looked for in the county's."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0009"


def upgrade() -> None:
    listed = sa.text("deleted_at IS NULL AND recording != ''")
    op.create_index(
        "catalogue_by_room", "catalogue", ["room", "created_at"], sqlite_where=listed, postgresql_where=listed
    )

"""Rooms' devices, what rooms received, faults, hear checks, rehearsals."""

import sqlalchemy as sa
from alembic import op

from server.store.metadata import MS

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.create_table(
        "devices",
        sa.Column("device", sa.Text, primary_key=True),
        sa.Column("room", sa.Text, nullable=False),
        sa.Column("key", sa.LargeBinary, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("restore", sa.Integer, nullable=False),
        sa.Column("label", sa.Text, nullable=False),
        sa.Column("browser", sa.Text, nullable=False),
        sa.Column("paired_at", MS, nullable=False),
        sa.Column("paired_by", sa.Text, nullable=False),
        sa.Column("bound_at", MS, nullable=False),
        sa.Column("moves", sa.Text, nullable=False),
        sa.Column("seen_at", MS),
        sa.Column("revoked_at", MS),
    )
    op.create_index("devices_by_room", "devices", ["room"])
    op.create_table(
        "faults",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("room", sa.Text, nullable=False),
        sa.Column("at", MS, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("lesson", sa.Text, nullable=False),
    )
    op.create_index("faults_by_room", "faults", ["room", "at"])
    op.create_table(
        "hear_checks",
        sa.Column("room", sa.Text, primary_key=True),
        sa.Column("at", MS, nullable=False),
        sa.Column("result", sa.Text, nullable=False),
        sa.Column("delay_ms", sa.Integer, nullable=False),
        sa.Column("above_db", sa.Float, nullable=False),
    )
    _received()


def _received() -> None:
    op.create_table(
        "receptions",
        sa.Column("lesson", sa.Text, primary_key=True),
        sa.Column("room", sa.Text, primary_key=True),
        sa.Column("heads", sa.Integer),
        sa.Column("talk_ms", MS, nullable=False),
    )
    op.create_index("receptions_by_room", "receptions", ["room"])
    op.create_table(
        "spans",
        sa.Column("lesson", sa.Text, primary_key=True),
        sa.Column("room", sa.Text, primary_key=True),
        sa.Column("since", MS, primary_key=True),
        sa.Column("until", MS, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("side", sa.Text, nullable=False),
        sa.Column("cause", sa.Text, nullable=False),
        sa.Column("freeze_ms", MS, nullable=False),
        sa.Column("concealed_ms", MS, nullable=False),
        sa.Column("delay_ms", sa.Integer, nullable=False),
        sa.Column("height", sa.Integer, nullable=False),
    )
    op.create_table(
        "rehearsals",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("at", MS, nullable=False),
        sa.Column("main_room", sa.Text, nullable=False),
        sa.Column("teacher", sa.Text, nullable=False),
        sa.Column("steps", sa.Text, nullable=False),
    )
    op.create_index("rehearsals_by_time", "rehearsals", ["at"])

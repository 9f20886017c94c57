"""The first tables."""

import sqlalchemy as sa
from alembic import op

from server.store.metadata import MS

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "settings",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("value", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "admins",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("password_hash", sa.Text, nullable=False),
        sa.Column("changed_at", MS, nullable=False),
    )
    op.create_table(
        "rooms",
        sa.Column("room", sa.Text, primary_key=True),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("name_zh", sa.Text, nullable=False),
        sa.Column("name_en", sa.Text, nullable=False),
        sa.Column("main", sa.Boolean, nullable=False),
        sa.Column("in_use", sa.Boolean, nullable=False),
    )
    _lessons()
    op.create_table(
        "audit",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("at", MS, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("thing", sa.Text, nullable=False),
        sa.Column("details", sa.Text, nullable=False),
    )
    _only_grows()


def _only_grows() -> None:
    """The database itself refuses to change or remove a row of the audit log."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE FUNCTION audit_only_grows() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION 'the audit log only grows'; END $$"
        )
        op.execute(
            "CREATE TRIGGER audit_only_grows BEFORE UPDATE OR DELETE OR TRUNCATE ON audit "
            "FOR EACH STATEMENT EXECUTE FUNCTION audit_only_grows()"
        )
        return
    for verb in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER audit_no_{verb.lower()} BEFORE {verb} ON audit "
            "BEGIN SELECT RAISE(ABORT, 'the audit log only grows'); END"
        )


def _lessons() -> None:
    op.create_table(
        "lessons",
        sa.Column("lesson", sa.Text, primary_key=True),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("main_room", sa.Text, nullable=False),
        sa.Column("created_at", MS, nullable=False),
        sa.Column("started_at", MS),
        sa.Column("ended_at", MS),
        sa.Column("worker", sa.Text),
        sa.Column("value", sa.Text, nullable=False),
    )
    op.create_index("lessons_by_state", "lessons", ["state"])
    op.create_index("lessons_by_age", "lessons", ["created_at"])
    op.create_table(
        "recordings",
        sa.Column("lesson", sa.Text, sa.ForeignKey("lessons.lesson"), primary_key=True),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("seconds", sa.Float, nullable=False),
        sa.Column("ready_after_s", sa.Float),
        sa.Column("problem", sa.Text, nullable=False),
        sa.Column("path", sa.Text, nullable=False),
        sa.Column("marks", sa.Text, nullable=False),
    )

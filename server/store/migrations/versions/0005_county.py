"""The county: units, people, posts, sessions. Rooms become units, the one admin becomes a person."""

from collections.abc import Sequence
from datetime import date
from typing import Any

import sqlalchemy as sa
from alembic import op

from server.store.metadata import MS

revision = "0005"
down_revision = "0004"

FOUNDED = date(2020, 1, 1)


def upgrade() -> None:
    _units()
    _people()
    _entrusted()
    connection = op.get_bind()
    rooms = connection.execute(sa.text("SELECT * FROM rooms ORDER BY position")).all()
    admin = connection.execute(sa.text("SELECT * FROM admins")).first()
    if rooms or admin is not None:
        _settle(connection, rooms, admin)
    with op.batch_alter_table("rooms") as batch:
        for name in ("name_zh", "name_en", "in_use"):
            batch.drop_column(name)
        batch.create_foreign_key("rooms_are_units", "units", ["room"], ["unit"])
    op.drop_table("admins")
    op.add_column("catalogue", sa.Column("taught_by", sa.Text, nullable=False, server_default=""))
    op.create_index("catalogue_by_taught_by", "catalogue", ["taught_by"])


def _units() -> None:
    op.create_table(
        "units",
        sa.Column("unit", sa.Text, primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("since", sa.Date, nullable=False),
        sa.Column("until", sa.Date),
        sa.Column("successor", sa.Text, nullable=False, server_default=""),
        sa.Column("version", sa.Integer, nullable=False, server_default="1"),
    )
    op.create_table(
        "unit_names",
        sa.Column("unit", sa.Text, sa.ForeignKey("units.unit"), primary_key=True),
        sa.Column("since", sa.Date, primary_key=True),
        sa.Column("zh", sa.Text, nullable=False),
        sa.Column("en", sa.Text, nullable=False),
    )
    op.create_table(
        "unit_parents",
        sa.Column("unit", sa.Text, sa.ForeignKey("units.unit"), primary_key=True),
        sa.Column("since", sa.Date, primary_key=True),
        sa.Column("parent", sa.Text, sa.ForeignKey("units.unit"), nullable=False),
    )
    op.create_table(
        "bonds",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("first", sa.Text, sa.ForeignKey("units.unit"), nullable=False),
        sa.Column("second", sa.Text, sa.ForeignKey("units.unit"), nullable=False),
        sa.Column("since", sa.Date, nullable=False),
        sa.Column("until", sa.Date),
    )


def _people() -> None:
    op.create_table(
        "people",
        sa.Column("person", sa.Text, primary_key=True),
        sa.Column("login", sa.Text, nullable=False, unique=True),
        sa.Column("name_zh", sa.Text, nullable=False),
        sa.Column("name_en", sa.Text, nullable=False),
        sa.Column("language", sa.Text, nullable=False, server_default=""),
        sa.Column("password_hash", sa.Text, nullable=False),
        sa.Column("must_change", sa.Boolean, nullable=False, server_default="0"),
        sa.Column("active", sa.Boolean, nullable=False, server_default="1"),
        sa.Column("version", sa.Integer, nullable=False, server_default="1"),
        sa.Column("created_at", MS, nullable=False),
        sa.Column("changed_at", MS, nullable=False),
    )
    op.create_table(
        "posts",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("person", sa.Text, sa.ForeignKey("people.person"), nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("unit", sa.Text, sa.ForeignKey("units.unit"), nullable=False),
        sa.Column("since", sa.Date, nullable=False),
        sa.Column("until", sa.Date),
    )
    op.create_index("posts_by_person", "posts", ["person"])
    op.create_index("posts_by_unit", "posts", ["unit"])
    op.create_table(
        "sessions",
        sa.Column("session", sa.Text, primary_key=True),
        sa.Column("person", sa.Text, sa.ForeignKey("people.person"), nullable=False),
        sa.Column("created_at", MS, nullable=False),
        sa.Column("seen_at", MS, nullable=False),
        sa.Column("expires_at", MS, nullable=False),
        sa.Column("network", sa.Text, nullable=False),
        sa.Column("agent", sa.Text, nullable=False),
    )
    op.create_index("sessions_by_person", "sessions", ["person"])


def _entrusted() -> None:
    op.create_table(
        "consents",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("unit", sa.Text, sa.ForeignKey("units.unit"), nullable=False),
        sa.Column("level", sa.Text, nullable=False),
        sa.Column("at", MS, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
    )
    op.create_index("consents_by_unit", "consents", ["unit"])
    op.create_table(
        "approvals",
        sa.Column("lesson", sa.Text, sa.ForeignKey("lessons.lesson"), primary_key=True),
        sa.Column("asked_by", sa.Text, nullable=False),
        sa.Column("asked_at", MS, nullable=False),
        sa.Column("approved_by", sa.Text, nullable=False, server_default=""),
        sa.Column("approved_at", MS),
    )
    op.create_table(
        "guest_links",
        sa.Column("link", sa.Text, primary_key=True),
        sa.Column("lesson", sa.Text, sa.ForeignKey("lessons.lesson"), nullable=False),
        sa.Column("label", sa.Text, nullable=False),
        sa.Column("made_by", sa.Text, nullable=False),
        sa.Column("opens_at", MS, nullable=False),
        sa.Column("closes_at", MS, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("guest_name", sa.Text, nullable=False, server_default=""),
    )
    op.create_index("guest_links_by_lesson", "guest_links", ["lesson"])
    op.create_table(
        "api_tokens",
        sa.Column("token", sa.Text, primary_key=True),
        sa.Column("person", sa.Text, sa.ForeignKey("people.person"), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("scopes", sa.Text, nullable=False),
        sa.Column("created_at", MS, nullable=False),
        sa.Column("expires_at", MS, nullable=False),
        sa.Column("used_at", MS),
    )
    op.create_index("api_tokens_by_person", "api_tokens", ["person"])


def _settle(connection: sa.Connection, rooms: Sequence[sa.Row[Any]], admin: sa.Row[Any] | None) -> None:
    """What was one school with rooms is a county with that school."""
    _unit(connection, "the-county", "county", "本县", "The county", "")
    _unit(connection, "the-school", "school", "本校", "The school", "the-county")
    for room in rooms:
        gone = None if room.in_use else date.today()
        _unit(connection, room.room, "room", room.name_zh, room.name_en, "the-school", gone)
    if admin is not None:
        connection.execute(
            sa.text(
                "INSERT INTO people (person, login, name_zh, name_en, password_hash, created_at, changed_at)"
                " VALUES ('admin', 'admin', '管理员', 'Administrator', :hash, :at, :at)"
            ),
            {"hash": admin.password_hash, "at": admin.changed_at},
        )
        connection.execute(
            sa.text(
                "INSERT INTO posts (person, role, unit, since)"
                " VALUES ('admin', 'county_admin', 'the-county', :since)"
            ).bindparams(sa.bindparam("since", FOUNDED, sa.Date)),
        )


def _unit(
    connection: sa.Connection, unit: str, kind: str, zh: str, en: str, parent: str, until: date | None = None
) -> None:
    since = sa.bindparam("since", FOUNDED, sa.Date)
    connection.execute(
        sa.text(
            "INSERT INTO units (unit, kind, since, until) VALUES (:unit, :kind, :since, :until)"
        ).bindparams(since, sa.bindparam("until", until, sa.Date), unit=unit, kind=kind)
    )
    connection.execute(
        sa.text("INSERT INTO unit_names (unit, since, zh, en) VALUES (:unit, :since, :zh, :en)").bindparams(
            since, unit=unit, zh=zh, en=en
        )
    )
    if parent:
        connection.execute(
            sa.text(
                "INSERT INTO unit_parents (unit, since, parent) VALUES (:unit, :since, :parent)"
            ).bindparams(since, unit=unit, parent=parent)
        )

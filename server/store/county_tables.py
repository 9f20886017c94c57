"""Tables of the county: units with their dates, people, posts, sessions (SQLAlchemy Core).

What holds from a day on is a row of its own and is never overwritten (`domain.org`). Days are the county's.
"""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Date, ForeignKey, Index, Integer, Table, Text

from server.store.metadata import METADATA, MS

UNITS = Table(
    "units",
    METADATA,
    Column("unit", Text, primary_key=True),
    Column("kind", Text, nullable=False),  # domain.org.UnitKind
    Column("since", Date, nullable=False),
    Column("until", Date),
    Column("successor", Text, nullable=False, server_default=""),
    Column("version", Integer, nullable=False, server_default="1"),  # one more at each change
)

UNIT_NAMES = Table(
    "unit_names",
    METADATA,
    Column("unit", Text, ForeignKey("units.unit"), primary_key=True),
    Column("since", Date, primary_key=True),
    Column("zh", Text, nullable=False),
    Column("en", Text, nullable=False),
)

UNIT_PARENTS = Table(
    "unit_parents",
    METADATA,
    Column("unit", Text, ForeignKey("units.unit"), primary_key=True),
    Column("since", Date, primary_key=True),
    Column("parent", Text, ForeignKey("units.unit"), nullable=False),
)

BONDS = Table(
    "bonds",
    METADATA,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("kind", Text, nullable=False),  # domain.org.BondKind
    Column("first", Text, ForeignKey("units.unit"), nullable=False),
    Column("second", Text, ForeignKey("units.unit"), nullable=False),
    Column("since", Date, nullable=False),
    Column("until", Date),
)

ROOMS = Table(
    "rooms",
    METADATA,
    Column("room", Text, ForeignKey("units.unit"), primary_key=True),
    Column("position", Integer, nullable=False),  # order of the tiles
    Column("main", Boolean, nullable=False),  # it has a studio
)

PEOPLE = Table(
    "people",
    METADATA,
    Column("person", Text, primary_key=True),
    Column("login", Text, nullable=False, unique=True),  # lower case
    Column("name_zh", Text, nullable=False),
    Column("name_en", Text, nullable=False),
    Column("language", Text, nullable=False, server_default=""),  # "zh", "en"; "": the browser's
    Column("password_hash", Text, nullable=False),  # Argon2id, PHC string; "": cannot log in
    Column("must_change", Boolean, nullable=False, server_default="0"),
    Column("active", Boolean, nullable=False, server_default="1"),
    Column("version", Integer, nullable=False, server_default="1"),
    Column("created_at", MS, nullable=False),
    Column("changed_at", MS, nullable=False),
)

POSTS = Table(
    "posts",
    METADATA,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("person", Text, ForeignKey("people.person"), nullable=False),
    Column("role", Text, nullable=False),  # domain.posts.PostRole
    Column("unit", Text, ForeignKey("units.unit"), nullable=False),
    Column("since", Date, nullable=False),
    Column("until", Date),
    Index("posts_by_person", "person"),
    Index("posts_by_unit", "unit"),
)

SESSIONS = Table(
    "sessions",
    METADATA,
    Column("session", Text, primary_key=True),  # SHA-256 of what the cookie holds
    Column("person", Text, ForeignKey("people.person"), nullable=False),
    Column("created_at", MS, nullable=False),
    Column("seen_at", MS, nullable=False),
    Column("expires_at", MS, nullable=False),
    Column("network", Text, nullable=False),  # where it came from: a keyed hash, never an address
    Column("agent", Text, nullable=False),  # browser family and system, such as "Chrome on Windows"
    Index("sessions_by_person", "person"),
)

CONSENTS = Table(
    "consents",
    METADATA,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("unit", Text, ForeignKey("units.unit"), nullable=False),  # a class; its newest row counts
    Column("level", Text, nullable=False),  # domain.consent.Consent
    Column("at", MS, nullable=False),
    Column("actor", Text, nullable=False),
    Column("note", Text, nullable=False),  # who gave or withdrew it, on which paper
    Index("consents_by_unit", "unit"),
)

APPROVALS = Table(
    "approvals",
    METADATA,
    Column("lesson", Text, ForeignKey("lessons.lesson"), primary_key=True),
    Column("asked_by", Text, nullable=False),
    Column("asked_at", MS, nullable=False),
    Column("approved_by", Text, nullable=False, server_default=""),  # another person; "": not yet
    Column("approved_at", MS),
)

GUEST_LINKS = Table(
    "guest_links",
    METADATA,
    Column("number", Integer, primary_key=True),  # drawn at random; the link's token names it
    Column("room", Text, ForeignKey("units.unit"), nullable=False),  # a main room
    Column("lesson", Text, nullable=False, server_default=""),  # "": whichever is on there
    Column("label", Text, nullable=False, server_default=""),  # for whom it was made
    Column("made_by", Text, nullable=False),
    Column("made_at", MS, nullable=False),
    Column("until", MS, nullable=False),
    Column("ended_at", MS),  # revoked
    Index("guest_links_by_room", "room"),
)

API_TOKENS = Table(
    "api_tokens",
    METADATA,
    Column("token", Text, primary_key=True),  # SHA-256 of what its owner holds
    Column("person", Text, ForeignKey("people.person"), nullable=False),
    Column("name", Text, nullable=False),
    Column("scopes", Text, nullable=False),  # words with a blank between
    Column("created_at", MS, nullable=False),
    Column("expires_at", MS, nullable=False),
    Column("used_at", MS),
    Index("api_tokens_by_person", "person"),
)

"""Tables of rooms' devices and of what rooms received. Rooms are units' ids."""

from __future__ import annotations

from sqlalchemy import Column, Float, Index, Integer, LargeBinary, Table, Text

from server.store.metadata import METADATA, MS

DEVICES = Table(
    "devices",
    METADATA,
    Column("device", Text, primary_key=True),
    Column("room", Text, nullable=False),
    Column("key", LargeBinary, nullable=False),  # domain.device.Device, and so on
    Column("number", Integer, nullable=False),
    Column("restore", Integer, nullable=False),
    Column("label", Text, nullable=False),
    Column("browser", Text, nullable=False),
    Column("paired_at", MS, nullable=False),
    Column("paired_by", Text, nullable=False),
    Column("bound_at", MS, nullable=False),
    Column("moves", Text, nullable=False),  # list[int], JSON
    Column("seen_at", MS),
    Column("revoked_at", MS),
    Index("devices_by_room", "room"),
)

FAULTS = Table(
    "faults",
    METADATA,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("room", Text, nullable=False),
    Column("at", MS, nullable=False),
    Column("kind", Text, nullable=False),
    Column("lesson", Text, nullable=False),
    Index("faults_by_room", "room", "at"),
)

HEAR_CHECKS = Table(
    "hear_checks",
    METADATA,
    Column("room", Text, primary_key=True),
    Column("at", MS, nullable=False),
    Column("result", Text, nullable=False),  # protocol.devices.Heard
    Column("delay_ms", Integer, nullable=False),
    Column("above_db", Float, nullable=False),
)

RECEPTIONS = Table(
    "receptions",
    METADATA,
    Column("lesson", Text, primary_key=True),
    Column("room", Text, primary_key=True),
    Column("heads", Integer),
    Column("talk_ms", MS, nullable=False),
    Index("receptions_by_room", "room"),
)

SPANS = Table(
    "spans",
    METADATA,
    Column("lesson", Text, primary_key=True),
    Column("room", Text, primary_key=True),
    Column("since", MS, primary_key=True),
    Column("until", MS, nullable=False),
    Column("kind", Text, nullable=False),  # domain.reception.Kind
    Column("side", Text, nullable=False),  # domain.reception.Side
    Column("cause", Text, nullable=False),
    Column("freeze_ms", MS, nullable=False),
    Column("concealed_ms", MS, nullable=False),
    Column("delay_ms", Integer, nullable=False),
    Column("height", Integer, nullable=False),
)

REHEARSALS = Table(
    "rehearsals",
    METADATA,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("at", MS, nullable=False),
    Column("main_room", Text, nullable=False),
    Column("teacher", Text, nullable=False),
    Column("steps", Text, nullable=False),  # dict[str, float | None]: seconds each reaction took, JSON
    Index("rehearsals_by_time", "at"),
)

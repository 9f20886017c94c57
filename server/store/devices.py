"""Devices of rooms, their faults and hear checks: rows and queries."""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy import Row, delete, func, insert, select, update

from server.domain.device import Device
from server.protocol.devices import HearCheck, Heard, LastFault
from server.store.database import Database, upsert
from server.store.device_tables import DEVICES, FAULTS, HEAR_CHECKS

KEPT_FAULTS_MS = 400 * 86_400_000
_FIELDS = ("room", "key", "number", "restore", "label", "browser", "paired_at", "paired_by", "bound_at",
           "seen_at", "revoked_at")  # fmt: skip


class Devices:
    """Queries over the store's database, each a transaction of its own."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def all(self) -> list[Device]:
        """Every device that was not revoked."""
        rows = await self._database.rows(select(DEVICES).where(DEVICES.c.revoked_at.is_(None)))
        return [_device(row) for row in rows]

    async def put(self, device: Device) -> None:
        values = {name: getattr(device, name) for name in _FIELDS}
        moves = msgspec.json.encode(device.moves).decode()
        await self._database.write(upsert(DEVICES, "device", device=device.id, moves=moves, **values))

    async def seen(self, at: dict[str, int]) -> None:
        """When devices were last here, many at once."""
        changes = [
            update(DEVICES).where(DEVICES.c.device == device).values(seen_at=moment)
            for device, moment in at.items()
        ]
        await self._database.write(*changes)

    # -- faults and hear checks

    async def add_fault(self, room: str, fault: LastFault) -> None:
        await self._database.write(
            insert(FAULTS).values(room=room, at=fault.at, kind=fault.kind, lesson=fault.lesson),
            delete(FAULTS).where(FAULTS.c.at < fault.at - KEPT_FAULTS_MS),
        )

    async def last_faults(self) -> dict[str, LastFault]:
        """The newest of each room."""
        newest = select(func.max(FAULTS.c.number).label("number")).group_by(FAULTS.c.room).subquery()
        rows = await self._database.rows(select(FAULTS).join(newest, newest.c.number == FAULTS.c.number))
        return {row.room: LastFault(row.at, row.kind, row.lesson) for row in rows}

    async def put_hear_check(self, room: str, check: HearCheck) -> None:
        values = msgspec.structs.asdict(check) | {"result": check.result.value}
        await self._database.write(upsert(HEAR_CHECKS, "room", room=room, **values))

    async def hear_checks(self) -> dict[str, HearCheck]:
        rows = await self._database.rows(select(HEAR_CHECKS))
        return {row.room: HearCheck(row.at, Heard(row.result), row.delay_ms, row.above_db) for row in rows}


def _device(row: Row[Any]) -> Device:
    values = {name: getattr(row, name) for name in _FIELDS}
    values["key"] = bytes(row.key)
    return Device(row.device, **values, moves=msgspec.json.decode(row.moves, type=tuple[int, ...]))

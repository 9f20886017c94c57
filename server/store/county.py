"""The county's units, bonds and rooms as rows: read as a `domain.org.Organisation`, changed by its rules.

Nobody else writes these tables, so what was read stays true until the next change here. Every change names
the version of the unit that its author saw; who saw an older one is told (`StaleUnit`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import delete, select, update

from server.clock import Clock
from server.domain import org
from server.domain.org import Bond, BondKind, Dated, Organisation, Unit, UnitKind
from server.errors import Refused, UserFault
from server.ids import random_word
from server.protocol.messages import Words
from server.store.county_tables import BONDS, ROOMS, UNIT_NAMES, UNIT_PARENTS, UNITS
from server.store.database import Database, upsert
from server.store.records import Classroom

FOUNDED = date(2020, 1, 1)
"""From when on what the configuration or an older version named is taken to have been there."""
EMPTY = Organisation({})
THE_COUNTY, THE_SCHOOL = "the-county", "the-school"


class StaleUnit(UserFault):
    """Somebody else changed it meanwhile."""

    def __init__(self) -> None:
        super().__init__(
            "stale_version",
            zh="别人刚刚改过这一项。请刷新后看清新的内容再改。",
            en="Somebody else changed this meanwhile. Load it again and look before you change it.",
        )


class NoUnit(Refused):
    """There is no such unit."""

    def __init__(self) -> None:
        super().__init__("not_found", zh="没有这个单位。", en="There is no such unit.")


class CountyStore:
    """Queries and changes, each a transaction of its own. `zone`: whose days are meant."""

    def __init__(self, database: Database, clock: Clock, zone: ZoneInfo) -> None:
        self._database = database
        self._clock = clock
        self.zone = zone
        self._changing = asyncio.Lock()
        self.changes = 0
        """How often something changed; what was made of the organisation is stale after that."""
        self.listeners: list[Callable[[], Awaitable[None]]] = []
        """Called after each change."""
        self._known: Organisation | None = None
        self._versions: dict[str, int] = {}
        self._rooms: dict[str, tuple[int, bool]] = {}
        self._there: tuple[Organisation, date, list[Classroom]] | None = None

    def today(self) -> date:
        """The county's day."""
        return datetime.fromtimestamp(self._clock.wall_ms() / 1000, UTC).astimezone(self.zone).date()

    # -- reading

    async def load(self) -> Organisation:
        """All units and bonds with their history."""
        if self._known is None:
            self._known = await self._read()
        return self._known

    @property
    def known(self) -> Organisation:
        """As it was read last, for who cannot wait; empty before the first `load`."""
        return self._known or EMPTY

    async def unit(self, unit: str) -> Unit:
        """NoUnit where there is none."""
        found = (await self.load()).units.get(unit)
        if found is None:
            raise NoUnit
        return found

    async def version(self, unit: str) -> int:
        """How often it was changed, from 1 on; NoUnit where there is none."""
        await self.unit(unit)
        return self._versions[unit]

    async def county(self) -> Unit | None:
        """The root of the tree; None before the first set-up."""
        units = (await self.load()).units.values()
        return next((unit for unit in units if unit.kind is UnitKind.COUNTY), None)

    async def rooms(self) -> list[Classroom]:
        """The rooms that are there today, in the order of tiles."""
        day, organisation = self.today(), await self.load()
        if self._there is None or self._there[0] is not organisation or self._there[1] != day:
            there = [unit for unit in self._rooms if organisation.units[unit].there(day)]
            there.sort(key=lambda unit: (self._rooms[unit][0], unit))
            units = organisation.units
            listed = [Classroom(unit, units[unit].name(day), self._rooms[unit][1]) for unit in there]
            self._there = organisation, day, listed
        return list(self._there[2])

    async def room_names(self, rooms: Iterable[str]) -> dict[str, Words]:
        """What those of these rooms are called that are there today."""
        day, units = self.today(), (await self.load()).units
        there = (room for room in rooms if room in self._rooms and units[room].there(day))
        return {room: units[room].name(day) for room in there}

    async def room(self, room: str) -> Classroom | None:
        day, unit = self.today(), (await self.load()).units.get(room)
        if unit is None or room not in self._rooms or not unit.there(day):
            return None
        return Classroom(room, unit.name(day), self._rooms[room][1])

    def forget(self) -> None:
        """The rows were changed from outside: read them again."""
        self._known = None

    # -- changing

    async def add(
        self, kind: UnitKind, name: Words, parent: str = "", *, since: date | None = None, unit: str = "",
        main: bool = False,
    ) -> Unit:  # fmt: skip
        """A new unit; of a room, `main`: it has a studio. BadOrganisation by the rules of `domain.org`."""
        day = since or self.today()
        async with self._changing:
            organisation = await self.load()
            made = org.founded(unit or "u" + random_word(10), kind, name, parent, day, organisation)
            statements = _new_unit(made)
            if kind is UnitKind.ROOM:
                statements.append(_new_room(made.id, len(self._rooms), main))
            await self._write(statements)
        return made

    async def rename(self, unit: str, name: Words, day: date, version: int | None = None) -> Unit:
        """Under another name from a day on."""
        async with self._changing:
            return await self._save(org.renamed(await self._seen(unit, version), name, day))

    async def move(self, unit: str, parent: str, day: date, version: int | None = None) -> Unit:
        """Under another parent from a day on."""
        async with self._changing:
            seen, above = await self._seen(unit, version), await self.unit(parent)
            return await self._save(org.moved(seen, above, day, await self.load()))

    async def close(self, unit: str, day: date, successor: str = "", version: int | None = None) -> Unit:
        """Gone from a day on. BadOrganisation while something is under it."""
        async with self._changing:
            seen = await self._seen(unit, version)
            after = await self.unit(successor) if successor else None
            return await self._save(org.closed(seen, day, await self.load(), after))

    async def merge(self, unit: str, into: str, day: date, version: int | None = None) -> Unit:
        """All that is under a school goes under another from a day on, and the school into it."""
        async with self._changing:
            await self._seen(unit, version)
            changed = org.merged(unit, (await self.unit(into)).id, day, await self.load())
            await self._write([statement for each in changed for statement in _changed_unit(each)])
            return changed[-1]

    async def set_main(self, room: str, main: bool, version: int | None = None) -> None:
        """Whether a room has a studio."""
        async with self._changing:
            await self._seen(room, version)
            if room not in self._rooms:
                raise NoUnit
            changed = update(ROOMS).where(ROOMS.c.room == room).values(main=main)
            await self._write([changed, _risen(room)])

    async def bind(self, bond: Bond) -> None:
        """BadOrganisation where the schools cannot be bound so."""
        async with self._changing:
            org.check_bond(bond, await self.load())
            values = {"kind": bond.kind.value, "first": bond.first, "second": bond.second}
            await self._write([BONDS.insert().values(**values, since=bond.since, until=bond.until)])

    async def unbind(self, kind: BondKind, first: str, second: str, day: date) -> None:
        """Over from a day on; a bond that had not begun by then was none."""
        same = (BONDS.c.kind == kind.value, BONDS.c.first == first, BONDS.c.second == second)
        async with self._changing:
            ended = update(BONDS).where(*same, BONDS.c.until.is_(None), BONDS.c.since < day).values(until=day)
            await self._write([ended, delete(BONDS).where(*same, BONDS.c.since >= day)])

    async def settle(
        self, rooms: Sequence[Classroom], county: Words, school: Words, *, points: bool = False
    ) -> None:
        """The rooms that a configuration names, made where they are not known yet: in the first school, in a
        county made for it where there is none. `points`: each receiving room stands in a teaching point of
        its own."""
        new = [room for room in rooms if room.room not in (await self.load()).units]
        if not new:
            return
        if await self.county() is None:
            await self.add(UnitKind.COUNTY, county, since=FOUNDED, unit=THE_COUNTY)
        above = await self._first_school(school)
        for room in new:
            place = above
            if points and not room.main:
                place = f"{room.room}-point"
                await self.add(UnitKind.POINT, room.name, above, since=FOUNDED, unit=place)
            await self.add(UnitKind.ROOM, room.name, place, since=FOUNDED, unit=room.room, main=room.main)

    async def _first_school(self, name: Words) -> str:
        day = self.today()
        units = (await self.load()).units.values()
        for unit in units:
            if unit.kind is UnitKind.SCHOOL and unit.there(day):
                return unit.id
        county = await self.county()
        assert county is not None
        return (await self.add(UnitKind.SCHOOL, name, county.id, since=county.since, unit=THE_SCHOOL)).id

    async def _seen(self, unit: str, version: int | None) -> Unit:
        found = await self.unit(unit)
        if version is not None and version != self._versions[unit]:
            raise StaleUnit
        return found

    async def _save(self, unit: Unit) -> Unit:
        await self._write(_changed_unit(unit))
        return unit

    async def _write(self, statements: Iterable[Any]) -> None:
        try:
            await self._database.write(*statements)
        finally:
            self.changes += 1
            self._known = None
            await self.load()
        for listener in self.listeners:
            await listener()

    async def _read(self) -> Organisation:
        names: dict[str, list[Dated[Words]]] = {}
        for row in await self._database.rows(select(UNIT_NAMES).order_by(UNIT_NAMES.c.since)):
            names.setdefault(row.unit, []).append(Dated(row.since, Words(zh=row.zh, en=row.en)))
        parents: dict[str, list[Dated[str]]] = {}
        for row in await self._database.rows(select(UNIT_PARENTS).order_by(UNIT_PARENTS.c.since)):
            parents.setdefault(row.unit, []).append(Dated(row.since, row.parent))
        units = {}
        for row in await self._database.rows(select(UNITS)):
            lines = (tuple(names[row.unit]), tuple(parents.get(row.unit, ())))
            units[row.unit] = Unit(
                row.unit, UnitKind(row.kind), row.since, *lines, until=row.until, successor=row.successor
            )
            self._versions[row.unit] = row.version
        bonds = await self._database.rows(select(BONDS).order_by(BONDS.c.number))
        rooms = await self._database.rows(select(ROOMS))
        self._rooms = {row.room: (row.position, bool(row.main)) for row in rooms}
        return Organisation(
            units, tuple(Bond(BondKind(b.kind), b.first, b.second, b.since, b.until) for b in bonds)
        )


def _new_unit(unit: Unit) -> list[Any]:
    values = {"unit": unit.id, "kind": unit.kind.value, "since": unit.since, "until": unit.until}
    return [UNITS.insert().values(**values, successor=unit.successor), *_lines(unit)]


def _new_room(room: str, position: int, main: bool) -> Any:
    return ROOMS.insert().values(room=room, position=position, main=main)


def _lines(unit: Unit) -> list[Any]:
    lines = [
        upsert(
            UNIT_NAMES, "unit", "since", unit=unit.id, since=line.since, zh=line.value.zh, en=line.value.en
        )
        for line in unit.names
    ]
    lines += [
        upsert(UNIT_PARENTS, "unit", "since", unit=unit.id, since=line.since, parent=line.value)
        for line in unit.parents
    ]
    return lines


def _risen(unit: str) -> Any:
    return update(UNITS).where(UNITS.c.unit == unit).values(version=UNITS.c.version + 1)


def _changed_unit(unit: Unit) -> list[Any]:
    values = {"until": unit.until, "successor": unit.successor, "version": UNITS.c.version + 1}
    return [update(UNITS).where(UNITS.c.unit == unit.id).values(**values), *_lines(unit)]

"""The county's units and bonds: read by whoever is logged in, changed by its admins, each in their own."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import TypeVar

from aiohttp import web

from server.api.days import day_of
from server.api.guarding import Packed, answer, body_of
from server.api.identity import actors_of
from server.api.keys import STORE
from server.api.rights import Action, NoRight, Thing, is_allowed, require, require_somewhere
from server.api.timetable_views import day_span
from server.domain.org import Bond, BondKind, Organisation, Unit, UnitKind
from server.errors import UserFault
from server.protocol.county import (
    BondRow,
    County,
    NewBond,
    NewUnit,
    UnitChange,
    UnitName,
    UnitParent,
    UnitRow,
)
from server.store.county import CountyStore
from server.store.county_tables import BONDS, ROOMS, UNIT_NAMES, UNIT_PARENTS, UNITS
from server.store.remembered import Kept
from server.store.store import Store

TREES = web.AppKey("trees", Kept[Packed])
MOST_TREES = 40

K = TypeVar("K", bound=StrEnum)
FAR_MS = 1 << 53
"""Later than any lesson is booked."""


def kind_of(kinds: type[K], text: str) -> K:
    """UserFault "bad_choice"."""
    try:
        return kinds(text)
    except ValueError as error:
        words = "、".join(kinds), ", ".join(kinds)
        raise UserFault("bad_choice", zh=f"只能是 {words[0]}。", en=f"It is one of {words[1]}.") from error


def keep(app: web.Application, store: Store) -> None:
    """The tree as it was told last to who may change the same of it, until something in it changes."""
    app[TREES] = Kept(store.database, (UNITS, UNIT_NAMES, UNIT_PARENTS, BONDS, ROOMS), MOST_TREES)


async def row_of(
    request: web.Request, unit: Unit, county: CountyStore, day_text: str | None = None
) -> UnitRow:
    day = day_of(request, day_text)
    room = await county.room(unit.id)
    return UnitRow(
        unit=unit.id, kind=unit.kind, name=unit.name(day), parent=unit.parent(day),
        since=unit.since.isoformat(), until=unit.until.isoformat() if unit.until else None,
        successor=unit.successor, version=await county.version(unit.id),
        main=room is not None and room.main,
        yours=is_allowed(request, Action.MANAGE_UNITS, Thing(unit=unit.id)),
        names=[UnitName(line.since.isoformat(), line.value) for line in unit.names],
        parents=[UnitParent(line.since.isoformat(), line.value) for line in unit.parents],
    )  # fmt: skip


async def read(request: web.Request) -> web.Response:
    """As the county is on a day; `closed=1`: with units that are no more."""
    require(request, Action.READ_UNITS)
    text, with_closed = request.query.get("day"), request.query.get("closed") == "1"
    who = tuple((each.role, each.units, each.scopes) for each in actors_of(request))
    asked = (who, day_of(request, text), with_closed)
    told = await request.app[TREES].get(asked, lambda: _tree(request, text, with_closed))
    return told.answer(request)


async def _tree(request: web.Request, text: str | None, with_closed: bool) -> Packed:
    county = request.app[STORE].county
    organisation, day = await county.load(), day_of(request, text)
    units = [unit for unit in organisation.units.values() if with_closed or unit.there(day)]
    rows = [await row_of(request, unit, county, text) for unit in units]
    bonds = [_bond(bond) for bond in organisation.bonds if bond.there(day)]
    return Packed.of(County(day.isoformat(), rows, bonds))


def _bond(bond: Bond) -> BondRow:
    until = bond.until.isoformat() if bond.until else None
    return BondRow(bond.kind, bond.first, bond.second, bond.since.isoformat(), until)


async def add(request: web.Request) -> web.Response:
    """A new one, under a unit of the asker's."""
    require_somewhere(request, Action.MANAGE_UNITS)
    body = await body_of(request, NewUnit)
    actor = require(request, Action.MANAGE_UNITS, Thing(unit=body.parent))
    store = request.app[STORE]
    kind = kind_of(UnitKind, body.kind)
    made = await store.county.add(
        kind, body.name, body.parent, since=day_of(request, body.since), main=body.main
    )
    await store.audit(actor.name, Action.MANAGE_UNITS, made.id, new=kind, name=made.names[0].value.zh)
    return answer(await row_of(request, made, store.county), status=201)


async def change(request: web.Request) -> web.Response:
    """One change, from a day on; what was before that stays as it was."""
    unit = request.match_info["unit"]
    actor = require(request, Action.MANAGE_UNITS, Thing(unit=unit))
    body = await body_of(request, UnitChange)
    for other in (body.parent, body.into):
        if other is not None:
            require(request, Action.MANAGE_UNITS, Thing(unit=other))
    store = request.app[STORE]
    changed, said = await _changed(request, store.county, unit, body)
    await store.audit(actor.name, Action.MANAGE_UNITS, unit, **said)
    return answer(await row_of(request, changed, store.county))


async def _changed(
    request: web.Request, county: CountyStore, unit: str, body: UnitChange
) -> tuple[Unit, dict[str, str]]:
    day, version = day_of(request, body.day), body.version
    wishes = [body.name is not None, body.parent is not None, body.main is not None, body.close,
              body.into is not None]  # fmt: skip
    if sum(wishes) != 1:
        raise UserFault("bad_choice", zh="一次只做一项更改。", en="Make one change at a time.")
    if body.name is not None:
        return await county.rename(unit, body.name, day, version), {"name": body.name.zh}
    if body.parent is not None:
        return await county.move(unit, body.parent, day, version), {"parent": body.parent}
    if body.main is not None:
        if not body.main:
            await _check_free(request, unit, day, main_only=True)
        await county.set_main(unit, body.main, version)
        return await county.unit(unit), {"main": str(body.main)}
    if body.into is not None:
        await county.merge(unit, body.into, day, version)
        return await county.unit(unit), {"into": body.into, "day": day.isoformat()}
    await _check_free(request, unit, day)
    return await county.close(unit, day, version=version), {"closed": day.isoformat()}


async def _check_free(request: web.Request, unit: str, day: date, *, main_only: bool = False) -> None:
    """UserFault "has_lessons" while lessons are booked from that day on in the unit, or in a room below."""
    store = request.app[STORE]
    rooms = frozenset(each.id for each in (await store.county.load()).below(unit, day))
    since, _ = day_span(request, day, 1)
    booked = await store.timetable.between(since, FAR_MS, rooms=rooms)
    count = sum(each.planned and (not main_only or each.main_room == unit) for each in booked)
    if count:
        raise UserFault(
            "has_lessons",
            zh=f"从 {day} 起还排着 {count} 节课，请先在课表里移走或取消。",
            en=f"{count} lessons are booked there from {day} on: move or cancel them in the timetable first.",
        )


async def _bond_of(request: web.Request) -> tuple[Bond, Organisation]:
    require_somewhere(request, Action.MANAGE_UNITS)
    body = await body_of(request, NewBond)
    organisation = await request.app[STORE].county.load()
    return (
        Bond(kind_of(BondKind, body.kind), body.first, body.second, day_of(request, body.day)),
        organisation,
    )


async def bind(request: web.Request) -> web.Response:
    """Two schools bound; the asker needs the right to both."""
    bond, organisation = await _bond_of(request)
    actor = require(request, Action.MANAGE_UNITS, Thing(unit=bond.first))
    require(request, Action.MANAGE_UNITS, Thing(unit=bond.second))
    if not {bond.first, bond.second} <= organisation.units.keys():
        raise NoRight
    await request.app[STORE].county.bind(bond)
    await request.app[STORE].audit(actor.name, Action.MANAGE_UNITS, bond.first, bound=bond.second)
    return answer(_bond(bond), status=201)


async def unbind(request: web.Request) -> web.Response:
    """Over from a day on."""
    bond, _ = await _bond_of(request)
    actor = require(request, Action.MANAGE_UNITS, Thing(unit=bond.first))
    await request.app[STORE].county.unbind(bond.kind, bond.first, bond.second, bond.since)
    await request.app[STORE].audit(actor.name, Action.MANAGE_UNITS, bond.first, unbound=bond.second)
    return web.Response(status=204)


def routes() -> list[web.RouteDef]:
    return [
        web.get("/api/v1/units", read),
        web.post("/api/v1/units", add),
        web.patch("/api/v1/units/{unit}", change),
        web.post("/api/v1/bonds", bind),
        web.post("/api/v1/bonds/end", unbind),
    ]

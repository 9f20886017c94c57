"""Terms, swapped days, bells and the curriculum over REST; which rooms a main room may call."""

from __future__ import annotations

import re

from aiohttp import web

from server.api.guarding import answer, body_of
from server.api.keys import STORE
from server.api.people import number_of
from server.api.rights import Action, NoRight, Thing, require
from server.errors import UserFault
from server.protocol.timetable import BellsValue, CallList, CurriculumEntry, CurriculumPage, TermValue
from server.store.terms import COUNTY

MOST_ENTRIES = 1_000
MOST_CHANGES = 1_000_000
TERM = re.compile(r"[a-z0-9-]{1,32}")


async def list_terms(request: web.Request) -> web.Response:
    require(request, Action.READ_TIMETABLE)
    store = request.app[STORE]
    return answer(await store.terms.all(store.county.today()))


async def put_term(request: web.Request) -> web.Response:
    """New, or changed; lessons that are booked already stay where they are until the next import."""
    actor = require(request, Action.EDIT_CALENDAR, await _county(request))
    term = request.match_info["term"]
    if TERM.fullmatch(term) is None:
        raise NoRight
    body = await body_of(request, TermValue)
    store = request.app[STORE]
    await store.terms.put(term, body)
    await store.audit(actor.name, Action.EDIT_CALENDAR, term)
    return answer(await store.terms.one(term, store.county.today()))


async def _county(request: web.Request) -> Thing:
    county = await request.app[STORE].county.county()
    return Thing(unit=county.id if county is not None else None)


async def get_bells(request: web.Request) -> web.Response:
    require(request, Action.READ_TIMETABLE)
    return answer(await request.app[STORE].terms.bells(request.match_info["school"]))


async def put_bells(request: web.Request) -> web.Response:
    """A school's own, or ("county") those of every school that has none."""
    school = request.match_info["school"]
    store = request.app[STORE]
    known = school == COUNTY or school in (await store.county.load()).units
    thing = await _county(request) if school == COUNTY else Thing(unit=school if known else None)
    actor = require(request, Action.EDIT_CALENDAR, thing)
    if not known:
        raise NoRight
    await store.terms.put_bells(school, await body_of(request, BellsValue))
    await store.audit(actor.name, Action.EDIT_CALENDAR, school, what="bells")
    return answer(await store.terms.bells(school))


async def get_curriculum(request: web.Request) -> web.Response:
    """A page of the catalogue, or of one kind of it."""
    require(request, Action.READ_TIMETABLE)
    query = request.query
    size, page = number_of(query.get("size"), 200, MOST_ENTRIES), number_of(query.get("page"), 1, 100_000)
    entries = await request.app[STORE].terms.curriculum(query.get("kind", "")[:20])
    return answer(CurriculumPage(entries[(page - 1) * size : page * size], len(entries)))


async def put_entry(request: web.Request) -> web.Response:
    """One entry, new or changed; with the version to change it again."""
    actor = require(request, Action.EDIT_CALENDAR, await _county(request))
    body = await body_of(request, CurriculumEntry)
    if body.kind == "subject":
        await request.app[STORE].terms.adopt_usual()
    written = await request.app[STORE].terms.put_entry(body)
    await request.app[STORE].audit(actor.name, Action.EDIT_CALENDAR, body.entry, what=body.kind)
    return answer(written)


async def remove_entry(request: web.Request) -> web.Response:
    """Out of the catalogue; `?version=`: as it was read. UserFault while others stand under it."""
    actor = require(request, Action.EDIT_CALENDAR, await _county(request))
    entry, terms = request.match_info["entry"], request.app[STORE].terms
    known = {each.entry: each for each in await terms.curriculum()}
    if entry not in known:
        raise NoRight
    below = [each for each in known.values() if each.parent == entry]
    if below:
        raise UserFault(
            "has_entries",
            zh=f"它下面还有“{below[0].name.zh}”等 {len(below)} 项，请先删除它们。",
            en=f'It still has {len(below)} under it ("{below[0].name.en}"): remove them first.',
        )
    if known[entry].kind == "subject":
        await terms.adopt_usual()
    seen = request.query.get("version")
    await terms.remove_entry(entry, number_of(seen, 0, MOST_CHANGES, least=0) if seen is not None else None)
    await request.app[STORE].audit(actor.name, Action.EDIT_CALENDAR, entry, what="remove")
    return web.Response(status=204)


async def get_calls(request: web.Request) -> web.Response:
    """The rooms that this main room may call besides those its bonds give it."""
    room = request.match_info["room"]
    require(request, Action.EDIT_TIMETABLE, Thing(main_room=room))
    terms = request.app[STORE].terms
    return answer(CallList(sorted(await terms.call_list(room)), await terms.call_list_version(room)))


async def put_calls(request: web.Request) -> web.Response:
    room = request.match_info["room"]
    actor = require(request, Action.EDIT_TIMETABLE, Thing(main_room=room))
    body = await body_of(request, CallList)
    store = request.app[STORE]
    known = {each.room for each in await store.county.rooms()}
    if room not in known or not set(body.rooms) <= known:
        raise NoRight
    await store.terms.put_call_list(room, frozenset(body.rooms), body.version)
    await store.audit(actor.name, Action.EDIT_TIMETABLE, room, what="calls")
    return answer(CallList(sorted(set(body.rooms)), body.version + 1))


def routes() -> list[web.RouteDef]:
    return [
        web.get("/api/v1/terms", list_terms),
        web.put("/api/v1/terms/{term}", put_term),
        web.get("/api/v1/bells/{school}", get_bells),
        web.put("/api/v1/bells/{school}", put_bells),
        web.get("/api/v1/curriculum", get_curriculum),
        web.put("/api/v1/curriculum", put_entry),
        web.delete("/api/v1/curriculum/{entry}", remove_entry),
        web.get("/api/v1/rooms/{room}/calls", get_calls),
        web.put("/api/v1/rooms/{room}/calls", put_calls),
    ]

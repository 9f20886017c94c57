"""The consent register, and what it means for recordings that show pupils: how far they may be opened."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime

from aiohttp import web

from recorder.contract import Subject
from server.api.catalogued import require_row
from server.api.guarding import answer, body_of
from server.api.identity import close_recording
from server.api.keys import CONFIG, CONSENTS, LIBRARY, STORE
from server.api.people import LARGEST_PAGE, number_of
from server.api.replay import read_if_there
from server.api.rights import Action, NoRight, Thing, is_allowed, require, require_somewhere
from server.api.units import kind_of
from server.domain.consent import Consent, is_further, most_open
from server.domain.org import Unit, UnitKind
from server.domain.visibility import Visibility
from server.errors import UserFault
from server.protocol.county import ConsentChange, ConsentChanged, ConsentPage, ConsentRow
from server.store.consents import ConsentEntry
from server.store.library_records import LibraryRow

PUPILS = frozenset({Subject.PUPILS, Subject.PUPILS_VOICE})
LONGEST_NOTE = 200


async def most_open_of(request: web.Request, row: LibraryRow) -> Visibility:
    """How far this recording may be opened, by the pupils in it and what their classes agreed to."""
    lesson, store = row.overview.lesson, request.app[STORE]
    manifest = await asyncio.to_thread(read_if_there, request.app[CONFIG].archive_path, lesson.id)
    rooms = {track.room for track in manifest.tracks if track.subject in PUPILS} if manifest else set()
    register = {unit: entry.level for unit, entry in (await request.app[CONSENTS].register()).items()}
    at = datetime.fromtimestamp((lesson.started_at or lesson.created_at) / 1000, UTC)
    day = at.astimezone(store.county.zone).date()
    return most_open(rooms, day, await store.county.load(), register)


async def check_consent(request: web.Request, rows: list[LibraryRow], wanted: Visibility) -> None:
    """UserFault "no_consent" where one of them shows pupils whose class did not agree to so much."""
    for row in rows:
        allowed = await most_open_of(request, row)
        if is_further(wanted, allowed):
            title = row.catalogue.title or row.overview.lesson.title.zh
            raise UserFault(
                "no_consent",
                zh=f"“{title}”里有学生画面或声音，班级的同意只到“{allowed}”。请先登记同意书，或不公开。",
                en=f'"{title}" has pupils whose class agreed to "{allowed}" at most. Enter the '
                "consent first, or open it less far.",
            )


async def read(request: web.Request) -> web.Response:
    """The asker's classes with what counts now; `unit`: one of them, or those below a unit."""
    require_somewhere(request, Action.READ_CONSENT)
    store, query = request.app[STORE], request.query
    size, page = number_of(query.get("size"), 50, LARGEST_PAGE), number_of(query.get("page"), 1, 100_000)
    day, organisation = store.county.today(), await store.county.load()
    below = organisation.ever_below(query["unit"]) if query.get("unit") else None
    classes = [
        unit
        for unit in organisation.units.values()
        if unit.kind is UnitKind.CLASS and unit.there(day) and (below is None or unit.id in below)
        if is_allowed(request, Action.READ_CONSENT, Thing(unit=unit.id))
    ]
    register = await request.app[CONSENTS].register()
    shown = classes[(page - 1) * size : page * size]
    return answer(ConsentPage([_row(unit, register.get(unit.id), day) for unit in shown], len(classes)))


def _row(unit: Unit, entry: ConsentEntry | None, day: date) -> ConsentRow:
    if entry is None:
        return ConsentRow(unit.id, unit.name(day), Consent.NONE, None, "", "")
    said = entry.level, entry.at, entry.actor, entry.note, entry.version
    return ConsentRow(unit.id, unit.name(day), *said)


async def change(request: web.Request) -> web.Response:
    """Given or withdrawn. Recordings that are open further than it now allows are closed at once."""
    unit = request.match_info["unit"]
    actor = require(request, Action.MANAGE_CONSENT, Thing(unit=unit))
    body = await body_of(request, ConsentChange)
    store = request.app[STORE]
    if (await store.county.unit(unit)).kind is not UnitKind.CLASS:
        raise NoRight
    level = kind_of(Consent, body.level)
    note = body.note[:LONGEST_NOTE]
    version = await request.app[CONSENTS].put(unit, level, actor.name, note, body.version)
    await store.audit(actor.name, Action.MANAGE_CONSENT, unit, level=level)
    return answer(ConsentChanged(await _unpublish(request, unit, actor.name), version))


async def _unpublish(request: web.Request, unit: str, actor: str) -> list[str]:
    """Close what is open further than allowed, in every room in which the class ever sat."""
    store, library = request.app[STORE], request.app[LIBRARY]
    rooms = [line.value for line in (await store.county.unit(unit)).parents]
    closed = []
    for lesson in await library.opened_with(rooms):
        row = await library.row(lesson)
        if row is None:
            continue
        allowed = await most_open_of(request, row)
        if is_further(row.catalogue.visibility, allowed):
            await close_recording(request.app, lesson, allowed)
            await request.app[CONSENTS].forget_public(lesson)
            await store.audit(actor, Action.SHARE_LESSON, lesson, visibility=allowed, withdrawn=unit)
            closed.append(lesson)
    return closed


async def approve(request: web.Request) -> web.Response:
    """The second of the two people who open a recording to everybody."""
    row, actor = await require_row(request, Action.APPROVE_PUBLIC)
    lesson, consents = row.overview.lesson.id, request.app[CONSENTS]
    asked_by = await consents.asked_public(lesson)
    if asked_by is None or asked_by == actor.name:
        raise UserFault(
            "needs_two",
            zh="公开一节课要由两个人同意：一人提出，另一人批准。",
            en="To open a recording to everybody takes two people: one asks, another agrees.",
        )
    await check_consent(request, [row], Visibility.PUBLIC)
    await consents.approve_public(lesson, actor.name)
    await request.app[LIBRARY].catalogue(lesson, visibility=Visibility.PUBLIC.value)
    await request.app[STORE].audit(actor.name, Action.APPROVE_PUBLIC, lesson, asked_by=asked_by)
    return web.Response(status=204)


def routes() -> list[web.RouteDef]:
    return [
        web.get("/api/v1/consents", read),
        web.put("/api/v1/consents/{unit}", change),
        web.post("/api/v1/lessons/{lesson}/public", approve),
    ]

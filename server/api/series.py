"""Series: lessons in an order, made by a teacher or the admin."""

from __future__ import annotations

from aiohttp import web

from server.api.guarding import answer, body_of
from server.api.keys import LIBRARY, STORE
from server.api.library import MOST_AT_ONCE, rows_of
from server.api.rights import Action, Actor, NoRight, Thing, is_allowed, require, require_some
from server.domain.visibility import Circle
from server.errors import UserFault
from server.protocol.library import SeriesChange, SeriesRow
from server.store.library_records import SeriesRow as Stored

LONGEST_NAME = 80


def _thing(series: Stored) -> Thing:
    return Thing(main_room=series.main_room)


def _name(name: str | None) -> str:
    tidy = " ".join((name or "").split())
    if not 1 <= len(tidy) <= LONGEST_NAME:
        raise UserFault(
            "bad_name",
            zh=f"请给系列起个名字，最多 {LONGEST_NAME} 个字。",
            en=f"Give the series a name of at most {LONGEST_NAME} characters.",
        )
    return tidy


async def _order(request: web.Request, series: str, lessons: list[str]) -> None:
    if len(lessons) > MOST_AT_ONCE:
        raise UserFault(
            "bad_choice",
            zh=f"一个系列最多 {MOST_AT_ONCE} 节课。",
            en=f"A series has at most {MOST_AT_ONCE} lessons.",
        )
    if lessons:
        await rows_of(request, lessons, Action.EDIT_LESSON)
    await request.app[LIBRARY].order_series(series, lessons)


def _owner(reach: Circle | None) -> str | None:
    """The room in whose name a series is made; None: the county's."""
    return min(reach.own, default=None) if reach is not None else None


async def list_series(request: web.Request) -> web.Response:
    """Those this viewer can see: their own, and the admin's."""
    _, reach = require_some(request, Action.LIST_LIBRARY)
    found = await request.app[LIBRARY].series()
    seen = [
        one
        for one in found
        if reach is None or one.main_room is None or one.main_room in reach.own | reach.school
    ]
    return answer([_row(request, one) for one in seen])


def _row(request: web.Request, one: Stored) -> SeriesRow:
    return SeriesRow(one.series, one.name, one.lessons, is_allowed(request, Action.EDIT_LESSON, _thing(one)))


async def create(request: web.Request) -> web.Response:
    """A new one, with lessons or empty."""
    actor, reach = require_some(request, Action.EDIT_LESSON)
    body = await body_of(request, SeriesChange)
    name = _name(body.name)
    series = await request.app[LIBRARY].create_series(name, _owner(reach))
    await _order(request, series, body.lessons or [])
    await request.app[STORE].audit(actor.name, Action.EDIT_LESSON, series, name=name)
    return answer(SeriesRow(series, name, len(body.lessons or []), True), status=201)


async def _require(request: web.Request) -> tuple[Stored, Actor]:
    series = await request.app[LIBRARY].one_series(request.match_info["series"])
    actor = require(request, Action.EDIT_LESSON, _thing(series) if series else Thing())
    if series is None:
        raise NoRight
    return series, actor


async def change(request: web.Request) -> web.Response:
    """Its name, its lessons and their order."""
    series, actor = await _require(request)
    body = await body_of(request, SeriesChange)
    if body.name is not None:
        await request.app[LIBRARY].rename_series(series.series, _name(body.name))
    if body.lessons is not None:
        await _order(request, series.series, body.lessons)
    await request.app[STORE].audit(actor.name, Action.EDIT_LESSON, series.series)
    return web.Response(status=204)


async def delete(request: web.Request) -> web.Response:
    """The order goes, the lessons stay."""
    series, actor = await _require(request)
    await request.app[LIBRARY].delete_series(series.series)
    await request.app[STORE].audit(actor.name, Action.EDIT_LESSON, series.series, deleted="yes")
    return web.Response(status=204)


def routes() -> list[web.RouteDef]:
    return [
        web.get("/api/v1/series", list_series),
        web.post("/api/v1/series", create),
        web.patch("/api/v1/series/{series}", change),
        web.delete("/api/v1/series/{series}", delete),
    ]

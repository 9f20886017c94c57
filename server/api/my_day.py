"""A person's day: the next lesson with its rooms' readiness, today's lessons, where the person teaches."""

from __future__ import annotations

from collections.abc import Sequence

from aiohttp import web

from server.api.alarms import facts_of
from server.api.calendars import feed_path, person_of
from server.api.guarding import answer
from server.api.keys import CHECKING, CLOCK, LIVE, MEDIA_KEY, REHEARSALS, STANDINGS, STORE
from server.api.rights import Action, Thing, is_allowed, require
from server.api.timetable_views import Views, day_span, views_of
from server.domain.alarms import Due, Server, alarms
from server.protocol.timetable import Given, MyDay, NamedRoom, NextLesson, RoomReadiness
from server.store.planning import blocks
from server.store.timetable_records import Booked

DAYS_AHEAD = 8
NEAR = (Given.LIVE, Given.OPEN, Given.AHEAD)


async def my_day(request: web.Request) -> web.Response:
    """Of who is logged in; of a studio's room, or of every room where nobody is (the sample county)."""
    actor = require(request, Action.READ_DAY, Thing(main_room=_studio_room(request)))
    store, now = request.app[STORE], request.app[CLOCK].wall_ms()
    since, until = day_span(request, store.county.today())
    _, ahead = day_span(request, store.county.today(), DAYS_AHEAD)
    person = person_of(request)
    lessons = await _lessons(request, person, actor.room, since, ahead)
    views = await views_of(request, lessons)
    today = [each for each in lessons if each.starts_at < until]
    number = await store.terms.feed_number(f"person:{person}") if person else 0
    return answer(
        MyDay(
            now=now,
            zone=store.county.zone.key,
            day=store.county.today().isoformat(),
            next=_next(request, lessons, views, now),
            today=[views.lesson(each) for each in today],
            teaches=await _teaches(request),
            rehearsed_at=await _rehearsed_at(request, person),
            calendar=feed_path(request.app[MEDIA_KEY], f"person:{person}", number) if person else "",
        )
    )


async def _rehearsed_at(request: web.Request, person: str) -> int | None:
    mine = await request.app[REHEARSALS].newest(teacher=person) if person else []
    return next((each.at for each in mine if each.passed), None)


def _studio_room(request: web.Request) -> str | None:
    return request.query.get("room", "")[:40] or None


async def _lessons(
    request: web.Request, person: str, room: str | None, since: int, until: int
) -> list[Booked]:
    timetable = request.app[STORE].timetable
    if person:
        return await timetable.between(since, until, teacher=person)
    rooms = frozenset({room}) if room is not None else None
    return await timetable.between(since, until, rooms=rooms)


async def _teaches(request: web.Request) -> list[NamedRoom]:
    return [
        NamedRoom(room.room, room.name)
        for room in await request.app[STORE].classrooms()
        if room.main and is_allowed(request, Action.OPEN_STUDIO, Thing(main_room=room.room))
    ]


def _next(request: web.Request, lessons: Sequence[Booked], views: Views, now: int) -> NextLesson | None:
    """What is on the air, else what comes next."""
    told = [(each, views.lesson(each)) for each in lessons if blocks(each) and each.ends_at > now]
    ahead = [(each, view) for each, view in told if view.given in NEAR]
    if not ahead:
        return None
    booked, view = min(ahead, key=lambda pair: (pair[1].given is not Given.LIVE, pair[0].starts_at))
    sources = request.app[CHECKING].stands(booked.lesson, booked.main_room, booked.template)
    return NextLesson(view, [_readiness(request, booked, room, now) for room in view.rooms], sources)


def _readiness(request: web.Request, booked: Booked, room: NamedRoom, now: int) -> RoomReadiness:
    """How one receiving room stands before the lesson: there or not, what it heard of itself, its alarms."""
    there, lesson = request.app[LIVE].pages.state_of(room.room)
    state = "online" if there else "away"
    if lesson is not None and lesson.lesson.id != booked.lesson and lesson.lesson.on_air:
        state = "in_lesson"
    standings = request.app[STANDINGS]
    stand = standings.stand(room.room)
    due = Due.of(booked.lesson, booked.starts_at, (room.room,), booked.template)
    wrong = alarms([facts_of(standings, room.room)], [due], Server(), now)
    since = stand.online_since if there else stand.seen_at
    return RoomReadiness(room.room, room.name, state, since, stand.hear if there else None, wrong)


def routes() -> list[web.RouteDef]:
    return [web.get("/api/v1/my-day", my_day)]

"""Alarms before the bell, for who looks after the rooms; how a lesson's rooms stand, for its teacher."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable

from aiohttp import web

from server.api.devices import room_stand
from server.api.guarding import answer
from server.api.keys import CHECKING, CLOCK, CONFIG, FREE_BYTES, LIVE, STANDINGS, STORE
from server.api.rights import Action, NoRight, Thing, require, require_some
from server.domain.alarms import SOON_MS, Due, RoomFacts, Server, SourceFacts, alarms
from server.domain.lesson import Lesson
from server.live.standings import Standings
from server.protocol.devices import Alarm, AlarmKind, Heard, LessonReadiness, RoomAlarms
from server.protocol.messages import LessonState


def facts_of(standings: Standings, room: str) -> RoomFacts:
    """A room as the rule looks at it."""
    stand = standings.stand(room)
    said = stand.said
    return RoomFacts(
        room=room,
        paired=bool(standings.of_room(room)),
        online_since=stand.online_since,
        seen_at=stand.seen_at,
        cameras=said.cameras if said else None,
        microphones=said.microphones if said else None,
        clock_off_ms=said.clock_off_ms if said else 0,
        heard=stand.hear.result if stand.hear else Heard.UNKNOWN,
        heard_at=stand.hear.at if stand.hear else 0,
        fault=stand.fault,
        moved_at=stand.moved_at,
    )


async def soon(app: web.Application, now: int) -> list[Lesson]:
    """Lessons that are on or open, and those booked to begin within the alarms' time."""
    live = [room.lesson for room in app[LIVE].lessons if room.lesson.state is not LessonState.ENDED]
    here = {lesson.id for lesson in live if lesson.booked or lesson.on_air}
    planned = await app[STORE].planned(now + SOON_MS, now)
    return [lesson for lesson in live if lesson.id in here] + [
        lesson for lesson in planned if lesson.id not in here
    ]


def due_of(lesson: Lesson) -> Due:
    begins_at = lesson.booked_from or lesson.started_at or lesson.created_at
    return Due.of(lesson.id, begins_at, lesson.rooms, lesson.template)


def sources_of(app: web.Application, lessons: Iterable[Lesson]) -> list[SourceFacts]:
    """Cameras and encoders of these lessons' main rooms that are not well."""
    return [
        SourceFacts(lesson.main_room, stand.source, lesson.id, stand.since, stand.words)
        for lesson in lessons
        for stand in app[CHECKING].stands(lesson.id, lesson.main_room, lesson.template)
        if stand.words is not None
    ]


async def alarms_now(app: web.Application, lessons: Collection[Lesson], rooms: Iterable[str]) -> list[Alarm]:
    """What the rule finds about these lessons and these rooms."""
    config, now = app[CONFIG], app[CLOCK].wall_ms()
    free = await asyncio.to_thread(app[FREE_BYTES])
    looked_at = {room for lesson in lessons for room in lesson.rooms} | app[STANDINGS].moved()
    found = [facts_of(app[STANDINGS], room) for room in rooms if room in looked_at]
    server = Server(free, config.data.least_free_bytes)
    return alarms(found, [due_of(lesson) for lesson in lessons], server, now, sources_of(app, lessons))


async def list_alarms(request: web.Request) -> web.Response:
    """Of the rooms that the asker looks after; the disk for who looks after all of them."""
    _, circle = require_some(request, Action.MANAGE_DEVICES)
    app, now = request.app, request.app[CLOCK].wall_ms()
    rooms = {room.room: room for room in await app[STORE].classrooms()}
    lessons = {lesson.id: lesson for lesson in await soon(app, now)}
    found = [
        one
        for one in await alarms_now(app, lessons.values(), rooms)
        if circle is None or (one.room in circle.own and one.kind is not AlarmKind.DISK_LOW)
    ]
    names = {one.room: rooms[one.room].name for one in found if one.room in rooms}
    names |= {one.lesson: lessons[one.lesson].title for one in found if one.lesson in lessons}
    return answer(
        RoomAlarms(
            alarms=found,
            names={name: [words.zh, words.en] for name, words in names.items()},
            lessons={one.lesson: due_of(lessons[one.lesson]).begins_at for one in found if one.lesson},
            at=now,
        )
    )


async def readiness(request: web.Request) -> web.Response:
    """How the rooms of one lesson stand, for the teacher's card."""
    lesson = await _lesson(request.app, request.match_info["lesson"])
    thing = Thing(lesson=lesson.id, main_room=lesson.main_room) if lesson else Thing()
    require(request, Action.START_LESSON, thing)
    if lesson is None:
        raise NoRight
    rooms = {room.room: room for room in await request.app[STORE].classrooms()}
    shown = [room_stand(request.app, rooms[room]) for room in lesson.rooms if room in rooms]
    found = await alarms_now(request.app, [lesson], lesson.rooms)
    mine = [one for one in found if one.room in lesson.rooms or one.kind is AlarmKind.SOURCE_WRONG]
    sources = request.app[CHECKING].stands(lesson.id, lesson.main_room, lesson.template)
    return answer(LessonReadiness(lesson.id, shown, mine, sources))


async def _lesson(app: web.Application, lesson: str) -> Lesson | None:
    live = app[LIVE].lessons.get(lesson)
    if live is not None:
        return live.lesson
    row = await app[STORE].lesson(lesson)
    return row.lesson if row is not None else None


def routes() -> list[web.RouteDef]:
    return [
        web.get("/api/v1/alarms", list_alarms),
        web.get("/api/v1/lessons/{lesson}/readiness", readiness),
    ]

"""Lessons over REST: list, start, end, observe."""

from __future__ import annotations

from aiohttp import web

from server.api.guarding import answer, body_of
from server.api.keys import CONFIG, LIBRARY, LIVE, STORE, TOKENS
from server.api.rights import Action, NoRight, Thing, is_allowed, require, require_somewhere
from server.api.tokens import TokenKind
from server.ids import is_lesson_id
from server.protocol.resources import LessonDoors, LessonRow, NewLesson, RoomToken
from server.store.records import LessonOverview
from server.store.remembered import Kept
from server.store.store import Store
from server.store.tables import LESSONS, PUBLISHING, RECORDINGS

NEWEST = web.AppKey("newest", Kept[list[tuple[Thing, LessonRow]]])


def keep(app: web.Application, store: Store) -> None:
    """The newest lessons, until one of them changes."""
    app[NEWEST] = Kept(store.database, (LESSONS, RECORDINGS, PUBLISHING), 1)


def thing_of(overview: LessonOverview) -> Thing:
    """A lesson, as the rights tables see it."""
    lesson = overview.lesson
    return Thing(lesson.id, lesson.main_room, frozenset(lesson.rooms), links=lesson.links)


async def find_lesson(request: web.Request) -> LessonOverview | None:
    """The lesson of the path; None where there is none of that name."""
    name = request.match_info["lesson"]
    return await request.app[STORE].lesson(name) if is_lesson_id(name) else None


async def require_lesson(request: web.Request, action: Action) -> LessonOverview:
    """The path's lesson and the right to `action` on it; `Refused` alike where either is missing."""
    overview = await find_lesson(request)
    require(request, action, thing_of(overview) if overview is not None else Thing())
    if overview is None:
        raise NoRight
    return overview


def row_of(overview: LessonOverview) -> LessonRow:
    lesson, recording = overview.lesson, overview.recording
    playable = recording is not None and recording.seconds > 0
    return LessonRow(
        lesson=lesson.id,
        title=lesson.title,
        state=lesson.state,
        room=lesson.main_room,
        created_at=lesson.created_at,
        started_at=lesson.started_at,
        ended_at=lesson.ended_at,
        recording=recording.state if recording is not None else None,
        seconds=recording.seconds if recording is not None else 0.0,
        replay=f"/replay/{lesson.id}" if playable else None,
    )


def base_url(request: web.Request) -> str:
    """As the asker sees this server."""
    public = request.app[CONFIG].http.public_url.rstrip("/")
    return public or f"{request.scheme}://{request.host}"


def doors_of(request: web.Request, lesson: str, room: str) -> LessonDoors:
    """URLs and tokens of one lesson's WHIP, WHEP and studio."""
    lifetime_s = request.app[CONFIG].security.lesson_token_hours * 3600
    tokens, base = request.app[TOKENS], base_url(request)
    studio = tokens.issue(TokenKind.STUDIO, lifetime_s=lifetime_s, room=room, lesson=lesson)
    return LessonDoors(
        lesson=lesson,
        whip=f"{base}/whip/{lesson}",
        whip_token=tokens.issue(TokenKind.WHIP, lifetime_s=lifetime_s, lesson=lesson),
        whep=f"{base}/whep/{lesson}",
        whep_token=tokens.issue(TokenKind.WHEP, lifetime_s=lifetime_s, lesson=lesson),
        studio=f"{base}/studio/{lesson}#token={studio}",
    )


async def list_lessons(request: web.Request) -> web.Response:
    """The newest 200."""
    require_somewhere(request, Action.LIST_LESSONS)
    found = await request.app[NEWEST].get((), lambda: _newest(request.app[STORE]))
    return answer([row for thing, row in found if is_allowed(request, Action.LIST_LESSONS, thing)])


async def _newest(store: Store) -> list[tuple[Thing, LessonRow]]:
    return [(thing_of(each), row_of(each)) for each in await store.lessons()]


async def start_lesson(request: web.Request) -> web.Response:
    """An ad hoc lesson in a main room, on the air at once."""
    body = await body_of(request, NewLesson)
    actor = require(request, Action.START_LESSON, Thing(main_room=body.room))
    room = await request.app[STORE].classroom(body.room)
    if room is None or not room.main:
        raise NoRight
    lesson = await request.app[LIVE].start_lesson(body.room, title=body.title, minutes=body.minutes)
    if actor.person:
        await request.app[LIBRARY].catalogue(lesson, taught_by=actor.person)
    await request.app[STORE].audit(actor.name, Action.START_LESSON, lesson)
    return answer(doors_of(request, lesson, body.room), status=201)


async def end_lesson(request: web.Request) -> web.Response:
    """End it now; ending an ended lesson changes nothing."""
    overview = await require_lesson(request, Action.END_LESSON)
    lesson = overview.lesson.id
    await request.app[LIVE].end_lesson(lesson)
    await request.app[STORE].audit("rest", Action.END_LESSON, lesson)
    after = await request.app[STORE].lesson(lesson)
    return answer(row_of(after or overview))


async def observe(request: web.Request) -> web.Response:
    """A token to watch, listed in studio and rooms. Logged."""
    overview = await require_lesson(request, Action.OBSERVE)
    lifetime_s = request.app[CONFIG].security.session_hours * 3600
    lesson = overview.lesson
    token = request.app[TOKENS].issue(TokenKind.OBSERVER, lifetime_s=lifetime_s, lesson=lesson.id)
    await request.app[STORE].audit("rest", Action.OBSERVE, lesson.id)
    return answer(RoomToken(room=lesson.main_room, name=lesson.title, token=token), status=201)


def routes() -> list[web.RouteDef]:
    return [
        web.get("/api/v1/lessons", list_lessons),
        web.post("/api/v1/lessons", start_lesson),
        web.post("/api/v1/lessons/{lesson}/end", end_lesson),
        web.post("/api/v1/lessons/{lesson}/observe", observe),
    ]

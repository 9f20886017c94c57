"""Rehearsals over REST: open one with acting rooms, and see who has passed."""

from __future__ import annotations

from collections.abc import Sequence

from aiohttp import web

from server.api.guarding import answer, body_of
from server.api.keys import LIVE, REHEARSALS, STORE
from server.api.rights import Action, NoRight, Thing, circle_of, require, require_some
from server.api.rooms import room_token
from server.api.tokens import TokenKind
from server.protocol.messages import Words
from server.protocol.rehearsing import NewRehearsal, Rehearsals, RehearsedTeacher
from server.store.rehearsals import Tried

MOST_TOLD = 500
NOBODY = Words(zh="未登录", en="Without a log-in")


async def open_rehearsal(request: web.Request) -> web.Response:
    """A rehearsal in this main room, and a studio's token to hold it with."""
    body = await body_of(request, NewRehearsal)
    actor = require(request, Action.OPEN_STUDIO, Thing(main_room=body.room))
    room = await request.app[STORE].classroom(body.room)
    if room is None or not room.main:
        raise NoRight
    await request.app[LIVE].rehearse(room.room)
    await request.app[STORE].audit(actor.name, Action.OPEN_STUDIO, room.room, what="rehearsal")
    return answer(room_token(request, room, TokenKind.STUDIO, actor.person), status=201)


async def list_rehearsals(request: web.Request) -> web.Response:
    """Who tried it, and who has passed: in the asker's units, or one's own."""
    require_some(request, Action.READ_REHEARSALS)
    circle = circle_of(request, Action.READ_REHEARSALS)
    tried = await request.app[REHEARSALS].newest()
    if circle is not None:
        tried = [t for t in tried if t.main_room in circle.own or (t.teacher and t.teacher == circle.person)]
    naming = request.app[STORE].naming
    units = circle.own if circle is not None else None
    teachers = len(await naming.teachers(units)) if units is None or units else 0
    return answer(Rehearsals(teachers, await _told(request, tried)))


async def _told(request: web.Request, tried: Sequence[Tried]) -> list[RehearsedTeacher]:
    """One line a person; who was not logged in is a line a main room."""
    of: dict[tuple[str, str], list[Tried]] = {}
    for each in tried:
        of.setdefault((each.teacher, "" if each.teacher else each.main_room), []).append(each)
    store = request.app[STORE]
    names = (await store.naming.names({person for person, _ in of})).teachers
    rooms = {room.room: room.name for room in await store.classrooms()}
    return [
        RehearsedTeacher(
            person=person,
            name=names.get(person, NOBODY),
            room=rooms.get(mine[0].main_room, Words(mine[0].main_room, mine[0].main_room)),
            tries=len(mine),
            last_at=mine[0].at,
            passed_at=next((each.at for each in mine if each.passed), None),
            steps=mine[0].steps,
        )
        for (person, _), mine in list(of.items())[:MOST_TOLD]
    ]


def routes() -> list[web.RouteDef]:
    return [
        web.get("/api/v1/rehearsals", list_rehearsals),
        web.post("/api/v1/rehearsals", open_rehearsal),
    ]

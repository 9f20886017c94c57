"""Links for guests of a lesson, and the door of its lobby.

A link is for a main room (or one lesson of it), good for some hours, and may be revoked. It opens the lobby
only: who gave a name there gets a token for the WebSocket, and the teacher lets in or refuses. A guest's
token opens nothing over REST: no replay, no recording as it grows, no list.
"""

from __future__ import annotations

import secrets

from aiohttp import web

from server.api.broadcast import qr_picture
from server.api.guarding import answer, body_of
from server.api.identity import LOOPBACK_NAMES
from server.api.keys import CLOCK, GUEST_LINKS, LIVE, STORE, TOKENS
from server.api.lessons import base_url
from server.api.rights import Action, NoRight, Thing, require
from server.api.tokens import BadToken, TokenKind
from server.domain.guests import LONGEST_LABEL, GuestLink, guest_name, link_until
from server.domain.questions import clean
from server.ids import is_lesson_id
from server.live.refusals import LinkOver
from server.protocol.lobby import EnterLobby, GuestLinkRow, LobbyPass, MadeGuestLink, NewGuestLink


async def _lesson_there(request: web.Request, room: str, lesson: str | None) -> bool:
    """Whether this is a main room, and the lesson (where one is named) is one of its own."""
    classroom = request.app[LIVE].classroom(room)
    if classroom is None or not classroom.main:
        return False
    if lesson is None:
        return True
    here = request.app[LIVE].lessons.get(lesson)
    if here is not None:
        return here.lesson.main_room == room
    overview = await request.app[STORE].lesson(lesson) if is_lesson_id(lesson) else None
    return overview is not None and overview.lesson.main_room == room


async def make(request: web.Request) -> web.Response:
    """A link for some hours, for one lesson or for whichever is on in the room. Told once."""
    room = request.match_info["room"]
    actor = require(request, Action.INVITE_GUEST, Thing(main_room=room))
    body = await body_of(request, NewGuestLink)
    require(request, Action.INVITE_GUEST, Thing(body.lesson, room))
    if not await _lesson_there(request, room, body.lesson):
        raise NoRight
    now = request.app[CLOCK].wall_ms()
    number, until = 1 + secrets.randbelow(1 << 30), link_until(body.hours, now)
    label = clean(body.label)[:LONGEST_LABEL]
    await request.app[GUEST_LINKS].add(GuestLink(number, room, body.lesson, label, actor.name, now, until))
    token = request.app[TOKENS].issue(
        TokenKind.INVITATION, lifetime_s=body.hours * 3600, room=room, lesson=body.lesson, epoch=number
    )
    url = f"{base_url(request)}/guest#token={token}"
    await request.app[STORE].audit(
        actor.name, Action.INVITE_GUEST, body.lesson or room, link=str(number), label=label
    )
    reachable = url.partition("://")[2].partition("/")[0].rpartition(":")[0] not in LOOPBACK_NAMES
    return answer(MadeGuestLink(number, url, until, qr_picture(url), reachable), status=201)


async def find(request: web.Request) -> web.Response:
    """The newest links of a main room, those that are over too."""
    room = request.match_info["room"]
    require(request, Action.INVITE_GUEST, Thing(main_room=room))
    now = request.app[CLOCK].wall_ms()
    links = await request.app[GUEST_LINKS].of(room)
    return answer([_row(link, now) for link in links])


def _row(link: GuestLink, now: int) -> GuestLinkRow:
    return GuestLinkRow(
        link.number,
        link.room,
        link.lesson,
        link.label,
        link.made_by,
        link.made_at,
        link.until,
        link.good(now),
    )


async def end(request: web.Request) -> web.Response:
    """Revoked; who came by it is out at once."""
    room, number = request.match_info["room"], request.match_info["number"]
    actor = require(request, Action.INVITE_GUEST, Thing(main_room=room))
    known = number.isascii() and number.isdigit() and len(number) <= 10
    if not known or not await request.app[GUEST_LINKS].end(room, int(number)):
        raise NoRight
    request.app[LIVE].end_guest_link(int(number))
    await request.app[STORE].audit(actor.name, "end_guest_link", room, link=number)
    return web.Response(status=204)


async def enter(request: web.Request) -> web.Response:
    """A name for the lobby; the answer's token says hello to the WebSocket and waits there."""
    require(request, Action.ENTER_LOBBY)
    body = await body_of(request, EnterLobby)
    claims = request.app[TOKENS].read(body.link)
    if claims.kind is not TokenKind.INVITATION:
        raise BadToken
    link = request.app[GUEST_LINKS].good(claims.epoch)
    classroom = request.app[LIVE].classroom(link.room) if link is not None else None
    if link is None or classroom is None:
        raise LinkOver
    name, now = guest_name(body.name), request.app[CLOCK].wall_ms()
    token = request.app[TOKENS].issue(
        TokenKind.GUEST,
        lifetime_s=(link.until - now) / 1000,
        room=link.room,
        lesson=link.lesson,
        epoch=link.number,
        name=name,
    )
    await request.app[STORE].audit(
        f"guest:{link.number}", Action.ENTER_LOBBY, link.lesson or link.room, name=name
    )
    return answer(LobbyPass(token, classroom.name, link.until), status=201)


def routes() -> list[web.RouteDef]:
    return [
        web.get("/api/v1/rooms/{room}/guest-links", find),
        web.post("/api/v1/rooms/{room}/guest-links", make),
        web.delete("/api/v1/rooms/{room}/guest-links/{number}", end),
        web.post("/api/v1/lobby", enter),
    ]

"""Links of a lesson: the broadcast's for many viewers, the phone remote's, the main room's second screen.

A link is good for its lesson and its time, and over as soon as it is ended or made anew.
"""

from __future__ import annotations

import asyncio
import io
import secrets

import segno
from aiohttp import web

from server.api.guarding import answer, body_of
from server.api.identity import LOOPBACK_NAMES
from server.api.keys import CLOCK, CONFIG, LIVE, STORE, TOKENS
from server.api.lessons import base_url
from server.api.rights import Action, NoRight, Thing, require
from server.api.standard import require_live
from server.api.tokens import TokenKind
from server.domain.lesson import Pass
from server.domain.questions import clean
from server.live.inbox import CloseLink, OpenLink
from server.protocol.messages import Role
from server.protocol.resources import Link, NewLink, RoomToken

LONGEST_LABEL = 40
KINDS = {Role.WATCHER: TokenKind.WATCH, Role.REMOTE: TokenKind.REMOTE}


async def share(request: web.Request) -> web.Response:
    """A new link for viewers; who came by the one before is out."""
    lesson = await require_live(request, Action.SHARE)
    body = await body_of(request, NewLink)
    hours = request.app[CONFIG].broadcast.link_hours
    return await _open(request, lesson, Role.WATCHER, hours, clean(body.label)[:LONGEST_LABEL])


async def hand_remote(request: web.Request) -> web.Response:
    """A new link for the teacher's phone; the phone that had one is out."""
    lesson = await require_live(request, Action.HAND_REMOTE)
    hours = request.app[CONFIG].broadcast.remote_hours
    return await _open(request, lesson, Role.REMOTE, hours, "")


async def end_share(request: web.Request) -> web.Response:
    return await _close(request, await require_live(request, Action.SHARE), Role.WATCHER)


async def end_remote(request: web.Request) -> web.Response:
    return await _close(request, await require_live(request, Action.HAND_REMOTE), Role.REMOTE)


async def _open(request: web.Request, lesson: str, role: Role, hours: int, label: str) -> web.Response:
    live = request.app[LIVE]
    room = live.room(lesson).lesson.main_room
    number = 1 + secrets.randbelow(1 << 30)
    link = Pass(number, request.app[CLOCK].wall_ms() + hours * 3_600_000, label)
    reply: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    await live.ask(lesson, OpenLink(reply, role, link), reply)
    token = request.app[TOKENS].issue(
        KINDS[role],
        lifetime_s=hours * 3600,
        lesson=lesson,
        room=room if role is Role.REMOTE else None,
        epoch=number,
    )
    path = f"/watch/{lesson}" if role is Role.WATCHER else "/remote"
    url = f"{base_url(request)}{path}#token={token}"
    await request.app[STORE].audit("studio", f"open_{role}_link", lesson)
    reachable = url.partition("://")[2].partition("/")[0].rpartition(":")[0] not in LOOPBACK_NAMES
    return answer(Link(url=url, until=link.until, picture=qr_picture(url), reachable=reachable), status=201)


async def _close(request: web.Request, lesson: str, role: Role) -> web.Response:
    reply: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    await request.app[LIVE].ask(lesson, CloseLink(reply, role), reply)
    await request.app[STORE].audit("studio", f"close_{role}_link", lesson)
    return web.Response(status=204)


def qr_picture(url: str) -> str:
    """The link as a QR code: a whole SVG document, black on white with its quiet zone."""
    written = io.BytesIO()
    code = segno.make(url, error="l", boost_error=False, micro=False)
    code.save(written, kind="svg", border=4, xmldecl=False, omitsize=True, light="#fff")
    return written.getvalue().decode()


async def wall(request: web.Request) -> web.Response:
    """A token for the main room's second screen: it shows the far rooms, and is listed."""
    room = request.match_info["room"]
    actor = require(request, Action.OPEN_WALL, Thing(main_room=room))
    classroom = request.app[LIVE].classroom(room)
    if classroom is None:
        raise NoRight
    lifetime_s = request.app[CONFIG].security.session_hours * 3600
    token = request.app[TOKENS].issue(TokenKind.WALL, lifetime_s=lifetime_s, room=room)
    await request.app[STORE].audit(actor.name, Action.OPEN_WALL, room)
    return answer(RoomToken(room=room, name=classroom.name, token=token), status=201)


def routes() -> list[web.RouteDef]:
    return [
        web.post("/api/v1/lessons/{lesson}/watch-link", share),
        web.delete("/api/v1/lessons/{lesson}/watch-link", end_share),
        web.post("/api/v1/lessons/{lesson}/remote-link", hand_remote),
        web.delete("/api/v1/lessons/{lesson}/remote-link", end_remote),
        web.post("/api/v1/rooms/{room}/wall", wall),
    ]

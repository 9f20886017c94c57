"""WHEP: a standard viewer of a lesson; the client offers, one picture and one sound.

    POST   /whep/{lesson}?source=camera     SDP offer -> 201, Location, ETag, SDP answer
    PATCH  /whep/{lesson}/{session}         trickle ICE or ICE restart
    DELETE /whep/{lesson}/{session}         hang up

Without `source` the picture is what the rooms' stage shows. The sound is the main room's, and the called
room's while one is called.
"""

from __future__ import annotations

import asyncio

from aiohttp import web

from server.api import standard
from server.api.keys import LIVE
from server.api.rights import Action
from server.live.inbox import Opened, Watch


async def watch(request: web.Request) -> web.Response:
    """A new session."""
    lesson = await standard.require_live(request, Action.WATCH)
    if not standard.takes_sdp(request):
        return standard.not_acceptable()
    source = standard.source_of(request)
    try:
        text = await standard.text_of(request, standard.SDP)
    except standard.WrongType:
        return standard.wrong_type(standard.SDP)
    reply: asyncio.Future[Opened] = asyncio.get_running_loop().create_future()
    opened = await request.app[LIVE].ask(lesson, Watch(reply, text, source), reply)
    return standard.created(request, opened)


async def patch(request: web.Request) -> web.Response:
    return await standard.patch(request, await standard.require_live(request, Action.WATCH), "whep")


async def delete(request: web.Request) -> web.Response:
    return await standard.delete(request, await standard.require_live(request, Action.WATCH), "whep")


def routes() -> list[web.AbstractRouteDef]:
    return [
        web.post("/whep/{lesson}", watch),
        web.options("/whep/{lesson}", standard.options),
        web.patch("/whep/{lesson}/{session}", patch),
        web.delete("/whep/{lesson}/{session}", delete),
        web.options("/whep/{lesson}/{session}", standard.options),
    ]

"""WHIP (RFC 9725): a standard publisher as one source of a lesson's main room.

POST   /whip/{lesson}?source=camera     SDP offer -> 201, Location, ETag, SDP answer
PATCH  /whip/{lesson}/{session}         trickle ICE or ICE restart
DELETE /whip/{lesson}/{session}         hang up
"""

from __future__ import annotations

import asyncio

from aiohttp import web

from server.api import standard
from server.api.keys import LIVE
from server.api.rights import Action
from server.live.inbox import Opened, Publish
from server.protocol.parameters import Source
from server.protocol.sdp import Offer, read_offer


def sources_in(offer: Offer, source: Source) -> dict[str, Source]:
    """MID -> source: the first picture is `source`; the first sound is the voice, with a camera or alone."""
    found: dict[str, Source] = {}
    taken: set[str] = set()
    wanted = {"audio": Source.VOICE} if source in (Source.CAMERA, Source.VOICE) else {}
    if source is not Source.VOICE:
        wanted["video"] = source
    for section in offer.sections:
        if section.kind in wanted and section.kind not in taken and section.port != 0:
            taken.add(section.kind)
            found[section.mid] = wanted[section.kind]
    return found


async def publish(request: web.Request) -> web.Response:
    """A new session."""
    lesson = await standard.require_live(request, Action.PUBLISH)
    if not standard.takes_sdp(request):
        return standard.not_acceptable()
    source = standard.source_of(request) or Source.CAMERA
    try:
        text = await standard.text_of(request, standard.SDP)
    except standard.WrongType:
        return standard.wrong_type(standard.SDP)
    reply: asyncio.Future[Opened] = asyncio.get_running_loop().create_future()
    ask = Publish(reply, text, sources_in(read_offer(text), source), source)
    return standard.created(request, await request.app[LIVE].ask(lesson, ask, reply))


async def patch(request: web.Request) -> web.Response:
    return await standard.patch(request, Action.PUBLISH, "whip")


async def delete(request: web.Request) -> web.Response:
    return await standard.delete(request, Action.PUBLISH, "whip")


def routes() -> list[web.AbstractRouteDef]:
    return [
        web.post("/whip/{lesson}", publish),
        web.options("/whip/{lesson}", standard.options),
        web.patch("/whip/{lesson}/{session}", patch),
        web.delete("/whip/{lesson}/{session}", delete),
        web.options("/whip/{lesson}/{session}", standard.options),
    ]

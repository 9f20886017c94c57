"""WHIP (RFC 9725): a standard publisher as one source of a lesson's main room.

POST   /whip/{lesson}?source=camera     SDP offer -> 201, Location, ETag, SDP answer
PATCH  /whip/{lesson}/{session}         trickle ICE or ICE restart
DELETE /whip/{lesson}/{session}         hang up

An encoder that stays in its room has an address and a key of its own, which are good in every lesson:
`/whip/rooms/{room}/{source}` and `/whip/rooms/{room}/{source}/{session}`. Who may come is said on the room's
page; there is 503 with Retry-After while no lesson is prepared.
"""

from __future__ import annotations

import asyncio

from aiohttp import web

from server.api import standard
from server.api.identity import encoder_of
from server.api.keys import CLOCK, LIVE
from server.api.rights import Action, NoRight, Thing, require
from server.errors import UserFault
from server.live.boxes import label_of
from server.live.inbox import Opened, Publish
from server.protocol.parameters import Source
from server.protocol.sdp import Offer, read_offer
from server.store.records import BoxSource


def sources_in(offer: Offer, source: Source, *, sound: bool) -> dict[str, Source]:
    """MID -> source: the first picture is `source`; the first sound is the voice, where that is wanted."""
    found: dict[str, Source] = {}
    taken: set[str] = set()
    wanted = {"audio": Source.VOICE} if sound else {}
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
    source = standard.source_of(request) or Source.CAMERA
    sound = source in (Source.CAMERA, Source.VOICE)
    return await _opened(request, lesson, source, source.value, sound=sound)


async def patch(request: web.Request) -> web.Response:
    return await standard.patch(request, await standard.require_live(request, Action.PUBLISH), "whip")


async def delete(request: web.Request) -> web.Response:
    return await standard.delete(request, await standard.require_live(request, Action.PUBLISH), "whip")


async def publish_box(request: web.Request) -> web.Response:
    """A new session of a room's encoder, in the lesson that is prepared or on the air there."""
    encoder = await _require_box(request)
    room = request.app[LIVE].lessons.current(encoder.room)
    box = room.boxes.encoder(encoder.source) if room is not None else None
    if room is None or box is None:
        request.app[LIVE].ingest.knocked(encoder, request.app[CLOCK].wall_ms())
        raise NotYet
    label = label_of(box)
    return await _opened(request, room.lesson.id, box.source, label, sound=box.sound, alone=True)


async def patch_box(request: web.Request) -> web.Response:
    await _require_box(request)
    return await standard.patch(request, _current(request), "whip")


async def delete_box(request: web.Request) -> web.Response:
    await _require_box(request)
    return await standard.delete(request, _current(request), "whip")


class NotYet(UserFault):
    """No lesson in which this encoder is to send (HTTP 503, with Retry-After)."""

    def __init__(self) -> None:
        super().__init__(
            "no_lesson_yet",
            zh="教室还没有上课。老师打开讲台页面后再推流，或让编码器自动重试。",
            en="No lesson is prepared in this room. Open its studio first, or let the encoder try again.",
        )


async def _require_box(request: web.Request) -> BoxSource:
    """The path's encoder, whose own key the bearer holds."""
    await request.app[LIVE].ready.wait()
    require(request, Action.PUBLISH_AS_BOX, Thing(main_room=request.match_info["room"]))
    box = encoder_of(request)
    if box is None or (box.room, box.source) != (request.match_info["room"], request.match_info["source"]):
        raise NoRight
    return box


def _current(request: web.Request) -> str:
    lesson = request.app[LIVE].current(request.match_info["room"])
    if not lesson:
        raise NotYet
    return lesson


async def _opened(
    request: web.Request, lesson: str, source: Source, label: str, *, sound: bool, alone: bool = False
) -> web.Response:
    if not standard.takes_sdp(request):
        return standard.not_acceptable()
    try:
        text = await standard.text_of(request, standard.SDP)
    except standard.WrongType:
        return standard.wrong_type(standard.SDP)
    reply: asyncio.Future[Opened] = asyncio.get_running_loop().create_future()
    ask = Publish(reply, text, sources_in(read_offer(text), source, sound=sound), label, alone)
    return standard.created(request, await request.app[LIVE].ask(lesson, ask, reply))


def routes() -> list[web.AbstractRouteDef]:
    return [
        web.post("/whip/{lesson}", publish),
        web.options("/whip/{lesson}", standard.options),
        web.patch("/whip/{lesson}/{session}", patch),
        web.delete("/whip/{lesson}/{session}", delete),
        web.options("/whip/{lesson}/{session}", standard.options),
        web.post("/whip/rooms/{room}/{source}", publish_box),
        web.options("/whip/rooms/{room}/{source}", standard.options),
        web.patch("/whip/rooms/{room}/{source}/{session}", patch_box),
        web.delete("/whip/rooms/{room}/{source}/{session}", delete_box),
        web.options("/whip/rooms/{room}/{source}/{session}", standard.options),
    ]

"""Cameras and encoders of main rooms: what is configured, how it does, and a probe of an address."""

from __future__ import annotations

import logging
from collections.abc import Awaitable
from dataclasses import replace

import msgspec
from aiohttp import web

from server.api.guarding import answer, body_of
from server.api.keys import CHECKING, CLOCK, CONFIG, LIVE, PROBES, SOURCES, STORE
from server.api.lessons import base_url
from server.api.rights import Action, NoRight, require
from server.errors import UserFault
from server.ids import random_word
from server.ingest import apart
from server.ingest.address import camera_address, parse
from server.live.boxes import source_name
from server.live.ingest_link import probe_busy, probe_failed
from server.protocol.parameters import Source
from server.protocol.sources import (
    AskedCamera,
    AskedNetwork,
    NewRoomSource,
    ProbeReport,
    ProbeSource,
    RoomSource,
)
from server.store.records import PUSH_KEY, RTMP, WHIP, BoxSource

PROBE_S = 6.0
_log = logging.getLogger(__name__)
KEY_LETTERS = 24
PLACES = (Source.CAMERA, Source.CAMERA2, Source.SCREEN, Source.VOICE)
RTMP_PORT = 1935


async def list_sources(request: web.Request) -> web.Response:
    """What is configured for a room, without passwords, and how each does now."""
    require(request, Action.MANAGE_SOURCES)
    room = await _main_room(request)
    return answer([_row(request, box) for box in await request.app[SOURCES].all() if box.room == room])


async def put_source(request: web.Request) -> web.Response:
    """Configure one, or change it; an empty address keeps the one that is there."""
    actor = require(request, Action.MANAGE_SOURCES)
    room, source = await _main_room(request), _source(request)
    body = await body_of(request, NewRoomSource)
    before = await _known(request, room, source)
    box = replace(_pushed(before, body) if body.push else _pulled(before, body), room=room, source=source)
    if source is Source.VOICE:
        box = replace(box, sound=True, low="", low_shown="")
    await request.app[SOURCES].put(box, request.app[CLOCK].wall_ms())
    await request.app[STORE].audit(actor.name, "put_source", f"{room}/{source}", address=box.shown)
    await _tell(request)
    if before is None or (before.address, before.udp, before.sound) != (box.address, box.udp, box.sound):
        await request.app[CHECKING].forget(room, source)
    made = box.key if before is None or before.key != box.key else ""
    return answer(msgspec.structs.replace(_row(request, box), key=made))


def _pulled(before: BoxSource | None, body: NewRoomSource) -> BoxSource:
    """What is to be pulled from where. UserFault for an address that is none."""
    text, low = body.address.strip(), body.low_address.strip()
    low_shown = str(parse(low)) if low else ""
    if text:
        shown = str(parse(text))
        settings = (body.udp, body.sound, body.with_lesson)
        return BoxSource("", Source.CAMERA, text, shown, *settings, low, low_shown)
    if before is None or before.key:
        raise UserFault("bad_address", zh="请填写地址。", en="Fill in the address.")
    kept = replace(before, udp=body.udp, sound=body.sound, with_lesson=body.with_lesson)
    return replace(kept, low=low, low_shown=low_shown) if low else kept


def _pushed(before: BoxSource | None, body: NewRoomSource) -> BoxSource:
    """An encoder that comes by itself; its key lives on until another one is asked for, or another way."""
    shown = WHIP if body.whip else RTMP
    key = before.key if before is not None and before.shown == shown and not body.new_key else ""
    address = PUSH_KEY + (key or random_word(KEY_LETTERS))
    return BoxSource("", Source.CAMERA, address, shown, False, body.sound, body.with_lesson)


async def remove_source(request: web.Request) -> web.Response:
    """Forget one, with its password."""
    actor = require(request, Action.MANAGE_SOURCES)
    room, source = await _main_room(request), _source(request)
    await request.app[SOURCES].remove(room, source)
    await request.app[CHECKING].forget(room, source)
    await request.app[STORE].audit(actor.name, "remove_source", f"{room}/{source}")
    await _tell(request)
    return web.Response(status=204)


async def probe(request: web.Request) -> web.Response:
    """Watch a source for some seconds, in a process of its own: the report of `lianke probe`. Of one that
    pushes, what it pushes now."""
    actor = require(request, Action.MANAGE_SOURCES)
    room = await _main_room(request)
    body = await body_of(request, ProbeSource)
    known = await _known(request, room, body.source) if body.source is not None else None
    if known is not None and known.by_whip:
        raise UserFault(
            "seen_in_studio",
            zh="WHIP 编码器在讲台页面里试：打开讲台，开始推流，看预览。",
            en="An encoder that comes by WHIP is tried in the studio: open it, start the encoder, and "
            "look at its preview.",
        )
    pushed = known if known is not None and known.key else None
    address = body.address.strip()
    if body.source is not None:
        address = known.address if known else ""
    shown = pushed.shown if pushed else str(parse(address))
    await request.app[STORE].audit(actor.name, "probe_source", room, address=shown)
    _turn(request)
    networks = request.app[CONFIG].ingest.networks
    voice = body.source is Source.VOICE
    async with request.app[PROBES]:
        if pushed:
            report = await request.app[LIVE].ingest.probed(pushed, PROBE_S)
        else:
            report = await _apart(apart.probed(address, networks, PROBE_S, udp=body.udp, sound_only=voice))
    if known is not None and (pushed or body.udp == known.udp):
        points = msgspec.json.decode(report, type=ProbeReport).points
        await request.app[CHECKING].looked(known, points)
    return _said(report)


async def find(request: web.Request) -> web.Response:
    """Ask a camera which streams it has (ONVIF), in a process of its own. Its password is kept nowhere."""
    actor = require(request, Action.MANAGE_SOURCES)
    room = await _main_room(request)
    body = await body_of(request, AskedCamera)
    shown = str(camera_address(body.address))
    await request.app[STORE].audit(actor.name, "find_streams", room, address=shown)
    _turn(request)
    async with request.app[PROBES]:
        return _said(await _apart(apart.found(body, request.app[CONFIG].ingest.networks)))


async def discover(request: web.Request) -> web.Response:
    """Ask who is a camera in a network (WS-Discovery), in a process of its own."""
    actor = require(request, Action.MANAGE_SOURCES)
    room = await _main_room(request)
    body = await body_of(request, AskedNetwork)
    await request.app[STORE].audit(actor.name, "discover_cameras", room, network=body.network)
    _turn(request)
    async with request.app[PROBES]:
        return _said(await _apart(apart.near(body, request.app[CONFIG].ingest.networks)))


def _turn(request: web.Request) -> None:
    if request.app[PROBES].locked():
        raise probe_busy()


async def _apart(work: Awaitable[bytes]) -> bytes:
    try:
        return await work
    except apart.NoAnswer as error:
        _log.warning("a probe failed: %s", error)
        raise probe_failed() from None


def _said(body: bytes) -> web.Response:
    return web.Response(body=body, content_type="application/json", headers={"Cache-Control": "no-store"})


async def _main_room(request: web.Request) -> str:
    room = await request.app[STORE].classroom(request.match_info["room"])
    if room is None or not room.main:
        raise NoRight
    return room.room


def _source(request: web.Request) -> Source:
    name = request.match_info["source"]
    if name not in PLACES:
        raise NoRight
    return Source(name)


async def _known(request: web.Request, room: str, source: Source) -> BoxSource | None:
    boxes = await request.app[SOURCES].all()
    return next((box for box in boxes if (box.room, box.source) == (room, source)), None)


async def _tell(request: web.Request) -> None:
    request.app[LIVE].ingest.configure(await request.app[SOURCES].all())


def _row(request: web.Request, box: BoxSource) -> RoomSource:
    live = request.app[LIVE]
    state = live.ingest.states.get(source_name(live.current(box.room), box.source))
    return RoomSource(
        box.room,
        box.source,
        box.shown,
        box.udp,
        box.sound,
        box.with_lesson,
        state.state.value if state else "",
        state.words if state else None,
        state.transcoded if state else "",
        box.low_shown,
        bool(box.key),
        box.by_whip,
        box.name in live.ingest.pushing or _at_door(request, box),
        _push_url(request, box),
        low_words=state.low_words if state else None,
        knocked_at=live.ingest.knocked_at(box),
    )


def _at_door(request: web.Request, box: BoxSource) -> bool:
    room = request.app[LIVE].lessons.current(box.room) if box.by_whip else None
    return room is not None and room.boxes.sends(box)


def _push_url(request: web.Request, box: BoxSource) -> str:
    """Where its encoder comes to, as this page's reader reaches us; "" where none may."""
    if not box.key:
        return ""
    if box.by_whip:
        return f"{base_url(request)}/whip/rooms/{box.room}/{box.source}"
    port = request.app[CONFIG].ingest.rtmp_port
    host = request.url.host or ""
    host = f"[{host}]" if ":" in host else host
    return f"rtmp://{host}{'' if port == RTMP_PORT else f':{port}'}/live" if port else ""


def routes() -> list[web.RouteDef]:
    return [
        web.get("/api/v1/rooms/{room}/sources", list_sources),
        web.put("/api/v1/rooms/{room}/sources/{source}", put_source),
        web.delete("/api/v1/rooms/{room}/sources/{source}", remove_source),
        web.post("/api/v1/rooms/{room}/probe", probe),
        web.post("/api/v1/rooms/{room}/find", find),
        web.post("/api/v1/rooms/{room}/discover", discover),
    ]

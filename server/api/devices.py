"""Rooms and their devices, for the IT person: how each stands, pairing by six digits, revoking, launchers."""

from __future__ import annotations

import asyncio
from pathlib import Path

from aiohttp import web

from server.api.device_keys import restore_secret
from server.api.guarding import answer, body_of
from server.api.identity import address_of
from server.api.keys import CLOCK, CONFIG, PAIRINGS, RESTORE_KEY, SLOWING, STANDINGS, STORE
from server.api.launchers import LAUNCHERS, Launch
from server.api.pairing import device_token, wrong_digits
from server.api.rights import Action, Actor, NoRight, Thing, require, require_some
from server.domain.device import Device
from server.errors import UserFault
from server.ids import random_word
from server.live.standings import Standings
from server.protocol import devices as d
from server.store.records import Classroom

MOST_ROWS = 200
MOST_OF_ROOM = 4


async def list_rooms(request: web.Request) -> web.Response:
    """`q` in the name, `state` (online, off, unpaired, fault), `page` from 1, `size`."""
    _, circle = require_some(request, Action.MANAGE_DEVICES)
    words = request.query.get("q", "")[:60].strip().lower()
    state = request.query.get("state", "")
    page, size = _number(request, "page", 1), min(_number(request, "size", 50), MOST_ROWS)
    rooms = [
        room for room in await request.app[STORE].classrooms() if circle is None or room.room in circle.own
    ]
    fitting = [room for room in rooms if _fits(request.app[STANDINGS], room, words, state)]
    shown = [room_stand(request.app, room) for room in fitting[(page - 1) * size : page * size]]
    online = sum(request.app[STANDINGS].is_online(room.room) for room in rooms)
    return answer(d.RoomStands(shown, len(fitting), online, len(rooms)))


def _number(request: web.Request, name: str, usual: int) -> int:
    text = request.query.get(name, str(usual))
    if not (text.isascii() and text.isdigit()) or not 1 <= int(text[:7]) <= 10_000:
        raise UserFault("bad_query", zh=f"{name} 应为正整数。", en=f"{name} is to be a positive number.")
    return int(text)


def _fits(standings: Standings, room: Classroom, words: str, state: str) -> bool:
    if words and not any(words in name.lower() for name in (room.name.zh, room.name.en, room.room)):
        return False
    match state:
        case "online":
            return standings.is_online(room.room)
        case "off":
            return not standings.is_online(room.room)
        case "unpaired":
            return not standings.of_room(room.room)
        case "fault":
            return standings.stand(room.room).fault is not None
    return True


def room_stand(app: web.Application, room: Classroom) -> d.RoomStand:
    """A room as the rooms' page shows it."""
    stand = app[STANDINGS].stand(room.room)
    said = stand.said
    return d.RoomStand(
        room=room.room,
        zh=room.name.zh,
        en=room.name.en,
        main=room.main,
        devices=[_row(device) for device in app[STANDINGS].of_room(room.room)],
        online_since=stand.online_since,
        seen_at=stand.seen_at,
        browser=stand.browser,
        cameras=said.cameras if said else None,
        microphones=said.microphones if said else None,
        clock_off_ms=said.clock_off_ms if said else None,
        hear=stand.hear,
        fault=stand.fault,
        moved_at=stand.moved_at,
    )


def _row(device: Device) -> d.DeviceRow:
    return d.DeviceRow(
        device.id,
        device.label,
        device.browser,
        device.paired_at,
        device.paired_by,
        device.bound_at,
        device.number,
        device.seen_at,
    )


async def pair(request: web.Request) -> web.Response:
    """The screen with these digits becomes this room. Wrong digits are slowed."""
    actor, room = await _room(request)
    body = await body_of(request, d.PairDevice)
    now, address = request.app[CLOCK].wall_ms(), f"pair {address_of(request)}"
    request.app[SLOWING].attempt(address, request.app[CLOCK].monotonic())
    waiting = request.app[PAIRINGS].by_code(body.code, now)
    if waiting is None:
        words = wrong_digits()
        raise UserFault("wrong_code", zh=words.zh, en=words.en)
    request.app[SLOWING].right(address)
    if len(request.app[STANDINGS].of_room(room.room)) >= MOST_OF_ROOM:
        raise UserFault(
            "too_many_devices",
            zh=f"一间教室最多 {MOST_OF_ROOM} 台设备，请先取消一台。",
            en=f"A room has at most {MOST_OF_ROOM} devices: revoke one first.",
        )
    device = Device(
        id=f"D{random_word(12)}",
        room=room.room,
        key=waiting.key,
        label=body.label.strip(),
        browser=waiting.browser,
        paired_at=now,
        paired_by=actor.name,
        bound_at=now,
    )
    await request.app[STANDINGS].add(device)
    await request.app[STORE].audit(actor.name, "pair_device", room.room, device=device.id)
    request.app[PAIRINGS].paired(waiting, device.id, device_token(request.app, device), now)
    return answer(_row(device), status=201)


async def revoke(request: web.Request) -> web.Response:
    """The device opens nothing any more, and its page is hung up."""
    actor, device = _device(request)
    await request.app[STANDINGS].revoke(device)
    await request.app[STORE].audit(actor.name, "revoke_device", device.room, device=device.id)
    return web.Response(status=204)


async def launcher(request: web.Request) -> web.Response:
    """The file that starts this device's browser as a kiosk: `system` is windows, linux or link. It has the
    restore secret in it: handing it out is written down."""
    actor, device = _device(request)
    make = LAUNCHERS.get(request.match_info["system"])
    if make is None:
        raise NoRight
    room = await request.app[STORE].classroom(device.room)
    config = request.app[CONFIG]
    ca = await asyncio.to_thread(_text_of, Path(config.http.ca)) if config.http.ca else ""
    secret = restore_secret(request.app[RESTORE_KEY], device)
    origin = config.http.public_url.rstrip("/") or f"{config.scheme}://{request.host}"
    name = room.name.en if room is not None else device.room
    file = make(Launch(origin, device.id, secret, name, ca))
    said = {"device": device.id, "system": request.match_info["system"]}
    await request.app[STORE].audit(actor.name, "hand_out_launcher", device.room, **said)
    headers = {"Content-Disposition": f'attachment; filename="{file.name}"', "Cache-Control": "no-store"}
    return web.Response(body=file.content, content_type="application/octet-stream", headers=headers)


async def renew_launcher(request: web.Request) -> web.Response:
    """The secret of launchers handed out so far is over; the device itself goes on."""
    actor, device = _device(request)
    await request.app[STANDINGS].renew_restore(device)
    await request.app[STORE].audit(actor.name, "renew_launcher", device.room, device=device.id)
    return web.Response(status=204)


async def hear_now(request: web.Request) -> web.Response:
    """Ask the room to listen to itself; its answer shows in the list after some seconds."""
    actor, room = await _room(request)
    if not request.app[STANDINGS].hear_now(room.room):
        raise UserFault("room_away", zh="这间教室不在线。", en="This room is not online.")
    await request.app[STORE].audit(actor.name, "hear_now", room.room)
    return web.Response(status=202)


async def looked_at(request: web.Request) -> web.Response:
    """Somebody looked at the new key: its alarm is over."""
    actor, room = await _room(request)
    request.app[STANDINGS].seen_the_move(room.room)
    await request.app[STORE].audit(actor.name, "look_at_key", room.room)
    return web.Response(status=204)


async def _room(request: web.Request) -> tuple[Actor, Classroom]:
    """The room of the path, for who may manage its devices."""
    actor = require(request, Action.MANAGE_DEVICES, Thing(unit=request.match_info["room"]))
    room = await request.app[STORE].classroom(request.match_info["room"])
    if room is None:
        raise NoRight
    return actor, room


def _device(request: web.Request) -> tuple[Actor, Device]:
    """The device of the path, for who may manage its room's."""
    device = request.app[STANDINGS].known(request.match_info["device"])
    actor = require(request, Action.MANAGE_DEVICES, Thing(unit=device.room if device else None))
    if device is None:
        raise NoRight
    return actor, device


def _text_of(path: Path) -> str:
    """The certificate alone, whatever else stands in the file."""
    text = path.read_text()
    begin, end = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
    _, found, rest = text.partition(begin)
    body, closed, _ = rest.partition(end)
    return f"{begin}{body}{end}\n" if found and closed else ""


def routes() -> list[web.RouteDef]:
    return [
        web.get("/api/v1/devices", list_rooms),
        web.post("/api/v1/rooms/{room}/devices", pair),
        web.delete("/api/v1/devices/{device}", revoke),
        web.get("/api/v1/devices/{device}/launcher/{system}", launcher),
        web.post("/api/v1/devices/{device}/launcher", renew_launcher),
        web.post("/api/v1/rooms/{room}/hear", hear_now),
        web.post("/api/v1/rooms/{room}/looked-at", looked_at),
    ]

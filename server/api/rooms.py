"""Rooms: the list, the code that makes a screen a room, and the sample county's tokens."""

from __future__ import annotations

from aiohttp import web

from server.api.guarding import answer, body_of
from server.api.identity import address_of
from server.api.keys import CLOCK, CODES, CONFIG, SLOWING, STORE, TOKENS
from server.api.rights import Action, NoRight, Thing, is_allowed, require, require_somewhere
from server.api.tokens import TokenKind
from server.errors import UserFault
from server.protocol.resources import Demo, Room, RoomCode, RoomToken
from server.store.records import Classroom


def room_token(request: web.Request, room: Classroom, kind: TokenKind, person: str = "") -> RoomToken:
    """A token for this room's page; a studio's lasts shorter than a wall panel's."""
    security = request.app[CONFIG].security
    lifetime_s = security.room_token_days * 86400 if kind is TokenKind.ROOM else security.session_hours * 3600
    token = request.app[TOKENS].issue(kind, lifetime_s=lifetime_s, room=room.room, person=person)
    return RoomToken(room=room.room, name=room.name, token=token)


async def list_rooms(request: web.Request) -> web.Response:
    """Every room of the asker's, with its code where they may see it."""
    require_somewhere(request, Action.LIST_ROOMS)

    def allowed(action: Action, rooms: list[Classroom]) -> list[Classroom]:
        """Asked once where it is all of them."""
        if is_allowed(request, action, Thing()):
            return rooms
        named = (Thing(main_room=room.room, unit=room.room) for room in rooms)
        return [room for room, thing in zip(rooms, named, strict=True) if is_allowed(request, action, thing)]

    codes = request.app[CODES]
    rooms = allowed(Action.LIST_ROOMS, await request.app[STORE].classrooms())
    known = {room.room: codes.code_of(room.room) for room in allowed(Action.READ_CODES, rooms)}
    return answer([Room(room.room, room.name, room.main, known.get(room.room)) for room in rooms])


async def open_studio(request: web.Request) -> web.Response:
    """A studio's token for who teaches there; what is taught with it is theirs."""
    named = request.match_info["room"]
    actor = require(request, Action.OPEN_STUDIO, Thing(main_room=named))
    room = await request.app[STORE].classroom(named)
    if room is None or not room.main:
        raise NoRight
    await request.app[STORE].audit(actor.name, Action.OPEN_STUDIO, named)
    return answer(room_token(request, room, TokenKind.STUDIO, actor.person), status=201)


async def enter_code(request: web.Request) -> web.Response:
    """Six digits against a room token. Wrong ones are slowed per address. Outside the demo they open studios
    only: a receiving room is a paired device."""
    require(request, Action.ENTER_CODE)
    body = await body_of(request, RoomCode)
    address = address_of(request)
    request.app[SLOWING].attempt(address, request.app[CLOCK].monotonic())
    named = request.app[CODES].room_of(body.code)
    room = await request.app[STORE].classroom(named) if named is not None else None
    if room is None or not (room.main or request.app[CONFIG].demo.enabled):
        raise UserFault(
            "wrong_code",
            zh="没有这个房间代码。请核对管理页上的六位数字。",
            en="No room has this code. Compare the six digits with the rooms’ page.",
        )
    request.app[SLOWING].right(address)
    kind = TokenKind.STUDIO if room.main else TokenKind.ROOM
    await request.app[STORE].audit("anyone", "enter_code", room.room)
    return answer(room_token(request, room, kind))


async def demo(request: web.Request) -> web.Response:
    """The sample county's studio and rooms, for who sits at this machine."""
    require(request, Action.READ_DEMO)
    rooms = await request.app[STORE].classrooms()
    main = next((room for room in rooms if room.main), None)
    if main is None:
        raise NoRight
    receiving = [room_token(request, room, TokenKind.ROOM) for room in rooms if not room.main]
    return answer(Demo(studio=room_token(request, main, TokenKind.STUDIO), rooms=receiving))


def routes() -> list[web.RouteDef]:
    return [
        web.get("/api/v1/rooms", list_rooms),
        web.post("/api/v1/rooms/{room}/studio", open_studio),
        web.post("/api/v1/room-code", enter_code),
        web.get("/api/v1/demo", demo),
    ]

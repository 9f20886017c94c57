"""The pages' WebSocket at `/ws`: a thin shell around the session machine.

One task reads, one writes from the bounded outbox; whoever ends first ends the other. What a page may say is
the rights door's to decide, what it means the live service's.
"""

from __future__ import annotations

import asyncio
import logging

import msgspec
from aiohttp import WSMsgType, web

from server.api.device_keys import new_nonce, proves
from server.api.identity import is_same_origin
from server.api.keys import CLOCK, CONFIG, GUEST_LINKS, LIVE, OPEN_PAGES, STANDINGS, STORE, TOKENS
from server.api.rights import (
    Action,
    Actor,
    NoRight,
    Thing,
    allows,
    enter_session,
    require,
    require_message,
)
from server.api.roles import ActorRole
from server.api.tokens import BadToken, Claims, TokenKind
from server.clock import Clock
from server.config import Turn
from server.domain.admission import Identity
from server.domain.device import Device
from server.errors import LiankeError
from server.live.pages import NOWHERE
from server.live.refusals import LinkOver
from server.live.service import LiveService
from server.ops.logs import fields
from server.protocol import devices as d
from server.protocol import messages as m
from server.protocol.lobby import LetIn
from server.protocol.outbox import Outbox
from server.protocol.session import Check, Close, CloseCode, Decide, Deliver, Effect, Send, Session, fault
from server.turn import ice_servers

log = logging.getLogger("ws")

SEAT_S = 8 * 3600.0
"""How long a device may ask REST after its proof: longer than any lesson."""
SEND_TIMEOUT_S = 10.0
CLOSE_TIMEOUT_S = 2.0
RETRY_REFUSED_MS = 10_000
RETRY_FULL_MS = 15_000

NAMES = {
    m.Role.OBSERVER: m.Words(zh="听课", en="Observer"),
    m.Role.WATCHER: m.Words(zh="公开课观众", en="Viewer of the broadcast"),
    m.Role.REMOTE: m.Words(zh="手机遥控", en="Phone remote"),
    m.Role.WALL: m.Words(zh="主讲教室第二块屏幕", en="Second screen of the main room"),
}
"""Of pages that are no room."""

_encoder = msgspec.json.Encoder()


class Page:
    """One open page: satisfies `live.ports.PagePort`. `identity` and `session` are set before it enters."""

    def __init__(self, socket: web.WebSocketResponse, clock: Clock, turn: Turn) -> None:
        self.socket = socket
        self.turn = turn
        self.clock = clock
        self.machine = Session(clock.monotonic())
        self.identity = Identity(m.Role.OBSERVER, "", m.Words(zh="", en=""))
        self.session = ""
        self.closing: Close | None = None
        self.browser = ""
        self.device = ""
        self.seat_token = ""  # what a device asks REST with
        self.asked: tuple[m.Hello, Device, str] | None = None  # a device that is to prove itself
        self._outbox = Outbox()
        self._news = asyncio.Event()

    @property
    def fell_silent(self) -> bool:
        closed = self.closing.code if self.closing is not None else CloseCode.NORMAL
        return closed in (CloseCode.SILENT, CloseCode.TOO_SLOW)

    # -- what the live service says ------------------------------------------------------------------

    def welcome(self, welcome: m.Welcome) -> None:
        servers = ice_servers(self.turn, self.session, self.clock.wall_ms())
        told = msgspec.structs.replace(welcome, ice_servers=servers, seat=self.seat_token)
        self.carry_out(self.machine.accept(told))

    def send(self, message: m.FromServer) -> None:
        if self.closing is None and not self._outbox.put(message):
            self.hang_up(None, CloseCode.TOO_SLOW)
        self._news.set()

    def hang_up(self, refused: m.Refused | None, code: CloseCode) -> None:
        if self.closing is not None:
            return
        if refused is not None:
            self.carry_out(self.machine.refuse(refused, code))
        else:
            self.machine.hung_up()
            self.close(Close(code, code.name.lower()))

    # -- the shell -----------------------------------------------------------------------------------

    def carry_out(self, effects: list[Effect]) -> list[Decide | Check | Deliver]:
        """Send and close; what needs a decision is given back."""
        rest: list[Decide | Check | Deliver] = []
        for effect in effects:
            match effect:
                case Send(message=message):
                    self.send(message)
                case Close():
                    self.close(effect)
                case Decide() | Check() | Deliver():
                    rest.append(effect)
        return rest

    def close(self, close: Close) -> None:
        self.closing = self.closing or close
        self._news.set()

    async def write(self) -> None:
        """Everything in the outbox, then the close."""
        while True:
            await self._news.wait()
            self._news.clear()
            try:
                while (message := self._outbox.take()) is not None:
                    async with asyncio.timeout(SEND_TIMEOUT_S):
                        await self.socket.send_str(_encoder.encode(message).decode())
                if self.closing is not None:
                    async with asyncio.timeout(CLOSE_TIMEOUT_S):
                        reason = self.closing.reason.encode()[:100]
                        await self.socket.close(code=self.closing.code, message=reason)
                    return
            except (ConnectionError, TimeoutError):
                self.close(Close(CloseCode.TOO_SLOW, "too_slow"))
                return

    async def read(self) -> list[Effect] | None:
        """The effects of the next message or of silence; None at the end."""
        due = self.machine.deadline()
        if due is None:
            return None
        try:
            message = await self.socket.receive(timeout=max(0.01, due - self.clock.monotonic()))
        except TimeoutError:
            return self.machine.tick(self.clock.monotonic())
        if message.type in (WSMsgType.TEXT, WSMsgType.BINARY):
            return self.machine.receive(message.data, self.clock.monotonic(), self.clock.wall_ms())
        return None


def _decide(request: web.Request, page: Page, hello: m.Hello) -> Actor | None:
    """Who says hello; None where it was refused, or is to prove itself first."""
    try:
        claims = request.app[TOKENS].read(hello.token)
        if claims.kind is TokenKind.DEVICE:
            device = request.app[STANDINGS].device(claims.device, claims.epoch)
            if device is None:
                raise BadToken
            page.asked = hello, device, new_nonce()
            page.carry_out(page.machine.challenge(d.Challenge(device.id, page.asked[2])))
            return None
        if claims.kind is TokenKind.ROOM and not request.app[CONFIG].demo.enabled:
            raise BadToken  # a room is a paired device
        actor, role = enter_session(claims)
        guest = _guest_of(request, claims) if role is m.Role.GUEST else None
        return _let_in(request, page, hello, actor, role, guest)
    except LiankeError as error:
        _refuse(page, error)
        return None


def _guest_of(request: web.Request, claims: Claims) -> Identity:
    """Who waits in the lobby. LinkOver where the link is not good any more."""
    link = request.app[GUEST_LINKS].good(claims.epoch)
    if link is None:
        raise LinkOver
    name = m.Words(zh=claims.name, en=claims.name)
    return Identity(
        m.Role.GUEST, link.room, name, link.lesson, link.number, label=link.label, until=link.until
    )


def _check(request: web.Request, page: Page, proof: d.Proof) -> Actor | None:
    """A device's proof of its key; None where it is none."""
    if page.asked is None:
        return None
    hello, device, nonce = page.asked
    page.asked = None
    try:
        if not proves(device, nonce, proof.signature):
            raise BadToken
        page.device = device.id
        page.seat_token = request.app[TOKENS].issue(
            TokenKind.SEAT, lifetime_s=SEAT_S, room=device.room, device=device.id, epoch=device.number
        )
        return _let_in(request, page, hello, Actor(ActorRole.ROOM, room=device.room), m.Role.ROOM)
    except LiankeError as error:
        _refuse(page, error)
        return None


def _refuse(page: Page, error: LiankeError) -> None:
    page.carry_out(page.machine.refuse(m.Refused(code=error.code, words=error.words, fatal=True)))


def _let_in(
    request: web.Request,
    page: Page,
    hello: m.Hello,
    actor: Actor,
    role: m.Role,
    guest: Identity | None = None,
) -> Actor:
    """Into its lesson, a guest into its lobby. LiankeError where it cannot be."""
    live = request.app[LIVE]
    page.identity = identity_of(live, actor, role) if guest is None else guest
    page.session, resumed = live.admit(page.identity, hello)
    page.browser = hello.browser[:200]
    request.app[STANDINGS].came(page, page.device, page.browser)
    live.enter(page, hello, resumed=resumed)
    return actor


def identity_of(live: LiveService, actor: Actor, role: m.Role) -> Identity:
    """A token's bearer as the lesson knows it."""
    classroom = live.classroom(actor.room) if actor.room is not None else None
    name = NAMES.get(role) or (classroom.name if classroom is not None else NAMES[m.Role.OBSERVER])
    return Identity(role, actor.room or "", name, actor.lesson, actor.link, actor.person)


async def _said(request: web.Request, page: Page, actor: Actor, message: m.ToServer) -> None:
    """Through the rights door into the lesson; a room's word of itself holds outside a lesson too."""
    live = request.app[LIVE]
    place = live.place_of(page)
    if isinstance(message, d.Standing | d.HearChecked):
        if allows(actor, Action.TELL_OF_ITSELF):
            await request.app[STANDINGS].said(page, message, place.lesson or "")
        if isinstance(message, d.Standing):
            return
    if place is NOWHERE:
        return
    thing = Thing(place.lesson, place.main_room, place.seats, links=place.links)
    try:
        require_message(actor, message, thing)
    except NoRight as error:
        page.send(m.Refused(code=error.code, words=error.words))
        return
    if isinstance(message, LetIn):
        await request.app[STORE].audit(
            actor.name,
            Action.LET_IN if message.on else "refuse_guest",
            place.lesson or "",
            guest=message.guest[:60],
        )
    if isinstance(message, m.Trouble) and message.kind in ("sound", "picture"):
        await request.app[STANDINGS].complained(page.identity.room, message.kind, place.lesson or "")
    if not live.said(page, message):
        page.hang_up(fault("too_fast", retry_after_ms=RETRY_REFUSED_MS), CloseCode.REFUSED)


async def _converse(request: web.Request, page: Page) -> None:
    live = request.app[LIVE]
    actor: Actor | None = None
    try:
        while (effects := await page.read()) is not None:
            for effect in page.carry_out(effects):
                if isinstance(effect, Decide):
                    actor = _decide(request, page, effect.hello)
                elif isinstance(effect, Check):
                    actor = _check(request, page, effect.proof)
                elif actor is not None:
                    await _said(request, page, actor, effect.message)
            if page.closing is not None:
                break
    finally:
        if actor is not None:
            request.app[STANDINGS].left(page)
            live.leave(page)
        page.machine.hung_up()
        page.close(Close(CloseCode.NORMAL, ""))


async def connect(request: web.Request) -> web.StreamResponse:
    """Upgrade, converse, close. Only pages of our own origin (or programs without one) may."""
    require(request, Action.CONNECT)
    if not is_same_origin(request):
        raise NoRight
    socket = web.WebSocketResponse(max_msg_size=2 * m.MAX_MESSAGE, compress=False, autoping=True)
    await socket.prepare(request)
    await request.app[LIVE].ready.wait()
    page = Page(socket, request.app[CLOCK], request.app[CONFIG].turn)
    pages = request.app[OPEN_PAGES]
    if len(pages) >= request.app[CONFIG].http.most_pages:
        page.hang_up(fault("too_many", retry_after_ms=RETRY_FULL_MS), CloseCode.REFUSED)
        await page.write()
        return socket
    pages.add(page)
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(page.write(), name="ws writer")
            await _converse(request, page)
    finally:
        pages.discard(page)
    code = page.closing.code if page.closing is not None else CloseCode.NORMAL
    log.debug("page left", extra=fields(room=page.identity.room, code=int(code)))
    return socket


async def say_goodbye(app: web.Application) -> None:
    """On shutdown: pages come back by themselves, sooner when they are told."""
    app[LIVE].hang_up_all(CloseCode.GOING_AWAY)


def routes() -> list[web.AbstractRouteDef]:
    return [web.get("/ws", connect)]

"""The pages' WebSocket at `/ws`: a thin shell around the session machine.

One task reads, one writes from the bounded outbox; whoever ends first ends the other. What a page may say is
the rights door's to decide, what it means the live service's.
"""

from __future__ import annotations

import asyncio
import logging

import msgspec
from aiohttp import WSMsgType, web

from server.api.identity import is_same_origin
from server.api.keys import CLOCK, CONFIG, LIVE, OPEN_PAGES, TOKENS
from server.api.rights import Action, Actor, NoRight, Thing, enter_session, require, require_message
from server.clock import Clock
from server.config import Turn
from server.domain.admission import Identity
from server.errors import LiankeError
from server.live.pages import NOWHERE
from server.live.service import LiveService
from server.ops.logs import fields
from server.protocol import messages as m
from server.protocol.outbox import Outbox
from server.protocol.session import Close, CloseCode, Decide, Deliver, Effect, Send, Session, fault
from server.turn import ice_servers

log = logging.getLogger("ws")

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
        self._outbox = Outbox()
        self._news = asyncio.Event()

    # -- what the live service says ------------------------------------------------------------------

    def welcome(self, welcome: m.Welcome) -> None:
        servers = ice_servers(self.turn, self.session, self.clock.wall_ms())
        self.carry_out(self.machine.accept(msgspec.structs.replace(welcome, ice_servers=servers)))

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

    def carry_out(self, effects: list[Effect]) -> list[Decide | Deliver]:
        """Send and close; what needs a decision is given back."""
        rest: list[Decide | Deliver] = []
        for effect in effects:
            match effect:
                case Send(message=message):
                    self.send(message)
                case Close():
                    self.close(effect)
                case Decide() | Deliver():
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


async def _decide(request: web.Request, page: Page, hello: m.Hello) -> Actor | None:
    """Who says hello; None where it was refused."""
    live = request.app[LIVE]
    try:
        actor, role = enter_session(request.app[TOKENS], hello.token)
        page.identity = identity_of(live, actor, role)
        page.session, resumed = live.admit(page.identity, hello)
    except LiankeError as error:
        refused = m.Refused(code=error.code, words=error.words, fatal=True)
        page.carry_out(page.machine.refuse(refused))
        return None
    live.enter(page, hello, resumed=resumed)
    return actor


def identity_of(live: LiveService, actor: Actor, role: m.Role) -> Identity:
    """A token's bearer as the lesson knows it."""
    classroom = live.classroom(actor.room) if actor.room is not None else None
    name = NAMES.get(role) or (classroom.name if classroom is not None else NAMES[m.Role.OBSERVER])
    return Identity(role=role, room=actor.room or "", name=name, lesson=actor.lesson, number=actor.link)


def _said(live: LiveService, page: Page, actor: Actor, message: m.ToServer) -> None:
    """Through the rights door into the lesson. Outside a lesson nothing can be meant."""
    place = live.place_of(page)
    if place is NOWHERE:
        return
    thing = Thing(place.lesson, place.main_room, place.seats, links=place.links)
    try:
        require_message(actor, message, thing)
    except NoRight as error:
        page.send(m.Refused(code=error.code, words=error.words))
        return
    if not live.said(page, message):
        page.hang_up(fault("too_fast", retry_after_ms=RETRY_REFUSED_MS), CloseCode.REFUSED)


async def _converse(request: web.Request, page: Page) -> None:
    live = request.app[LIVE]
    actor: Actor | None = None
    try:
        while (effects := await page.read()) is not None:
            for effect in page.carry_out(effects):
                if isinstance(effect, Decide):
                    actor = await _decide(request, page, effect.hello)
                elif actor is not None:
                    _said(live, page, actor, effect.message)
            if page.closing is not None:
                break
    finally:
        if actor is not None:
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

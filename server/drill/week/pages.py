"""Pages that are only acted: a studio and receiving rooms inside campus' process, beyond its WebSocket.

Each does what its real page does towards a lesson (hello, offers, answers, a report every second) and can be
hurt: its line cut, its picture frozen, its sound gone, its line too thin for pictures.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from server.domain.admission import Identity
from server.drill.week.neighbours import ActedWorker
from server.errors import LiankeError
from server.live.service import LiveService
from server.protocol import messages as m
from server.protocol.messages import FromServer, Refused, Role, Words
from server.protocol.parameters import Road, Source
from server.protocol.session import SILENCE_S, CloseCode

REPORT_EVERY_S = 1.0
FRAMES = 25
HEIGHT = 720
TRACKS_SILENT_S = 2.0
WORKER_AWAY_S = 8.0
FIRST_PAUSE_S = 0.5


@dataclass(slots=True)
class Health:
    """What works at this page now."""

    line: bool = True
    picture: bool = True
    sound: bool = True
    thin: bool = False
    hls: bool = False


@dataclass(eq=False)
class ActedPage:
    """One page, open for as long as it runs. A `live.ports.PagePort`."""

    live: LiveService
    worker: ActedWorker
    role: Role
    room: str
    offer: str
    studio: ActedPage | None = None
    """Of a receiving room: whose picture and sound come here."""
    health: Health = field(default_factory=Health)
    session: str = ""
    lesson: m.LessonView | None = None
    _up: str | None = None
    _down: str | None = None
    _offers: int = 0
    _here: bool = False
    _on: bool = True
    _wants: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def identity(self) -> Identity:
        return Identity(self.role, self.room, Words(self.room, self.room))

    @property
    def fell_silent(self) -> bool:
        return not self.health.line

    # what campus says

    def welcome(self, welcome: m.Welcome) -> None:
        self.session = welcome.session
        if not welcome.keep_down:
            self._down = None
        if not welcome.keep_up:
            self._offer_up()

    def send(self, message: FromServer) -> None:
        """As on a wire: nothing arrives while the line is cut."""
        if not self.health.line:
            return
        match message:
            case m.Lesson():
                self.lesson = message.lesson
                self._wants.set()
            case m.OfferDown():
                self._down = message.connection
                self._say(m.AnswerDown(message.connection, message.offer, _answer(message.sdp)))
            case m.AnswerUp():
                self._up = message.connection
            case m.Reconnect(up=up):
                if up:
                    self._offer_up()

    def hang_up(self, refused: Refused | None, code: CloseCode) -> None:
        self._here = False
        self._wants.set()

    # what it does

    async def run(self) -> None:
        """Be open until cancelled: come (again) whenever there is a line, and report every second."""
        try:
            while True:
                self._wants.clear()
                if self._on and self.health.line and not self._here:
                    self._come()
                self._report()
                try:
                    async with asyncio.timeout(self._pause_s()):
                        await self._wants.wait()
                except TimeoutError:
                    pass
        finally:
            self._leave()

    def _pause_s(self) -> float | None:
        """Outside a lesson a page has nothing to say."""
        if not self._on or (self._here and self.lesson is None):
            return None
        return REPORT_EVERY_S

    def switch(self, *, on: bool) -> None:
        """The machine is switched off, or on: a new page, that knows of nothing."""
        self._on = on
        if not on:
            self._leave()
            self.session, self.lesson, self._up, self._down = "", None, None, None
        self._wants.set()

    def say(self, message: m.ToServer) -> None:
        if self.health.line and self._here:
            self._say(message)

    async def cut(self, seconds: float) -> None:
        """The cable is pulled: worker and campus find out as late as they would."""
        self.health.line = False
        loop = asyncio.get_running_loop()
        gone = [
            loop.call_later(TRACKS_SILENT_S, self._each_peer, self.worker.fell_silent),
            loop.call_later(WORKER_AWAY_S, self._each_peer, self.worker.went_away),
            loop.call_later(SILENCE_S, self._leave),
        ]
        await asyncio.sleep(seconds)
        for timer in gone:
            timer.cancel()
        self._leave()
        self.health.line = True
        self._each_peer(self.worker.came_back)
        self._wants.set()

    def _each_peer(self, tell: Callable[[str], None]) -> None:
        for peer in (self._up, self._down):
            if peer is not None:
                tell(peer)

    def _come(self) -> None:
        hello = m.Hello(token="", resume=self.session or None, up=self._up, down=self._down)
        try:
            self.session, resumed = self.live.admit(self.identity, hello)
        except LiankeError:
            return  # the next second is the whole answer
        self._here = True
        self.live.enter(self, hello, resumed=resumed)

    def _leave(self) -> None:
        if self._here:
            self._here = False
            self.live.leave(self)

    def _say(self, message: m.ToServer) -> None:
        if not self.live.said(self, message):
            self._leave()

    def _offer_up(self) -> None:
        self._offers += 1
        self._up = None
        self._say(m.OfferUp(self._offers, self.offer, {"0": Source.VOICE, "1": Source.CAMERA}))

    def _report(self) -> None:
        if not self._here or not self.health.line or self.lesson is None:
            return
        health = self.health
        if self._down is not None:
            (self.worker.held.add if health.thin else self.worker.held.discard)(self._down)
        flows = self.studio is None or self.studio.health.line
        moves = flows and health.picture and not health.thin
        slots = [
            m.SlotReport("stage", frames=FRAMES * moves, received=FRAMES * flows, height=HEIGHT * moves),
            m.SlotReport("main", received=50 * flows),
        ]
        road = Road.HLS if health.hls else None
        self._say(
            m.Report(
                slots, flows and health.sound, sound_blocked=False, camera=True, microphone=True, road=road
            )
        )


def _answer(offer: str) -> str:
    return offer.replace("a=sendonly", "a=recvonly").replace("a=setup:actpass", "a=setup:active")

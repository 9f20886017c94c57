"""A classroom without people: our pages' WebSocket language spoken by Python, with aiortc for the media.

It does what a page does: says hello with its token, offers what it sends, answers what it is
offered, pings, reports, and comes back by itself after any loss, under the same session. aiortc is an
implementation of its own, so that nothing here shares a mistake with the browsers or with us.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Mapping
from typing import Protocol

import aiohttp
import msgspec
from aiortc.mediastreams import MediaStreamTrack

from server.drill.peer_connections import PeerConnections
from server.drill.watching import Sights, Sounds
from server.protocol import messages as ws
from server.protocol.parameters import Source

FIRST_PAUSE_S = 0.2
LONGEST_PAUSE_S = 2.0
PING_EVERY_S = 2.0
REPORT_EVERY_S = 1.0

_decoder: msgspec.json.Decoder[ws.FromServer] = msgspec.json.Decoder(ws.FromServer)


class Turned(Exception):
    """The server refused this classroom for good; `code` says why."""

    def __init__(self, refused: ws.Refused) -> None:
        super().__init__(f"{refused.code}: {refused.words.en}")
        self.code = refused.code


class Connections(Protocol):
    """A classroom's two connections, by whatever carries their media."""

    def alive(self) -> tuple[str | None, str | None]: ...
    def standing(self) -> str: ...
    async def welcomed(self, welcome: ws.Welcome) -> None: ...
    async def reconnect(self, message: ws.Reconnect) -> None: ...
    async def answered(self, message: ws.AnswerUp) -> None: ...
    async def offered(self, message: ws.OfferDown) -> None: ...
    async def tend(self) -> None: ...
    async def vanish(self) -> None: ...
    async def close(self) -> None: ...


class Classroom:
    """One page. `sources`: what it sends. Run `run` in a task; `cut` and `restore` unplug it.

    `sights` and `sounds` are by slot name and live on over reconnections. Times are monotonic seconds.
    """

    def __init__(
        self,
        http: aiohttp.ClientSession,
        url: str,
        token: str,
        sources: Mapping[Source, MediaStreamTrack],
        connections: Connections | None = None,
    ) -> None:
        self.lesson: ws.LessonView | None = None
        self.welcome: ws.Welcome | None = None
        self.slots: dict[str, ws.Assigned] = {}
        self.sights: dict[str, Sights] = {}
        self.sounds: dict[str, Sounds] = {}
        self.asked_at = 0.0
        self.joined_at: float | None = None
        self.notices: list[ws.Notice] = []
        self.refusals: list[ws.Refused] = []
        self._http, self._url, self._token, self._sources = http, url, token, sources
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._is_welcomed = False  # on this socket
        self._connections = connections if connections is not None else PeerConnections(self)
        self._changed = asyncio.Condition()
        self._plugged = asyncio.Event()
        self._plugged.set()
        self._unplugged = asyncio.Event()
        self._abandoned: list[aiohttp.ClientWebSocketResponse] = []

    # what a person does

    async def say(self, message: ws.ToServer) -> None:
        """Send, where there is a line that was welcomed; else it is lost, as in a page."""
        if self._is_welcomed:
            await self._send(message)

    async def until(self, fact: Callable[[], bool], timeout_s: float) -> float:
        """Wait for something to become true; when it was seen. TimeoutError after `timeout_s`."""
        async with asyncio.timeout(timeout_s):
            while not fact():
                async with self._changed:
                    try:
                        async with asyncio.timeout(0.02):
                            await self._changed.wait()
                    except TimeoutError:
                        continue
        return time.monotonic()

    async def cut(self) -> None:
        """Pull the plug: nothing more goes out, not even a goodbye."""
        self._plugged.clear()
        self._unplugged.set()
        await self._connections.vanish()

    async def fall(self) -> None:
        """The machine loses its power: its lines end at once."""
        self._plugged.clear()
        if self._socket is not None:
            await self._socket.close()
        await self._connections.vanish()

    def restore(self) -> None:
        """Put the plug in again; the page's own tries do the rest."""
        self._unplugged.clear()
        self._plugged.set()

    @property
    def standing(self) -> str:
        """How it stands, for whoever looks for what went wrong."""
        line = "open" if self._socket is not None and not self._socket.closed else "away"
        session = self.welcome.session if self.welcome else "never welcomed"
        state = self.lesson.state if self.lesson else "no lesson"
        refused = [refusal.code for refusal in self.refusals[-3:]]
        return f"line {line}, {session}, {state}, refused {refused}; {self._connections.standing()}"

    def sight(self, slot: str) -> Sights:
        return self.sights.setdefault(slot, Sights())

    def sound(self, slot: str) -> Sounds:
        return self.sounds.setdefault(slot, Sounds())

    # the page itself

    async def _send(self, message: ws.ToServer) -> None:
        if self._socket is not None and not self._socket.closed:
            try:
                await self._socket.send_str(msgspec.json.encode(message).decode())
            except ConnectionError:
                return  # the reader notices too and comes back

    async def run(self) -> None:
        """Be there until cancelled. `Turned` (in a group) where the server says not to come back."""
        pause = FIRST_PAUSE_S
        try:
            while True:
                await self._plugged.wait()
                try:
                    if await self._be_connected():
                        pause = FIRST_PAUSE_S
                except* (aiohttp.ClientError, OSError, TimeoutError):
                    pass  # not there: the pause below is the whole answer
                await asyncio.sleep(pause * random.uniform(0.5, 1.0))
                pause = min(pause * 2, LONGEST_PAUSE_S)
        finally:
            await self._connections.close()
            for socket in self._abandoned:
                await socket.close()

    async def _be_connected(self) -> bool:
        """One WebSocket from hello to its end; False where no welcome came."""
        self.asked_at, before = time.monotonic(), self.welcome
        socket = await self._http.ws_connect(self._url, max_msg_size=1 << 20)
        self._socket = socket
        try:
            await self._send(self._hello())
            async with asyncio.TaskGroup() as group:
                beats = [
                    group.create_task(self._ping(), name="ping"),
                    group.create_task(self._report(), name="report"),
                    group.create_task(self._unplugged.wait(), name="plug"),
                ]
                reading = group.create_task(self._read(socket), name="read")
                beats[2].add_done_callback(lambda _: reading.cancel())
                reading.add_done_callback(lambda _: [beat.cancel() for beat in beats])
        finally:
            self._socket, self._is_welcomed = None, False
            if self._plugged.is_set():
                await socket.close()
            else:  # the line was cut: the server is to find out by itself
                self._abandoned.append(socket)
        return self.welcome is not before

    async def _read(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        async for message in socket:
            if message.type is aiohttp.WSMsgType.TEXT:
                await self._heard(_decoder.decode(message.data))

    def _hello(self) -> ws.Hello:
        resume = self.welcome.session if self.welcome else None
        up, down = self._connections.alive()
        return ws.Hello(token=self._token, resume=resume, up=up, down=down, browser="lianke drill")

    async def _heard(self, message: ws.FromServer) -> None:
        match message:
            case ws.Welcome():
                self.welcome, self._is_welcomed = message, True
                await self._connections.welcomed(message)
            case ws.Lesson():
                self.lesson = message.lesson
            case ws.OfferDown():
                await self._connections.offered(message)
            case ws.AnswerUp():
                await self._connections.answered(message)
            case ws.Slots():
                self.slots = message.slots
            case ws.Reconnect():
                await self._connections.reconnect(message)
            case ws.Notice():
                self.notices.append(message)
            case ws.Refused():
                self.refusals.append(message)
                if message.fatal and not message.retry_after_ms:
                    raise Turned(message)
            case ws.Levels() | ws.Pong():
                pass
        async with self._changed:
            self._changed.notify_all()

    async def _ping(self) -> None:
        while True:
            await asyncio.sleep(PING_EVERY_S)
            await self.say(ws.Ping(at=int(time.time() * 1000)))
            if self._is_welcomed:
                await self._connections.tend()

    async def _report(self) -> None:
        while True:
            await asyncio.sleep(REPORT_EVERY_S)
            if self._is_welcomed:
                await self.say(self.figures())

    def figures(self) -> ws.Report:
        """What was seen and heard in the last second."""
        slots = [
            ws.SlotReport(n, frames=s.fresh, received=s.fresh, height=s.height)
            for n, s in self.sights.items()
        ]
        slots += [ws.SlotReport(name, received=sound.fresh) for name, sound in self.sounds.items()]
        playing = any(sound.fresh for sound in self.sounds.values())
        for sight in self.sights.values():
            sight.fresh = 0
        for sound in self.sounds.values():
            sound.fresh = 0
        camera, microphone = Source.CAMERA in self._sources, Source.VOICE in self._sources
        return ws.Report(slots, playing, sound_blocked=False, camera=camera, microphone=microphone)

    @property
    def sources(self) -> Mapping[Source, MediaStreamTrack]:
        return self._sources

    def connected(self) -> None:
        """A down connection stands."""
        if self.joined_at is None or self.joined_at < self.asked_at:
            self.joined_at = time.monotonic()

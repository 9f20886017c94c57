"""One acting room: a classroom of the drill with light lines, and the few things it can be told to do."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import assert_never

import aiohttp
from aiortc.rtcdtlstransport import RTCCertificate

from server.drill.acting.lines import DownLine, UpLine
from server.drill.acting.media import HEIGHT, Loop, loop_of
from server.drill.classroom import Classroom
from server.ingest.contract import AUDIO_MID, VIDEO_MID
from server.ingest.peer import ConnectFailed
from server.protocol import messages as ws
from server.protocol.parameters import Source
from server.protocol.rehearsing import Act

SOURCES = {AUDIO_MID: Source.VOICE, VIDEO_MID: Source.CAMERA}


class ActingRoom(Classroom):
    """`number`: from 1; it is on its board."""

    def __init__(
        self, http: aiohttp.ClientSession, url: str, token: str, number: int, certificate: RTCCertificate
    ) -> None:
        self._lines = _Lines(self, certificate, loop_of(number))
        super().__init__(http, url, token, {}, self._lines)
        self._silent = False

    async def act(self, act: Act) -> None:
        match act:
            case Act.HAND:
                await self.say(ws.Hand(up=True))
            case Act.SILENT:
                self._silent = True
            case Act.SOUND:
                self._silent = False
            case Act.FALL:
                await self.fall()
            case Act.COME:
                self.restore()
            case _:
                assert_never(act)

    def figures(self) -> ws.Report:
        """A silent room is one whose browser waits for a touch before it plays."""
        slots = self._lines.counted()
        heard = any(slot.received for slot in slots if slot.slot == "main")
        playing = heard and not self._silent
        return ws.Report(slots, playing, sound_blocked=self._silent, camera=True, microphone=True)


class _Lines:
    """Its two connections and the tasks that keep them: `drill.classroom.Connections`."""

    def __init__(self, owner: ActingRoom, certificate: RTCCertificate, loop: Loop) -> None:
        self._owner, self._certificate, self._loop = owner, certificate, loop
        self._up: UpLine | None = None
        self._down: DownLine | None = None
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._names: dict[str, str] = {}
        self._offers = 0

    def alive(self) -> tuple[str | None, str | None]:
        """After a loss everything is made anew."""
        return None, None

    def standing(self) -> str:
        return f"tasks {sorted(self._tasks)}"

    async def welcomed(self, welcome: ws.Welcome) -> None:
        self._stop("down")
        await self._offer_up()

    async def reconnect(self, message: ws.Reconnect) -> None:
        if message.down:
            self._stop("down")
        if message.up:
            await self._offer_up()

    async def _offer_up(self) -> None:
        self._stop("up")
        self._offers += 1
        self._up = UpLine(self._certificate, self._loop)
        await self._owner.say(ws.OfferUp(self._offers, self._up.offer, SOURCES))

    async def answered(self, message: ws.AnswerUp) -> None:
        if self._up is not None and message.offer == self._offers:
            self._start("up", self._up.run(message.sdp))

    async def offered(self, message: ws.OfferDown) -> None:
        self._stop("down")
        self._down = DownLine(self._certificate, message.sdp)
        self._names = {slot.mid: slot.name for slot in message.slots}
        await self._owner.say(ws.AnswerDown(message.connection, message.offer, self._down.answer))
        self._start("down", self._down.run())

    async def tend(self) -> None:
        """Campus sees that nothing comes, and asks for another connection."""

    def counted(self) -> list[ws.SlotReport]:
        """What came since the last time."""
        if self._down is None:
            return []
        frames, self._down.frames = self._down.frames, {}
        packets, self._down.packets = self._down.packets, {}
        return [
            ws.SlotReport(
                name, frames=frames.get(mid, 0) if name in ("stage", "screen") else 0,
                received=packets.get(mid, 0), height=HEIGHT if name == "stage" and frames.get(mid) else 0,
            )
            for mid, name in self._names.items()
        ]  # fmt: skip

    async def vanish(self) -> None:
        await self.close()

    async def close(self) -> None:
        tasks = [self._tasks[name] for name in self._tasks]
        self._stop("up")
        self._stop("down")
        await asyncio.gather(*tasks, return_exceptions=True)

    def _start(self, name: str, work: Coroutine[None, None, None]) -> None:
        self._tasks[name] = asyncio.create_task(self._kept(work), name=name)

    async def _kept(self, work: Coroutine[None, None, None]) -> None:
        try:
            await work
        except (ConnectFailed, ValueError, OSError):
            return  # campus sees that nothing comes, and asks for another connection

    def _stop(self, name: str) -> None:
        task = self._tasks.pop(name, None)
        if task is not None:
            task.cancel()
        line = self._up if name == "up" else self._down
        if line is not None:
            line.peer.close()
        if name == "up":
            self._up = None
        else:
            self._down = None

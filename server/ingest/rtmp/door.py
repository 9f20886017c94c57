"""The port to which encoders push by RTMP. Bounded in connections, time and memory, whoever knocks."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from server.ingest.rtmp.chunks import BadRtmp
from server.ingest.rtmp.session import Asked, Ended, Media, RtmpSession, RtmpState
from server.ingest.rtmp.slot import PushSlot

MOST_CONNECTIONS = 128
MOST_PER_ADDRESS = 24
OPEN_S = 6.0  # from the connection to an accepted key
IDLE_S = 5.0  # without media
WRONG_PAUSE_S = 1.0
GOODBYE_S = 2.0
READ_AT_ONCE = 64 << 10

_log = logging.getLogger("lianke.ingest")


class _Over(Exception):
    """The connection is to be closed; the reason is for the log."""


@dataclass(slots=True)
class RtmpDoor:
    """`told(source, pushing)` is called when an encoder begins or ends."""

    told: Callable[[str, bool], None] = field(default=lambda source, pushing: None)
    open_s: float = OPEN_S
    idle_s: float = IDLE_S
    _keys: dict[str, str] = field(default_factory=dict)  # sha256 of the key -> source
    _slots: dict[str, PushSlot] = field(default_factory=dict)
    _holders: dict[str, asyncio.Task[None]] = field(default_factory=dict)
    _connections: set[asyncio.Task[None]] = field(default_factory=set)
    _addresses: Counter[str] = field(default_factory=Counter)
    _server: asyncio.Server | None = None

    async def start(self, address: str, port: int) -> int:
        """Listen; the port that was taken. OSError."""
        self._server = await asyncio.start_server(self._came, address, port, limit=READ_AT_ONCE)
        taken: int = self._server.sockets[0].getsockname()[1]
        _log.info("encoders push to %s:%d", address, taken)
        return taken

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
        for task in list(self._connections):
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    def know(self, keys: dict[str, str]) -> None:
        """Which key (its SHA-256, in hex) is of which source. Who holds one that is no more is sent away."""
        self._keys = dict(keys)
        known = set(keys.values())
        for source, task in self._holders.items():
            if source not in known:
                task.cancel()

    def slot(self, source: str) -> PushSlot:
        return self._slots.setdefault(source, PushSlot())

    def pushing(self) -> list[str]:
        return sorted(self._holders)

    async def _came(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer = writer.get_extra_info("peername")
        address = str(peer[0]) if peer else ""
        task = asyncio.current_task()
        assert task is not None
        crowded = len(self._connections) >= MOST_CONNECTIONS or self._addresses[address] >= MOST_PER_ADDRESS
        if crowded:
            writer.transport.abort()
            return
        self._connections.add(task)
        self._addresses[address] += 1
        try:
            await self._served(reader, writer, task)
        except (BadRtmp, OSError, TimeoutError, _Over) as error:
            _log.info("an RTMP connection ended: %s", str(error) or type(error).__name__)
        except asyncio.CancelledError:
            pass  # sent away: the key is no more, or the process ends
        finally:
            self._connections.discard(task)
            self._addresses[address] -= 1
            self._addresses += Counter()  # forget who has none
            writer.transport.abort()

    async def _served(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, task: asyncio.Task[None]
    ) -> None:
        session = RtmpSession()
        try:
            async with asyncio.timeout(self.open_s):
                source, early = await self._admitted(session, reader, writer, task)
            await self._pushed(session, reader, writer, source, early)
        finally:
            self._holders = {source: holder for source, holder in self._holders.items() if holder is not task}

    async def _pushed(
        self,
        session: RtmpSession,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        source: str,
        early: list[Media],
    ) -> None:
        slot = self.slot(source)
        slot.begin()
        self.told(source, True)
        _log.info("%s is pushed", source)
        try:
            for media in early:
                slot.put(media)
            await self._media(session, reader, writer, slot)
        finally:
            slot.end()
            self.told(source, False)
            _log.info("%s is pushed no more", source)

    async def _admitted(
        self,
        session: RtmpSession,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        task: asyncio.Task[None],
    ) -> tuple[str, list[Media]]:
        """The source whose key was said, and what came with it already. _Over where it was refused."""
        source, early = "", list[Media]()
        while not source:
            for heard in session.receive(await _some(reader)):
                match heard:
                    case Asked(key=key):
                        source = self._judged(session, key)
                        if source:
                            self._holders[source] = task
                        else:
                            await self._turn_away(session, reader, writer)
                    case Media():
                        early.append(heard)
                    case Ended():
                        raise _Over("left before it published")
            await _flush(session, writer)
        return source, early

    def _judged(self, session: RtmpSession, key: str) -> str:
        """The source to which the key belongs; "" where it is refused."""
        name = key.partition("?")[0]
        source = self._keys.get(hashlib.sha256(name.encode()).hexdigest(), "")
        if not source:
            session.refuse("NetStream.Publish.Unauthorized", "Wrong stream key 推流码不对")
        elif source in self._holders:
            session.refuse(
                "NetStream.Publish.BadName", "Key in use, the running encoder goes on 推流码正在使用"
            )
        else:
            session.accept()
            return source
        return ""

    async def _turn_away(
        self, session: RtmpSession, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Slowly, for whoever guesses; then what it still sends is read, else it never reads our word."""
        await asyncio.sleep(WRONG_PAUSE_S)
        await _flush(session, writer)
        writer.write_eof()
        with suppress(TimeoutError):
            async with asyncio.timeout(GOODBYE_S):
                while await reader.read(READ_AT_ONCE):
                    pass
        raise _Over("its key was refused")

    async def _media(
        self, session: RtmpSession, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, slot: PushSlot
    ) -> None:
        loop = asyncio.get_running_loop()
        last = loop.time()
        while session.state is RtmpState.PUBLISHING:
            async with asyncio.timeout_at(last + self.idle_s):
                data = await _some(reader)
            for heard in session.receive(data):
                if isinstance(heard, Media):
                    last = loop.time()
                    slot.put(heard)
            await _flush(session, writer)


async def _some(reader: asyncio.StreamReader) -> bytes:
    data = await reader.read(READ_AT_ONCE)
    if not data:
        raise _Over("closed by the encoder")
    return data


async def _flush(session: RtmpSession, writer: asyncio.StreamWriter) -> None:
    if data := session.take():
        writer.write(data)
        await writer.drain()

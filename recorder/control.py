"""The recorder's control door: campus connects, says what to record, hears what became of it."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import assert_never

import msgspec

from recorder.archive.layout import BadName
from recorder.contract import VERSION, Begin, Command, Event, Finish, Hello, Pause, RecordingState, Welcome
from recorder.contract import Recording as Report
from recorder.engine import Engine
from recorder.framing import BadFrame, encode_frame, read_frame
from recorder.ring import BadRing, Ring, fetch_ring

log = logging.getLogger(__name__)
FETCH_AGAIN_S = 0.2
UNHEARD_AT_MOST = 1 << 20
"""A client that leaves so many bytes unread is hung up on; it asks again when it comes back."""


class Control:
    """Serves `socket_path`. Create inside a running loop; `run` ends by cancellation."""

    def __init__(
        self,
        archive: Path,
        socket_path: Path,
        engine: Engine | None = None,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._path = socket_path
        self.engine = engine or Engine(archive, self.tell, want=self.tell, grew=self.tell)
        self._clients: set[asyncio.StreamWriter] = set()
        self._fetches: dict[str, asyncio.Task[None]] = {}
        self._tasks: asyncio.TaskGroup | None = None

    def tell(self, event: Event) -> None:
        """Any thread: every client hears this."""
        self._loop.call_soon_threadsafe(self._broadcast, event)

    async def run(self) -> None:
        self.engine.start()
        self._path.unlink(missing_ok=True)
        try:
            async with asyncio.TaskGroup() as self._tasks:
                server = await asyncio.start_unix_server(self._serve, self._path)
                self._path.chmod(0o600)
                log.info("recorder is ready")
                try:
                    await server.serve_forever()
                finally:
                    server.close()
                    for task in self._fetches.values():
                        task.cancel()
                    for client in self._clients:
                        client.transport.abort()
        finally:
            await asyncio.to_thread(self.engine.stop)
            self._path.unlink(missing_ok=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        decoder = msgspec.msgpack.Decoder(Command)
        try:
            first = await read_frame(reader, decoder)
            if not isinstance(first, Hello) or first.version != VERSION:
                log.warning("a client without a fitting hello is hung up on")
                return
            welcome = Welcome(recordings=self.engine.reports(), free_bytes=self.engine.free_bytes())
            self._send(writer, welcome)
            self._clients.add(writer)
            while (command := await read_frame(reader, decoder)) is not None:
                await self._obey(writer, command)
        except (BadFrame, ConnectionError) as error:
            log.warning("a client is hung up on", extra={"reason": str(error)})
        finally:
            self._clients.discard(writer)
            writer.close()

    async def _obey(self, writer: asyncio.StreamWriter, command: Command) -> None:
        match command:
            case Hello():
                pass
            case Begin():
                await self._begin(writer, command)
            case Pause(lesson=lesson, paused=paused):
                self.engine.pause(lesson, paused=paused)
            case Finish():
                try:
                    report = self.engine.finish(command.lesson, command.about)
                except BadName as error:
                    report = _refusal(command.lesson, "bad_name", error)
                if report is not None:
                    self._send(writer, report)
            case _:
                assert_never(command)

    async def _begin(self, writer: asyncio.StreamWriter, begin: Begin) -> None:
        try:
            report = await asyncio.to_thread(self.engine.begin, begin)
        except BadName as error:
            report = _refusal(begin.lesson, "bad_name", error)
        except OSError as error:
            report = _refusal(begin.lesson, "disk", error)
        if report is not None:
            self._send(writer, report)
            return
        before = self._fetches.pop(begin.lesson, None)
        if before is not None:
            before.cancel()
        assert self._tasks is not None
        task = self._tasks.create_task(self._fetch(begin), name=f"fetch {begin.lesson}")
        self._fetches[begin.lesson] = task

    async def _fetch(self, begin: Begin) -> None:
        """Ask the worker until it has the ring, the lesson is over, or campus names another worker."""
        asked = 0
        while self.engine.wants_ring(begin.lesson):
            ring: Ring | None = None
            try:
                ring = await asyncio.to_thread(fetch_ring, begin.tap_socket, begin.room)
            except (OSError, BadRing) as error:
                if asked % 50 == 0:
                    about = {"lesson": begin.lesson, "reason": str(error)}
                    log.warning("the tap cannot be fetched", extra=about)
            if ring is not None:
                self.engine.offer(begin.lesson, ring)
                return
            asked += 1
            await asyncio.sleep(FETCH_AGAIN_S)

    def _broadcast(self, event: Event) -> None:
        for client in list(self._clients):
            self._send(client, event)

    def _send(self, writer: asyncio.StreamWriter, event: Event) -> None:
        if writer.transport.get_write_buffer_size() > UNHEARD_AT_MOST:
            writer.transport.abort()
        elif not writer.is_closing():
            writer.write(encode_frame(event))


def _refusal(lesson: str, problem: str, error: Exception) -> Report:
    return Report(lesson[:80], RecordingState.FAILED, problem=problem, detail=str(error))

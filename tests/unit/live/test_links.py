"""Placement over workers that come and go, and the recorder's link that says everything again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import pytest

from recorder import contract as rec
from recorder.framing import encode_frame, read_frame
from server.live.inbox import WorkerUp
from server.live.placement import Workers
from server.live.recorder_link import RecorderLink
from server.media import contract as media
from server.media.contract import PeerState
from server.protocol.parameters import LocalTransport

TRANSPORT = LocalTransport("ufrag", "p" * 22, [], [])


@dataclass
class Listening:
    """Keeps what placement tells."""

    known: set[str] = field(default_factory=set)
    up: list[tuple[str | None, WorkerUp]] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    said: list[tuple[str, media.Event]] = field(default_factory=list)

    def knows(self, lesson: str) -> bool:
        return lesson in self.known

    def worker_up(self, lesson: str | None, message: WorkerUp) -> None:
        self.up.append((lesson, message))

    def worker_gone(self, worker: str) -> None:
        self.gone.append(worker)

    def worker_said(self, worker: str, lesson: str, event: media.Event) -> None:
        self.said.append((lesson, event))


class Speaker:
    """The other end of a control socket: answers hello with `welcome`, keeps what it hears."""

    def __init__(self, path: Path, kind: object, welcome: object) -> None:
        self._path = path
        self._decoder: msgspec.msgpack.Decoder[object] = msgspec.msgpack.Decoder(kind)
        self.welcome = welcome
        self.heard: list[object] = []
        self._writers: list[asyncio.StreamWriter] = []
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        self._server = await asyncio.start_unix_server(self._serve, self._path)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.append(writer)
        while (message := await read_frame(reader, self._decoder)) is not None:
            self.heard.append(message)
            if len(self.heard) and type(message).__name__ == "Hello":
                writer.write(encode_frame(self.welcome))
        writer.close()

    def say(self, message: object) -> None:
        self._writers[-1].write(encode_frame(message))

    async def die(self) -> None:
        assert self._server is not None
        self._server.close()
        for writer in self._writers:
            writer.close()
        await self._server.wait_closed()
        self._writers.clear()
        self._path.unlink(missing_ok=True)


async def until(fact: Callable[[], object]) -> None:
    async with asyncio.timeout(5):
        while not fact():  # noqa: ASYNC110 - the facts are in three processes' worth of tasks
            await asyncio.sleep(0.005)


@asynccontextmanager
async def running(coroutine: Coroutine[None, None, None]) -> AsyncIterator[None]:
    task = asyncio.create_task(coroutine)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def worker(path: Path, name: str, **more: object) -> Speaker:
    fields: dict[str, object] = {"peers": [], "taps": [], **more}
    welcome = media.Welcome(worker=name, boot=name, pid=1, tap_socket=f"{name}.taps", **fields)  # type: ignore[arg-type]
    return Speaker(path / f"{name}.sock", media.Command, welcome)


async def test_lessons_go_to_the_emptier_worker_stay_there_and_leave_a_dead_one(tmp_path: Path) -> None:
    speakers = [worker(tmp_path, name) for name in ("w0", "w1")]
    for speaker in speakers:
        await speaker.start()
    listening = Listening()
    workers = Workers({name: tmp_path / f"{name}.sock" for name in ("w0", "w1")}, listening)
    assert workers.place("L1") is None
    async with running(workers.run()):
        await until(lambda: workers.connected == 2)
        first, second = workers.place("L1"), workers.place("L2")
        assert first is not None
        assert second is not None
        assert {first[0], second[0]} == {"w0", "w1"}
        assert workers.place("L1") == first
        dead = int(first[0][1])
        await speakers[dead].die()
        await until(lambda: listening.gone == [f"w{dead}"])
        moved = workers.place("L1")
        assert moved is not None
        assert moved[0] == f"w{1 - dead}"
        await speakers[1 - dead].die()


async def test_a_worker_gives_lessons_their_peers_back_and_loses_what_nobody_knows(tmp_path: Path) -> None:
    peers = [
        media.PeerSnapshot(f"{lesson}/shahe/down/abc", lesson, PeerState.CONNECTED, TRANSPORT)
        for lesson in ("Lknown", "Lstranger")
    ]
    speaker = worker(tmp_path, "w0", peers=peers)
    await speaker.start()
    listening = Listening(known={"Lknown"})
    workers = Workers({"w0": tmp_path / "w0.sock"}, listening)
    async with running(workers.run()):
        await until(lambda: media.CloseRoom("Lstranger") in speaker.heard)
        assert listening.up[0] == ("Lknown", WorkerUp("w0", peers[:1], None))
        assert listening.up[-1] == (None, WorkerUp("w0", [], None))
        changed = media.PeerChanged("Lknown/shahe/down/abc", PeerState.AWAY)
        speaker.say(changed)
        speaker.say(media.PeerChanged("no peer of ours", PeerState.AWAY))
        speaker.say(media.WorkerFigures({"sent": 2.0}))
        await until(lambda: workers.totals() == {"sent": 2.0})
        assert listening.said == [("Lknown", changed)]
        await speaker.die()


async def test_what_the_recorder_was_asked_is_said_again_until_it_is_done(tmp_path: Path) -> None:
    heard: list[rec.Recording] = []
    wanted: list[rec.KeyframeWanted] = []
    link = RecorderLink(tmp_path / "recorder.sock", heard.append, wanted.append)
    link.begin(lesson="L1", title="课", started_at_ms=1_800_000_000_000, tap_socket="w0.taps")
    speaker = Speaker(tmp_path / "recorder.sock", rec.Command, rec.Welcome([], 10))
    async with running(link.run()):
        await speaker.start()
        await until(lambda: any(isinstance(each, rec.Begin) for each in speaker.heard))
        begin = next(each for each in speaker.heard if isinstance(each, rec.Begin))
        assert (begin.lesson, begin.room, begin.tap_socket) == ("L1", "L1", "w0.taps")
        assert begin.started_at == "2027-01-15T08:00:00.000+00:00"
        link.finish("L1")
        await until(lambda: rec.Finish("L1") in speaker.heard)
        await speaker.die()
        await until(lambda: not link.connected)
        speaker.heard.clear()
        await speaker.start()
        await until(lambda: rec.Finish("L1") in speaker.heard)
        assert begin in speaker.heard
        speaker.say(rec.KeyframeWanted("L1", "screen"))
        await until(lambda: wanted == [rec.KeyframeWanted("L1", "screen")])
        ready = rec.Recording("L1", rec.RecordingState.READY, seconds=3.0)
        speaker.say(ready)
        await until(lambda: heard == [ready])
        await speaker.die()
        await until(lambda: not link.connected)
        speaker.heard.clear()
        await speaker.start()
        await until(lambda: link.connected)
        assert speaker.heard == [rec.Hello()]
        await speaker.die()


@pytest.mark.parametrize("garbage", [b"\xff\xff\xff\xff", b"\x00\x00\x00\x03abc", b"\x00\x00\x00\x01\xc0"])
async def test_a_recorder_that_talks_nonsense_is_left_and_tried_again(tmp_path: Path, garbage: bytes) -> None:
    tries = 0

    async def babble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal tries
        tries += 1
        writer.write(garbage)
        await reader.read()
        writer.close()

    server = await asyncio.start_unix_server(babble, tmp_path / "recorder.sock")
    link = RecorderLink(tmp_path / "recorder.sock", lambda _: None)
    async with running(link.run()):
        await until(lambda: tries >= 3)
        assert not link.connected
    server.close()
    await server.wait_closed()

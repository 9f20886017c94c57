"""What is not to be recorded is never written: every file and ring is searched for what was sent."""

from __future__ import annotations

import asyncio
import contextvars
import time
from collections import defaultdict
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from aiortc.mediastreams import MediaStreamTrack
from aiortc.rtcdtlstransport import RTCDtlsTransport

from recorder.archive.manifest import BadManifest, GapCause, Manifest, read_manifest
from recorder.contract import RecordingState
from server.drill.classroom import Classroom
from server.drill.own_server import OwnServer
from server.protocol import messages as m
from server.protocol.capture import PauseRecording, Recordable, RecordSubjects
from server.protocol.messages import LessonState
from server.protocol.parameters import Source
from server.protocol.resources import RoomToken
from tests.peers.lessons import Holding, holding, on_air, view
from tests.peers.workers import holds

pytestmark = pytest.mark.asyncio(loop_scope="session")

WHO: contextvars.ContextVar[str] = contextvars.ContextVar("who", default="")
TAIL = 40
SAMPLES = 20
"""Of a stretch's packets so many are looked for."""


class Noise(MediaStreamTrack):
    """Sound or picture that no encoder makes the same twice."""

    def __init__(self, kind: str, seed: int) -> None:
        super().__init__()
        self.kind = kind
        self._chance = np.random.default_rng(seed)
        self._count = 0
        self._began = time.monotonic()

    async def recv(self) -> av.AudioFrame | av.VideoFrame:
        every = 0.02 if self.kind == "audio" else 0.1
        await asyncio.sleep(max(0.0, self._began + self._count * every - time.monotonic()))
        self._count += 1
        if self.kind == "audio":
            pcm = self._chance.integers(-9000, 9000, (1, 960), dtype=np.int16)
            sound = av.AudioFrame.from_ndarray(pcm, format="s16", layout="mono")
            sound.sample_rate, sound.pts, sound.time_base = 48_000, self._count * 960, Fraction(1, 48_000)
            return sound
        blocks = self._chance.integers(0, 255, (12, 20, 3), dtype=np.uint8)
        picture = av.VideoFrame.from_ndarray(np.kron(blocks, np.ones((20, 16, 1), np.uint8)), format="rgb24")
        picture.pts, picture.time_base = self._count * 9000, Fraction(1, 90_000)
        return picture


class Wire:
    """The ends of all media packets as they were before encryption, by who sent them and when."""

    def __init__(self) -> None:
        self.sent: dict[str, list[tuple[float, bytes]]] = defaultdict(list)

    def tails(self, who: str, start_s: float, end_s: float) -> list[bytes]:
        """Ends of packets that left within the time (monotonic), evenly chosen."""
        found = [tail for at, tail in self.sent[who] if start_s <= at <= end_s]
        assert len(found) > 20, f"{who} sent {len(found)} packets in {end_s - start_s:.1f} s"
        return found[:: max(1, len(found) // SAMPLES)]


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch) -> Wire:
    wire, send = Wire(), RTCDtlsTransport._send_rtp

    async def noted(self: RTCDtlsTransport, data: bytes) -> None:
        if len(data) > 12 + TAIL + 20 and not 192 <= data[1] <= 223:  # no RTCP
            wire.sent[WHO.get()].append((time.monotonic(), data[-TAIL:]))
        await send(self, data)

    monkeypatch.setattr(RTCDtlsTransport, "_send_rtp", noted)
    return wire


def enter(held: Holding, token: RoomToken, seed: int) -> Classroom:
    WHO.set(token.room)
    tracks = {Source.CAMERA: Noise("video", seed), Source.VOICE: Noise("audio", seed + 1)}
    page = Classroom(held.http, f"{held.server.url}/ws", token.token, tracks)
    held.tasks[page] = asyncio.create_task(page.run(), name=token.room)
    return page


def everything_written(held: Holding) -> Iterator[bytes]:
    """Every file of the installation, and every memory file of its media worker."""
    for path in held.server.folder.rglob("*"):
        if path.is_file() and not path.is_symlink():
            try:
                yield path.read_bytes()
            except FileNotFoundError:
                continue  # replaced meanwhile: its successor is read, or was
    folder = Path(f"/proc/{held.pid_of('server.media')}/fd")
    for link in folder.iterdir():
        try:
            if str(link.readlink()).startswith("/memfd:"):
                yield link.read_bytes()
        except OSError:
            continue


def found(held: Holding, tails: list[bytes]) -> int:
    """How many of them are written anywhere."""
    whole = list(everything_written(held))
    return sum(any(tail in data for data in whole) for tail in tails)


async def seconds(count: float) -> tuple[float, float]:
    """A stretch of the lesson, the edges left out."""
    began = time.monotonic()
    await asyncio.sleep(count)
    return began + 0.6, time.monotonic() - 0.3


def sends(studio: Classroom, room: str) -> bool:
    return any(seat.room == room and len(seat.sends) == 2 for seat in view(studio).seats)


def manifest(folder: Path) -> Manifest | None:
    try:
        return read_manifest(folder)
    except BadManifest:
        return None


async def test_pupils_are_nowhere_on_the_disk_unless_chosen_nor_is_anybody_in_a_pause(
    installation: OwnServer, wire: Wire
) -> None:
    async with holding(installation) as held:
        room = held.demo.rooms[0]
        studio = enter(held, held.demo.studio, 1)
        enter(held, room, 7)
        await studio.until(lambda: studio.lesson is not None, 20)
        await studio.say(m.Start())
        await studio.until(lambda: on_air(studio) and sends(studio, room.room), 30)
        await studio.say(m.CallOn(room.room))
        await studio.until(lambda: view(studio).called == room.room, 10)
        usual = await seconds(4)
        await studio.say(RecordSubjects([*view(studio).records, Recordable.PUPILS, Recordable.PUPILS_VOICE]))
        await studio.until(lambda: Recordable.PUPILS in view(studio).records, 10)
        chosen = await seconds(4)
        await studio.say(m.CallOn(None))
        await studio.until(lambda: view(studio).called is None, 10)
        uncalled = await seconds(3)
        await studio.say(PauseRecording(True))
        await studio.until(lambda: view(studio).recording_paused, 10)
        paused = await seconds(4)
        pupils_before = wire.tails(room.room, *usual) + wire.tails(room.room, *uncalled)
        assert await asyncio.to_thread(found, held, pupils_before) == 0
        assert await asyncio.to_thread(found, held, wire.tails("main", *paused)) == 0
        teacher = wire.tails("main", *usual)
        assert await asyncio.to_thread(found, held, teacher) > 0.9 * len(teacher), (
            "the search finds what is there"
        )
        spoken = wire.tails(room.room, *chosen)
        assert await asyncio.to_thread(found, held, spoken) > 0.8 * len(spoken), "what was chosen is written"
        await studio.say(PauseRecording(False))
        await studio.until(lambda: not view(studio).recording_paused, 10)
        await seconds(3)
        folder = held.server.archive / view(studio).id
        await studio.say(m.End())
        await studio.until(lambda: view(studio).state is LessonState.ENDED, 10)
        await holds(lambda: (told := manifest(folder)) is not None and told.state is RecordingState.READY, 20)
        assert await asyncio.to_thread(found, held, pupils_before) == 0
        assert await asyncio.to_thread(found, held, wire.tails("main", *paused)) == 0
        made = manifest(folder)
        assert made is not None
        assert len([track for track in made.tracks if track.room == room.room]) == 2
        for name in ("camera", "voice"):
            track = next(track for track in made.tracks if track.name == name)
            (hole,) = [gap for gap in track.gaps if gap.cause is GapCause.PAUSED]
            assert hole.end_s - hole.start_s > 3.5

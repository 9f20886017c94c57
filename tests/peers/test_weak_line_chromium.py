"""A page behind a line that grows thin, and thinner, and recovers: it goes down layer by layer, keeps its
text longer than its camera and its sound longest, and comes back. The page beside it never notices."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from playwright.async_api import Page

from server.media.contract import DownFigures, Figures, PeerState, TrackName
from server.protocol.parameters import Kind, Source
from tests.fakes.lossy_proxy import DOWN, Line, LossyProxy, lossy_proxy
from tests.peers.test_chromium import ANSWERED, blank_page, browser, until
from tests.peers.test_connections import by_way_of, worker_address
from tests.peers.workers import RunningWorker, running_worker

PUBLISH = """async () => {
  const moving = (pace, colours) => {
    const canvas = Object.assign(document.createElement('canvas'), {width: 640, height: 360});
    const pen = canvas.getContext('2d');
    let n = 0;
    setInterval(() => {
      n += 1;
      for (let i = 0; i < 40; i++) {
        pen.fillStyle = `hsl(${(i * 47 + n * 3) % 360} ${colours}% ${30 + (i + n) % 40}%)`;
        pen.fillRect((i * 211 + n * (1 + i % 7)) % 640, (i * 97 + n * (i % 5)) % 360, 90, 60);
      }
    }, 1000 / pace);
    return canvas.captureStream(pace).getVideoTracks()[0];
  };
  const audio = new AudioContext();
  const tone = audio.createOscillator();
  const out = audio.createMediaStreamDestination();
  tone.frequency.value = 330;
  tone.connect(out);
  tone.start();
  const pc = window.pc = new RTCPeerConnection();
  const screen = moving(5, 0);
  screen.contentHint = 'detail';
  const send = (track, sendEncodings) => pc.addTransceiver(track, {direction: 'sendonly', sendEncodings});
  const pictures = [
    send(moving(15, 60), [{rid: 'l', maxBitrate: 150000, scaleResolutionDownBy: 2},
      {rid: 'h', maxBitrate: 900000}]),
    send(screen, [{maxBitrate: 200000}])];
  const {codecs} = RTCRtpSender.getCapabilities('video');
  for (const each of pictures)
    each.setCodecPreferences(codecs.filter(one => ['video/VP8', 'video/rtx'].includes(one.mimeType)));
  pc.addTransceiver(out.stream.getAudioTracks()[0], {direction: 'sendonly'});
  await pc.setLocalDescription(await pc.createOffer());
  return pc.localDescription.sdp;
}"""
WATCH = """async sdp => {
  const pc = window.pc = new RTCPeerConnection();
  pc.ontrack = ({track}) => {
    const element = document.createElement(track.kind), srcObject = new MediaStream([track]);
    Object.assign(element, {autoplay: true, muted: track.kind == 'video', srcObject});
    document.body.append(element);
  };
  await pc.setRemoteDescription({type: 'offer', sdp});
  await pc.setLocalDescription(await pc.createAnswer());
  return pc.localDescription.sdp;
}"""
LOOK = """async () => Object.fromEntries([...(await pc.getStats()).values()]
  .filter(each => each.type == 'inbound-rtp').map(each => [each.mid, each]))"""
CAMERA, SCREEN, SOUND = "0", "1", "2"
SLOTS = [("stage", Kind.VIDEO), ("screen", Kind.VIDEO), ("main", Kind.AUDIO)]
FULL, PATIENCE_S = 360, 40.0
HEARD, SECOND = ("totalSamplesReceived", "concealedSamples", "totalAudioEnergy"), 48_000
Stats = dict[str, dict[str, Any]]


@dataclass
class Room:
    """A receiving page and what the worker tells of its connection."""

    worker: RunningWorker
    name: str
    page: Page

    async def stats(self) -> Stats:
        found: Stats = await self.page.evaluate(LOOK)
        return found

    def told(self, slot: str) -> DownFigures | None:
        """The newest figures of a slot."""
        for event in reversed(self.worker.events):
            if isinstance(event, Figures):
                for each in event.down:
                    if (each.peer, each.slot) == (self.name, slot):
                        return each
        return None

    async def comes(self, what: str, holds: Callable[[Stats], bool]) -> None:
        async def seen() -> bool:
            return holds(await self.stats())

        await until(seen, PATIENCE_S, what)

    async def shows(self, picture: str, height: Callable[[int], bool], what: str) -> None:
        """New pictures of such a height are decoded."""
        before = (await self.stats()).get(picture, {}).get("framesDecoded", 0)

        def decoded(stats: Stats) -> bool:
            now = stats.get(picture, {})
            return height(now.get("frameHeight", 0)) and now["framesDecoded"] > before + 2

        await self.comes(what, decoded)

    async def hears_on(self) -> None:
        """A second of sound comes, nearly all of it as it was sent: once the line's queue is through."""
        began = (await self.stats())[SOUND]

        def second(stats: Stats) -> bool:
            nonlocal began
            now = stats[SOUND]
            samples, concealed, energy = (now[each] - began[each] for each in HEARD)
            if samples < SECOND:
                return False
            began = now
            return bool(concealed < samples / 10 and energy > 0)

        await self.comes("a whole second of sound", second)


@dataclass
class Lesson:
    proxy: LossyProxy
    weak: Room
    good: Room

    def narrow(self, rate_bps: int) -> None:
        self.proxy.lines[DOWN] = Line(rate_bps=rate_bps, queue_bytes=20_000, delay_s=0.02)


@asynccontextmanager
async def lesson() -> AsyncIterator[Lesson]:
    """A teacher with camera (two layers: Chromium makes no more of 360 lines), courseware and voice; two
    rooms, one of them behind the proxy."""
    async with (
        running_worker() as worker,
        browser() as chromium,
        lossy_proxy(await worker_address(worker), seed=7) as proxy,
    ):
        main, *pages = [await blank_page(chromium) for _ in range(3)]
        answer = await worker.take_offer(await main.evaluate(PUBLISH), "up", "L")
        await main.evaluate(ANSWERED, answer.sdp)
        await worker.state("up", PeerState.CONNECTED, 20)
        sent = {track.source: TrackName("up", track.mid) for track in answer.tracks}
        rooms = []
        for name, page in zip(("weak", "good"), pages, strict=True):
            through = by_way_of(proxy) if name == "weak" else lambda local: local
            plan, offer = await worker.make_offer(name, "L", SLOTS, through)
            await worker.take_answer(await page.evaluate(WATCH, offer), name, plan)
            for slot, source in (("stage", Source.CAMERA), ("screen", Source.SCREEN), ("main", Source.VOICE)):
                worker.point(name, slot, sent[source])
            rooms.append(Room(worker, name, page))
        yield Lesson(proxy, *rooms)


async def test_a_page_on_a_thin_line_gives_up_pictures_before_text_and_sound_and_gets_all_back() -> None:
    async with lesson() as there:
        weak, good = there.weak, there.good
        for room in (weak, good):
            await room.shows(CAMERA, lambda height: height == FULL, "the whole camera")
            await room.shows(SCREEN, lambda height: height == FULL, "the courseware")

        there.narrow(550_000)
        await weak.shows(CAMERA, lambda height: 0 < height < FULL, "a smaller camera")
        await weak.shows(SCREEN, lambda height: height == FULL, "the courseware as large as before")
        await weak.hears_on()

        there.narrow(130_000)
        await weak.worker.until(lambda: (told := weak.told("stage")) and told.held, PATIENCE_S)
        await weak.hears_on()

        there.proxy.lines[DOWN] = Line()
        await weak.shows(CAMERA, lambda height: height == FULL, "the whole camera again")
        await weak.shows(SCREEN, lambda height: height == FULL, "the courseware again")
        await weak.hears_on()

        untouched = await good.stats()
        assert [untouched[each]["packetsLost"] for each in (CAMERA, SCREEN, SOUND)] == [0, 0, 0]
        assert untouched[CAMERA]["frameHeight"] == FULL
        stage = good.told("stage")
        assert stage is not None
        assert not stage.held

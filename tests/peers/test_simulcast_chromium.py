"""A page sends its camera in three layers; a viewer is moved between them and never stands still."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from playwright.async_api import Page

from server.media.contract import Figures, LayersWanted, TrackName, UpLayer
from server.media.worker import MediaWorker
from server.protocol.parameters import CodecName, Kind
from tests.peers.inside import inside_worker
from tests.peers.test_chromium import WATCH, blank_page, browser, publish, stats, until
from tests.peers.workers import RunningWorker

PUBLISH = """async only => {
  const video = {width: 1280, height: 720, frameRate: 25};
  const stream = await navigator.mediaDevices.getUserMedia({video});
  const pc = window.pc = new RTCPeerConnection();
  const transceiver = pc.addTransceiver(stream.getVideoTracks()[0], {direction: 'sendonly', sendEncodings: [
    {rid: 'l', maxBitrate: 150000, scaleResolutionDownBy: 4},
    {rid: 'm', maxBitrate: 600000, scaleResolutionDownBy: 2},
    {rid: 'h', maxBitrate: 2500000, scaleResolutionDownBy: 1}]});
  const {codecs} = RTCRtpSender.getCapabilities('video');
  transceiver.setCodecPreferences(codecs.filter(each => [only, 'video/rtx'].includes(each.mimeType)));
  await pc.setLocalDescription(await pc.createOffer());
  return pc.localDescription.sdp;
}"""
ONE = """async only => {
  const video = {width: 640, height: 360, frameRate: 15};
  const stream = await navigator.mediaDevices.getUserMedia({video});
  const pc = window.pc = new RTCPeerConnection();
  const transceiver = pc.addTransceiver(stream.getVideoTracks()[0], {direction: 'sendonly'});
  const {codecs} = RTCRtpSender.getCapabilities('video');
  const zero = each => !/profile(-id)?=[1-9]/.test(each.sdpFmtpLine || '');
  const both = [only, 'video/rtx'];
  transceiver.setCodecPreferences(codecs.filter(each => both.includes(each.mimeType) && zero(each)));
  await transceiver.sender.setParameters({...transceiver.sender.getParameters(),
    degradationPreference: 'maintain-resolution'});
  await pc.setLocalDescription(await pc.createOffer());
  return pc.localDescription.sdp;
}"""
SWITCH = """async active => {
  const sender = pc.getSenders()[0];
  const parameters = sender.getParameters();
  for (const each of parameters.encodings) each.active = active.includes(each.rid);
  await sender.setParameters(parameters);
}"""
VIEWER = "L/shahe/down/1"
ROUNDS = 2


@dataclass
class Lesson:
    """A publisher with three layers and a viewer of its camera."""

    worker: MediaWorker
    seen: RunningWorker
    main: Page
    room: Page
    camera: TrackName

    def select(self, layer: int) -> None:
        self.worker.tables.select(VIEWER, "stage", layer)

    def layers(self) -> list[UpLayer]:
        """The last figures of the camera."""
        for event in reversed(self.seen.events):
            if isinstance(event, Figures):
                return next((up.layers for up in event.up if up.track == self.camera), [])
        return []

    async def shows(self, height: int, within_s: float = 10) -> None:
        """Pictures of this height are decoded, and go on."""
        await until(lambda: self._decoded(height), within_s, f"a picture of {height} lines")

    async def _decoded(self, height: int) -> bool:
        first = await stats(self.room, "inbound-rtp", "video")
        if first.get("frameHeight") != height:
            return False
        await asyncio.sleep(0.3)
        then = await stats(self.room, "inbound-rtp", "video")
        return then.get("frameHeight") == height and then["framesDecoded"] > first["framesDecoded"]

    async def pictures_a_second(self, seconds: float = 2.0) -> float:
        first = await stats(self.room, "inbound-rtp", "video")
        await asyncio.sleep(seconds)
        then = await stats(self.room, "inbound-rtp", "video")
        passed_s = (then["timestamp"] - first["timestamp"]) / 1e3
        return float((then["framesDecoded"] - first["framesDecoded"]) / passed_s)

    async def still_s(self) -> float:
        """How long the picture stood still so far."""
        return float((await stats(self.room, "inbound-rtp", "video")).get("totalFreezesDuration", 0.0))

    async def moved_about(self) -> float:
        """Moved down, up, half-way and up; how long the picture stood still, in seconds."""
        before_s = await self.still_s()
        for layer, height in ((0, 180), (2, 720), (1, 360), (2, 720)):
            self.select(layer)
            await self.shows(height)
        return await self.still_s() - before_s


BOTH = pytest.mark.parametrize("lesson", ["video/H264", "video/VP8"], indirect=True)


@pytest.fixture
async def lesson(request: pytest.FixtureRequest) -> AsyncIterator[Lesson]:
    async with inside_worker() as (seen, worker), browser() as chromium:
        main, room = await blank_page(chromium), await blank_page(chromium)
        codec = getattr(request, "param", "video/H264")
        tracks = await publish(seen, main, await main.evaluate(PUBLISH, codec), "L/main/up/1")
        plan, offer = await seen.make_offer(VIEWER, "L", [("stage", Kind.VIDEO)])
        await seen.take_answer(await room.evaluate(WATCH, offer), VIEWER, plan)
        seen.point(VIEWER, "stage", tracks[Kind.VIDEO])
        made = Lesson(worker, seen, main, room, tracks[Kind.VIDEO])
        up = worker.tables.ups[made.camera]
        await seen.until(lambda: up.codec is not None, 20)
        assert up.codec is (CodecName.H264 if codec == "video/H264" else CodecName.VP8)
        yield made


@BOTH
async def test_a_viewer_is_moved_between_three_layers_without_a_freeze(lesson: Lesson) -> None:
    await lesson.shows(720, within_s=20)
    await until(lambda: _true(len([x for x in lesson.layers() if x.living]) == 3), 10, "three layers")
    low, middle, high = lesson.layers()
    assert [low.rid, middle.rid, high.rid] == ["l", "m", "h"]
    assert low.bitrate_bps < middle.bitrate_bps < high.bitrate_bps
    stood_s = [await lesson.moved_about() for _ in range(ROUNDS)]
    assert min(stood_s) < 1.0, f"four moves, and again, as a full machine may hold one of them: {stood_s}"
    lost = await stats(lesson.room, "inbound-rtp", "video")
    assert lost["packetsLost"] == 0, "numbers go on without a gap"


async def test_layers_nobody_has_a_use_for_are_switched_off_and_a_dead_one_is_replaced(
    lesson: Lesson,
) -> None:
    await lesson.shows(720, within_s=20)

    def told() -> list[str]:
        events = [e for e in lesson.seen.events if isinstance(e, LayersWanted)]
        return events[-1].rids if events else []

    await lesson.seen.until(lambda: told() == ["l", "h"], 15)
    await lesson.main.evaluate(SWITCH, told())
    lesson.select(0)
    await lesson.shows(180)
    await lesson.seen.until(lambda: told() == ["l"], 15)
    await lesson.main.evaluate(SWITCH, told())
    lesson.select(2)
    await lesson.seen.until(lambda: told() == ["l", "m", "h"], 15)
    await lesson.main.evaluate(SWITCH, told())
    await lesson.shows(720)
    await lesson.main.evaluate(SWITCH, ["l", "m"])  # the uplink is too thin for the highest
    await lesson.shows(360)
    await lesson.main.evaluate(SWITCH, ["l", "m", "h"])
    await lesson.shows(720)


SLIDES = """async () => {
  const canvas = Object.assign(document.createElement('canvas'), {width: 1280, height: 720});
  const pen = canvas.getContext('2d');
  let turn = 0;
  setInterval(() => {
    pen.fillStyle = '#fff'; pen.fillRect(0, 0, 1280, 720);
    pen.fillStyle = '#000'; pen.font = '20px sans-serif';
    for (let line = 0; line < 30; line++) pen.fillText(`${turn} ${'abcdefghijkl '.repeat(6)}`, 10, 24 * line);
    turn++;
  }, 40);
  const [track] = canvas.captureStream(15).getTracks();
  track.contentHint = 'detail';
  const pc = window.pc = new RTCPeerConnection();
  const transceiver = pc.addTransceiver(track, {direction: 'sendonly', sendEncodings: [
    {rid: 'l', maxBitrate: 500000, scaleResolutionDownBy: 1, maxFramerate: 5},
    {rid: 'h', maxBitrate: 1500000, scaleResolutionDownBy: 1, maxFramerate: 15}]});
  const {codecs} = RTCRtpSender.getCapabilities('video');
  transceiver.setCodecPreferences(codecs.filter(each => ['video/H264', 'video/rtx'].includes(each.mimeType)));
  await pc.setLocalDescription(await pc.createOffer());
  return pc.localDescription.sdp;
}"""


async def test_slides_keep_their_size_in_the_lower_layer_and_come_less_often() -> None:
    async with inside_worker() as (seen, worker), browser() as chromium:
        main, room = await blank_page(chromium), await blank_page(chromium)
        tracks = await publish(seen, main, await main.evaluate(SLIDES), "L/main/up/1")
        plan, offer = await seen.make_offer(VIEWER, "L", [("stage", Kind.VIDEO)])
        await seen.take_answer(await room.evaluate(WATCH, offer), VIEWER, plan)
        seen.point(VIEWER, "stage", tracks[Kind.VIDEO])
        lesson = Lesson(worker, seen, main, room, tracks[Kind.VIDEO])
        await lesson.shows(720, within_s=20)
        await until(lambda: _true(len([x for x in lesson.layers() if x.living]) == 2), 10, "two layers")
        often = await lesson.pictures_a_second()
        lesson.select(0)
        up = worker.tables.ups[lesson.camera]
        down = worker.tables.downs[VIEWER]["stage"]
        await seen.until(lambda: worker.relay.showing(down.handle, up.handle) == (0, -1), 10)
        await lesson.shows(720)
        seldom = await lesson.pictures_a_second()
        assert seldom <= 6
        assert seldom < often


@pytest.mark.parametrize("codec", ["video/VP9", "video/AV1"])
async def test_a_codec_both_sides_have_is_forwarded(codec: str) -> None:
    async with inside_worker() as (seen, worker), browser() as chromium:
        main, room = await blank_page(chromium), await blank_page(chromium)
        tracks = await publish(seen, main, await main.evaluate(ONE, codec), "L/main/up/1")
        plan, offer = await seen.make_offer(VIEWER, "L", [("stage", Kind.VIDEO)])
        await seen.take_answer(await room.evaluate(WATCH, offer), VIEWER, plan)
        seen.point(VIEWER, "stage", tracks[Kind.VIDEO])
        lesson = Lesson(worker, seen, main, room, tracks[Kind.VIDEO])
        await lesson.shows(360, within_s=20)
        assert worker.tables.ups[lesson.camera].codec == codec.removeprefix("video/")


async def _true(value: bool) -> bool:
    return value

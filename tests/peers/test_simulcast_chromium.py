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
SWITCH = """async active => {
  const sender = pc.getSenders()[0];
  const parameters = sender.getParameters();
  for (const each of parameters.encodings) each.active = active.includes(each.rid);
  await sender.setParameters(parameters);
}"""
VIEWER = "L/shahe/down/1"


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

    async def still_s(self) -> float:
        """How long the picture stood still so far."""
        return float((await stats(self.room, "inbound-rtp", "video")).get("totalFreezesDuration", 0.0))


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
    before_s = await lesson.still_s()
    for layer, height in ((0, 180), (2, 720), (1, 360), (2, 720)):
        lesson.select(layer)
        await lesson.shows(height)
    assert await lesson.still_s() - before_s < 1.0
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
    await lesson.seen.until(lambda: told() == ["l", "m", "h"], 2)
    await lesson.main.evaluate(SWITCH, told())
    await lesson.shows(720)
    await lesson.main.evaluate(SWITCH, ["l", "m"])  # the uplink is too thin for the highest
    await lesson.shows(360)
    await lesson.main.evaluate(SWITCH, ["l", "m", "h"])
    await lesson.shows(720)


async def _true(value: bool) -> bool:
    return value

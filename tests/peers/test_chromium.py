"""Two Chromium pages through a real worker process, with a plain offer and answer."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page, async_playwright

from server.media import contract
from server.media.contract import Levels, PeerState, TrackName
from server.protocol.parameters import Kind, Source
from server.protocol.sdp import answer_up, offer_down, read_offer
from tests.peers.workers import RunningWorker, running_worker

CHROMIUM = "/usr/bin/chromium"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
    "--autoplay-policy=no-user-gesture-required",
]
PUBLISH = """async () => {
  const stream = await navigator.mediaDevices.getUserMedia(
    {video: {width: 1280, height: 720, frameRate: 25}, audio: true});
  const pc = window.pc = new RTCPeerConnection();
  pc.addTransceiver(stream.getAudioTracks()[0], {direction: 'sendonly', streams: [stream]});
  const {sender} = pc.addTransceiver(stream.getVideoTracks()[0], {direction: 'sendonly', streams: [stream],
    sendEncodings: [{maxBitrate: 2500000}]});
  // Else a frame that comes before the network is up finds 300 kbit/s, and Chromium begins small for long.
  await sender.setParameters({...sender.getParameters(), degradationPreference: 'maintain-resolution'});
  await pc.setLocalDescription(await pc.createOffer());
  return pc.localDescription.sdp;
}"""
ANSWERED = "sdp => pc.setRemoteDescription({type: 'answer', sdp})"
WATCH = """async sdp => {
  const pc = window.pc = new RTCPeerConnection();
  pc.ontrack = event => {
    if (event.track.kind !== 'video') return;
    const video = document.createElement('video');
    video.autoplay = video.muted = true;
    video.srcObject = new MediaStream([event.track]);
    document.body.append(video);
  };
  await pc.setRemoteDescription({type: 'offer', sdp});
  await pc.setLocalDescription(await pc.createAnswer());
  return pc.localDescription.sdp;
}"""
STATS = """async () => [...(await pc.getStats()).values()]
  .filter(each => ['inbound-rtp', 'outbound-rtp', 'transport', 'codec'].includes(each.type))"""


@contextlib.asynccontextmanager
async def browser(executable: str | Path = CHROMIUM) -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        found = await playwright.chromium.launch(executable_path=executable, args=FLAGS)
        try:
            yield found
        finally:
            await found.close()


async def blank_page(where: Browser) -> Page:
    """An empty page of a secure origin (getUserMedia wants one)."""
    page = await where.new_page()
    await page.route("**/*", lambda route: route.fulfill(body="<body></body>", content_type="text/html"))
    await page.goto("http://localhost/")
    return page


async def stats(page: Page, kind: str, media: str) -> dict[str, Any]:
    found: list[dict[str, Any]] = await page.evaluate(STATS)
    return next((s for s in found if s["type"] == kind and s.get("kind") == media), {})


async def until(condition: Callable[[], Awaitable[object]], timeout_s: float, what: str) -> float:
    """Seconds until the condition held."""
    began = time.monotonic()
    while not await condition():
        assert time.monotonic() - began < timeout_s, f"{what}: not within {timeout_s} s"
        await asyncio.sleep(0.05)
    return time.monotonic() - began


async def publish(worker: RunningWorker, page: Page, offer: str, peer: str) -> dict[Kind, TrackName]:
    answer = await worker.take_offer(offer, peer, "L")
    await page.evaluate(ANSWERED, answer.sdp)
    await worker.state(peer, PeerState.CONNECTED)
    return {track.kind: TrackName(peer, track.mid) for track in answer.tracks}


@pytest.mark.parametrize(
    ("our_offer", "cipher"), [("actpass", "AEAD_AES_128_GCM"), ("active", "AES128_CM_HMAC_SHA1_80")]
)
async def test_a_page_sees_another_pages_camera_at_full_size_within_three_seconds(
    our_offer: str, cipher: str
) -> None:
    """As DTLS client a page takes our GCM; made the DTLS server it chooses by itself."""
    async with running_worker() as worker, browser() as chromium:
        main, room = await blank_page(chromium), await blank_page(chromium)
        up_offer = await main.evaluate(PUBLISH)
        began = time.monotonic()
        tracks = await publish(worker, main, up_offer, "L/main/up/1")
        slots = [("stage", Kind.VIDEO), ("main", Kind.AUDIO), ("screen", Kind.VIDEO)]
        plan, offer = await worker.make_offer("L/shahe/down/1", "L", slots)
        offer = offer.replace("a=setup:actpass", f"a=setup:{our_offer}")
        await worker.take_answer(await room.evaluate(WATCH, offer), "L/shahe/down/1", plan)
        worker.point("L/shahe/down/1", "stage", tracks[Kind.VIDEO])
        worker.point("L/shahe/down/1", "main", tracks[Kind.AUDIO])

        async def full() -> bool:
            seen = await stats(room, "inbound-rtp", "video")
            return seen.get("frameWidth") == 1280 and seen.get("framesDecoded", 0) > 10

        await until(full, 8.0, "a full picture")
        took = time.monotonic() - began
        seen = await stats(room, "inbound-rtp", "video")
        sent = await stats(main, "outbound-rtp", "video")
        heard = await stats(room, "inbound-rtp", "audio")
        line = next(s for s in await room.evaluate(STATS) if s["type"] == "transport")
        assert took < 3.0, json.dumps({"took": took, "sent": sent, "seen": seen}, indent=1)
        assert cipher in line["srtpCipher"]
        assert seen["packetsLost"] == 0
        assert heard["packetsReceived"] > 0


async def decoded(page: Page) -> int:
    return int((await stats(page, "inbound-rtp", "video")).get("framesDecoded", 0))


async def test_ice_restarts_of_both_sides_keep_the_picture_and_the_dtls_association() -> None:
    async with running_worker() as worker, browser() as chromium:
        main, room = await blank_page(chromium), await blank_page(chromium)
        tracks = await publish(worker, main, await main.evaluate(PUBLISH), "up")
        plan, offer = await worker.make_offer("down", "L", [("stage", Kind.VIDEO)])
        await worker.take_answer(await room.evaluate(WATCH, offer), "down", plan)
        worker.point("down", "stage", tracks[Kind.VIDEO])
        await until(lambda: decoded(room), 8.0, "a first picture")
        asked = (await stats(room, "inbound-rtp", "video"))["pliCount"]

        await main.evaluate("() => pc.restartIce()")
        sdp = await main.evaluate(
            """async () => {
              await pc.setLocalDescription(await pc.createOffer());
              return pc.localDescription.sdp;
            }"""
        )
        local = (await worker.do(contract.RestartIce(0, "up"))).transport
        assert local is not None
        renewed = answer_up(read_offer(sdp), {"0": Source.VOICE, "1": Source.CAMERA}, local, version=2)
        await worker.do(contract.SetUpTracks(0, "up", renewed.tracks))
        await worker.do(contract.SetRemote(0, "up", renewed.remote))
        await main.evaluate(ANSWERED, renewed.sdp)

        local = (await worker.do(contract.RestartIce(0, "down"))).transport
        assert local is not None
        answer = await room.evaluate(
            """async sdp => {
              await pc.setRemoteDescription({type: 'offer', sdp});
              await pc.setLocalDescription(await pc.createAnswer());
              return pc.localDescription.sdp;
            }""",
            offer_down(plan, local, version=2),
        )
        await worker.take_answer(answer, "down", plan)

        async def moved(page: Page, ufrag: str) -> bool:
            # Its own side of the pair: a new port of Chromium's that asked before our answer came stays with
            # our older credentials, which are answered for that (`IceLite.restart`).
            return ufrag == await page.evaluate(
                "() => pc.getTransceivers()[0].receiver.transport.iceTransport"
                ".getSelectedCandidatePair()?.local.usernameFragment ?? ''"
            )

        await until(lambda: moved(main, _ufrag(sdp)), 8.0, "the publisher's new path")
        await until(lambda: moved(room, _ufrag(answer)), 8.0, "the viewer's new path")
        before = await decoded(room)

        async def goes_on() -> bool:
            return await decoded(room) > before + 20

        await until(goes_on, 8.0, "the picture after both restarts")
        seen = await stats(room, "inbound-rtp", "video")
        # not Chromium's freezeCount: a full machine holds a picture, too
        assert (seen["packetsLost"], seen["pliCount"]) == (0, asked), "nothing of the picture was missing"
        assert worker.states("up") == worker.states("down") == [PeerState.CONNECTING, PeerState.CONNECTED]


async def test_a_joiner_begins_with_the_ring_and_levels_are_told() -> None:
    """From the ring where its keyframe is young, else the publisher is asked."""
    async with running_worker() as worker, browser() as chromium:
        main = await blank_page(chromium)
        tracks = await publish(worker, main, await main.evaluate(PUBLISH), "up")
        took = []
        for name in ("one", "two", "three"):
            page = await blank_page(chromium)
            plan, offer = await worker.make_offer(name, "L", [("stage", Kind.VIDEO)])
            await worker.take_answer(await page.evaluate(WATCH, offer), name, plan)
            await worker.state(name, PeerState.CONNECTED)
            worker.point(name, "stage", tracks[Kind.VIDEO])
            took.append(await until(lambda page=page: decoded(page), 5.0, "a first picture"))
        assert max(took) < 1.5, took
        await worker.until(
            lambda: any(
                level > -100
                for event in worker.events
                if isinstance(event, Levels)
                for _, level in event.levels
            )
        )


def _ufrag(sdp: str) -> str:
    return sdp.split("a=ice-ufrag:", 1)[1].split("\r\n", 1)[0]

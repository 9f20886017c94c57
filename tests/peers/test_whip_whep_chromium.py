"""WHIP and WHEP from a plain Chromium page of another origin: fetch and RTCPeerConnection alone."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from server.drill.own_server import OwnServer
from tests.peers.lessons import holding
from tests.peers.test_chromium import browser
from tests.peers.test_whip_whep import start_lesson

pytestmark = pytest.mark.asyncio(loop_scope="session")

PUBLISH = """async ({url, token}) => {
  const stream = await navigator.mediaDevices.getUserMedia({video: true, audio: true});
  const pc = window.pc = new RTCPeerConnection();
  const options = {direction: 'sendonly', streams: [stream]};
  for (const track of stream.getTracks()) pc.addTransceiver(track, options);
  await pc.setLocalDescription(await pc.createOffer());
  const answer = await fetch(url, {method: 'POST', body: pc.localDescription.sdp,
    headers: {'Content-Type': 'application/sdp', 'Authorization': 'Bearer ' + token}});
  await pc.setRemoteDescription({type: 'answer', sdp: await answer.text()});
  return {status: answer.status, location: answer.headers.get('Location'), etag: answer.headers.get('ETag')};
}"""
WATCH = """async ({url, token}) => {
  const pc = window.pc = new RTCPeerConnection();
  const video = window.video = document.createElement('video');
  video.autoplay = video.muted = true;
  document.body.append(video);
  pc.ontrack = event => { video.srcObject = event.streams[0] ?? new MediaStream([event.track]); };
  for (const kind of ['video', 'audio']) pc.addTransceiver(kind, {direction: 'recvonly'});
  await pc.setLocalDescription(await pc.createOffer());
  const answer = await fetch(url, {method: 'POST', body: pc.localDescription.sdp,
    headers: {'Content-Type': 'application/sdp', 'Authorization': 'Bearer ' + token}});
  await pc.setRemoteDescription({type: 'answer', sdp: await answer.text()});
  return {status: answer.status, location: answer.headers.get('Location')};
}"""
RECEIVED = """async () => {
  const found = {};
  (await pc.getStats()).forEach(each => {
    if (each.type === 'inbound-rtp') found[each.kind] = each.framesDecoded ?? each.totalSamplesReceived;
  });
  return found;
}"""
RESTART = """async ({url, token, etag}) => {
  await pc.setLocalDescription(await pc.createOffer({iceRestart: true}));
  const lines = pc.localDescription.sdp.split('\\r\\n');
  const pick = name => lines.find(line => line.startsWith('a=' + name));
  const body = [pick('ice-ufrag'), pick('ice-pwd')].join('\\r\\n') + '\\r\\n';
  const answer = await fetch(url, {method: 'PATCH', body, headers: {'If-Match': etag,
    'Content-Type': 'application/trickle-ice-sdpfrag', 'Authorization': 'Bearer ' + token}});
  const ours = (await answer.text()).split('\\r\\n');
  const theirs = name => ours.find(line => line.startsWith('a=' + name));
  const sdp = pc.remoteDescription.sdp
    .replace(/a=ice-ufrag:.*/g, theirs('ice-ufrag')).replace(/a=ice-pwd:.*/g, theirs('ice-pwd'));
  await pc.setRemoteDescription({type: 'answer', sdp});
  return answer.status;
}"""
HANG_UP = """async ({url, token}) =>
  (await fetch(url, {method: 'DELETE', headers: {'Authorization': 'Bearer ' + token}})).status"""


@asynccontextmanager
async def elsewhere() -> AsyncIterator[str]:
    """An empty page of another origin."""

    async def empty(_: web.Request) -> web.Response:
        return web.Response(text="<body></body>", content_type="text/html")

    app = web.Application()
    app.router.add_get("/", empty)
    async with TestServer(app) as server:
        yield f"http://localhost:{server.port}/"


async def test_a_plain_page_publishes_watches_restarts_ice_and_hangs_up(installation: OwnServer) -> None:
    async with holding(installation) as held, browser() as chromium:
        doors = await start_lesson(held)
        whip, whep = (headers["Authorization"].split()[1] for headers in (doors.publish, doors.watch))
        async with elsewhere() as origin:
            publisher, viewer = await chromium.new_page(), await chromium.new_page()
            for page in (publisher, viewer):
                await page.goto(origin)
        sent = await publisher.evaluate(PUBLISH, {"url": doors.whip, "token": whip})
        assert sent["status"] == 201
        assert sent["etag"]
        watched = await viewer.evaluate(WATCH, {"url": doors.whep, "token": whep})
        assert watched["status"] == 201

        async def receives(frames: int) -> None:
            received: dict[str, int] = {}
            try:
                async with asyncio.timeout(15):
                    while received.get("video", 0) < frames or received.get("audio", 0) < 1:
                        received = await viewer.evaluate(RECEIVED)
                        await asyncio.sleep(0.1)
            except TimeoutError:
                pytest.fail(f"the viewer received {json.dumps(received)}")

        await receives(frames=10)
        session = held.server.url + sent["location"]
        asked = {"url": session, "token": whip, "etag": "*"}
        assert await publisher.evaluate(RESTART, asked) == 200
        before = (await viewer.evaluate(RECEIVED))["video"]
        await receives(frames=before + 40)
        assert await publisher.evaluate("pc.iceConnectionState") in ("connected", "completed")
        assert await publisher.evaluate(HANG_UP, {"url": session, "token": whip}) == 200
        watching = held.server.url + watched["location"]
        assert await viewer.evaluate(HANG_UP, {"url": watching, "token": whep}) == 200

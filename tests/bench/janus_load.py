"""The same load on Janus' VideoRoom and on our worker, in one run on one machine: `make bench-janus`.

Needs Debian's `janus` (apt-get install janus). It is started with a configuration of its own on a free
port. One publisher sends H.264-shaped RTP of 1.15 kB through a real WebRTC connection (aiortc) and
real WebRTC connections receive it; these neither decrypt nor decode, so that the machine's time goes
to the server. `us_per_forward` is the server process' whole CPU time over the packets which reached viewers.

    python tests/bench/janus_load.py --viewers 40 --seconds 10 --pps 250
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import shutil
import socket
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pylibsrtp
from aiortc import RTCConfiguration, RTCPeerConnection, RTCRtpSender, RTCSessionDescription
from aiortc.mediastreams import VideoStreamTrack
from aiortc.rtcdtlstransport import RTCDtlsTransport

from server.drill.bench_relay import Load, bench_relay, cpu_seconds
from server.drill.own_server import free_port
from server.drill.rtp import FrameShape, H264Stream

CONFIGURATION = {
    "janus.jcfg": 'general: {{ admin_secret = "{port}" }}\n',
    "janus.transport.http.jcfg": (
        'general: {{ json = "compact", http = true, port = {port}, ip = "127.0.0.1", https = false }}\n'
        "admin: {{ admin_http = false }}\n"
    ),
    "janus.plugin.videoroom.jcfg": "general: {{ }}\n",
}
CONNECT_TIMEOUT_S = 20.0


class Counted:
    """Stands in for SRTP at the viewers: every packet is counted, none is decrypted."""

    packets = 0

    def unprotect(self, data: bytes) -> bytes:
        Counted.packets += 1
        raise pylibsrtp.Error("not wanted")

    def unprotect_rtcp(self, data: bytes) -> bytes:
        raise pylibsrtp.Error("not wanted")


class Handle:
    """One Janus session with one VideoRoom handle, over HTTP with long polling."""

    def __init__(self, http: aiohttp.ClientSession, url: str) -> None:
        self._http, self._url = http, url
        self._events: asyncio.Queue[dict[str, Any]] = asyncio.Queue(16)
        self._session = self._id = 0

    async def open(self, polls: asyncio.TaskGroup) -> Handle:
        self._session = (await self._post("", janus="create"))["data"]["id"]
        polls.create_task(self._poll(), name="janus events")
        attached = await self._post(f"/{self._session}", janus="attach", plugin="janus.plugin.videoroom")
        self._id = attached["data"]["id"]
        return self

    async def ask(self, sdp: RTCSessionDescription | None = None, **body: object) -> dict[str, Any]:
        jsep = {"jsep": {"type": sdp.type, "sdp": sdp.sdp}} if sdp else {}
        reply = await self._post(f"/{self._session}/{self._id}", janus="message", body=body, **jsep)
        async with asyncio.timeout(CONNECT_TIMEOUT_S):
            return await self._events.get() if reply["janus"] == "ack" else reply

    async def _post(self, path: str, **body: object) -> dict[str, Any]:
        body["transaction"] = f"{random.random()}"
        async with self._http.post(self._url + path, json=body) as reply:
            return dict(await reply.json())

    async def _poll(self) -> None:
        while True:
            async with self._http.get(f"{self._url}/{self._session}?maxev=10") as reply:
                events = await reply.json()
            for event in events if isinstance(events, list) else [events]:
                if event.get("janus") == "event":
                    await self._events.put(event)


def write_configuration(folder: Path, port: int) -> None:
    for file, text in CONFIGURATION.items():
        (folder / file).write_text(text.format(port=port))


@asynccontextmanager
async def janus() -> AsyncIterator[tuple[int, str]]:
    """A Janus of our own: its process and its address."""
    with tempfile.TemporaryDirectory(prefix="lianke-janus-") as name:
        port = free_port(socket.SOCK_STREAM)
        write_configuration(Path(name), port)
        quiet = asyncio.subprocess.DEVNULL
        process = await asyncio.create_subprocess_exec(
            "janus", "-F", name, "-o", "-d", "2", stdin=quiet, stdout=quiet, stderr=quiet
        )
        try:
            yield process.pid, f"http://127.0.0.1:{port}/janus"
        finally:
            process.kill()
            await process.wait()


async def until_connected(pc: RTCPeerConnection) -> None:
    there = asyncio.Event()
    pc.add_listener("connectionstatechange", lambda: pc.connectionState == "connected" and there.set())
    async with asyncio.timeout(CONNECT_TIMEOUT_S):
        if pc.connectionState != "connected":
            await there.wait()


async def publish(handle: Handle, room: int) -> tuple[RTCPeerConnection, int]:
    pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    transceiver = pc.addTransceiver(VideoStreamTrack(), direction="sendonly")
    codecs = RTCRtpSender.getCapabilities("video").codecs
    transceiver.setCodecPreferences([codec for codec in codecs if codec.mimeType == "video/H264"])
    await pc.setLocalDescription(await pc.createOffer())
    await handle.ask(request="create", room=room, publishers=2, videocodec="h264", bitrate=0)
    joined = await handle.ask(request="join", room=room, ptype="publisher")
    answer = await handle.ask(pc.localDescription, request="publish")
    # The bench sends packets of its own: the track must never reach an encoder.
    transceiver.sender.replaceTrack(None)
    await pc.setRemoteDescription(RTCSessionDescription(answer["jsep"]["sdp"], "answer"))
    await until_connected(pc)
    return pc, joined["plugindata"]["data"]["id"]


async def view(handle: Handle, room: int, feed: int) -> RTCPeerConnection:
    offer = await handle.ask(request="join", room=room, ptype="subscriber", streams=[{"feed": feed}])
    pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    await pc.setRemoteDescription(RTCSessionDescription(offer["jsep"]["sdp"], "offer"))
    await pc.setLocalDescription(await pc.createAnswer())
    await handle.ask(pc.localDescription, request="start", room=room)
    await until_connected(pc)
    for transceiver in pc.getTransceivers():
        transceiver.receiver.transport._rx_srtp = Counted()
    return pc


async def send(pc: RTCPeerConnection, seconds: float, pps: int) -> int:
    (transceiver,) = pc.getTransceivers()
    transport: RTCDtlsTransport = transceiver.sender.transport
    stream = H264Stream(
        transceiver.sender._ssrc, transceiver._codecs[0].payloadType, FrameShape(max(pps // 25, 1)),
        (transceiver.mid or "0").encode(), 1,
    )  # fmt: skip
    begun = time.monotonic()
    for frame in range(int(seconds * 25)):
        await asyncio.sleep(max(begun + frame / 25 - time.monotonic(), 0))
        for _ in range(stream.shape.packets):
            await transport._send_rtp(stream.packet(time.time_ns()))
    return stream.index


async def load_janus(viewers: int, seconds: float, pps: int) -> dict[str, object]:
    room = random.randint(1000, 999_999)
    async with janus() as (pid, url), aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http:
        await until_answering(http, url)
        async with asyncio.TaskGroup() as polls:
            publisher, feed = await publish(await Handle(http, url).open(polls), room)
            watching = []
            for first in range(0, viewers, 5):
                several = [Handle(http, url).open(polls) for _ in range(min(5, viewers - first))]
                handles = await asyncio.gather(*several)
                watching += await asyncio.gather(*(view(handle, room, feed) for handle in handles))
            await asyncio.sleep(1)
            arrived, cpu = Counted.packets, cpu_seconds(pid)
            sent = await send(publisher, seconds, pps)
            await asyncio.sleep(0.4)
            arrived, cpu = Counted.packets - arrived, cpu_seconds(pid) - cpu
            for pc in (publisher, *watching):
                await pc.close()
            for task in asyncio.all_tasks():
                if task.get_name() == "janus events":
                    task.cancel()
    return {
        "viewers": viewers,
        "sent": sent,
        "forwarded": arrived,
        "lost": sent * viewers - arrived,
        "server_cpu_s": round(cpu, 3),
        "us_per_forward": round(cpu / max(arrived, 1) * 1e6, 2),
    }


async def until_answering(http: aiohttp.ClientSession, url: str) -> None:
    for _ in range(100):
        try:
            async with http.get(f"{url}/info") as reply:
                if reply.status == 200:
                    return
        except aiohttp.ClientError:
            await asyncio.sleep(0.1)  # it is still starting
    raise SystemExit("janus does not answer")


async def main(viewers: int, seconds: float, pps: int) -> None:
    ours = msgspec.to_builtins(await bench_relay(Load(viewers, seconds, pps)))
    print(json.dumps({"ours": ours}), flush=True)
    theirs = await load_janus(viewers, seconds, pps)
    print(json.dumps({"janus": theirs}), flush=True)
    print(json.dumps({"ratio": round(float(str(theirs["us_per_forward"])) / ours["us_per_forward"], 1)}))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--viewers", type=int, default=40)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--pps", type=int, default=250)
    args = parser.parse_args()
    if shutil.which("janus") is None:
        raise SystemExit("janus is not installed: apt-get install janus")
    asyncio.run(main(args.viewers, args.seconds, args.pps))

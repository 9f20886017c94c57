"""Many WebRTC viewers of one broadcast, the whole road: `python -m tests.bench.broadcast_viewers`.

A whole installation, one studio (aiortc: picture and voice), one media worker; the viewers are a process of
their own. Each opens the broadcast's link as its page does (WebSocket, hello, the answer to the offer, pings)
and has a connection of its own with real ICE, DTLS and SRTP; a few decrypt everything. `lost` is what is
missing between each stream's first and last sequence number while it was counted. `first_ms`: from hello to
the first packet of media. With `--again` all are then cut off at one moment, without a goodbye, and all
knock again at one moment: `back_s` is when the last one has media again.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import resource
import sys
import time
from dataclasses import dataclass, field

import aiohttp
import msgspec
import numpy as np
import pylibsrtp
import uvloop
from aiortc.rtcdtlstransport import RTCCertificate

from server.drill.bench_relay import cpu_seconds
from server.drill.own_server import own_server
from server.drill.rtp import is_rtcp
from server.ingest.peer import CONSENT_EVERY_S, LightPeer
from server.protocol import messages as m
from server.protocol.parameters import Candidate, Fingerprint, LocalTransport
from tests.peers.lessons import holding, start, view

NAP_S = 0.004
SAMPLED_EVERY = 50
JOIN_EVERY_S = 0.05
PING_EVERY_S = 2.0

_decoder: msgspec.json.Decoder[m.FromServer] = msgspec.json.Decoder(m.FromServer)


class Found(msgspec.Struct, frozen=True):
    viewers: int
    packets: int
    lost: int
    undecrypted: int
    first_p50_ms: float
    first_p99_ms: float
    back_p50_s: float = 0.0
    back_s: float = 0.0


@dataclass
class Stream:
    """One SSRC's extended sequence numbers."""

    first: int
    highest: int
    seen: set[int] = field(default_factory=set)

    def count(self, sequence: int) -> None:
        ahead = (sequence - self.highest + 0x8000 & 0xFFFF) - 0x8000
        extended = self.highest + ahead
        self.highest = max(self.highest, extended)
        if extended >= self.first:
            self.seen.add(extended)

    @property
    def lost(self) -> int:
        return self.highest - self.first + 1 - len(self.seen)


class Viewer:
    def __init__(self, certificate: RTCCertificate, decrypts: bool) -> None:
        self.peer = LightPeer(certificate)
        self.streams: dict[int, Stream] = {}
        self.first_ms: float | None = None
        self.undecrypted = 0
        self.connected = False
        self.counting = False
        self._decrypts = decrypts
        self._consent_due = 0.0
        self._buffer = bytearray(2048)

    async def watch(self, http: aiohttp.ClientSession, url: str, token: str) -> None:
        """Be there until cancelled."""
        began = time.monotonic()
        async with http.ws_connect(url) as socket:
            await socket.send_str(msgspec.json.encode(m.Hello(token=token)).decode())
            pinging: asyncio.Task[None] | None = None
            try:
                async for message in socket:
                    told = _decoder.decode(message.data)
                    if isinstance(told, m.Refused):
                        raise RuntimeError(told.code)
                    if isinstance(told, m.Welcome):
                        pinging = asyncio.create_task(self._ping(socket))
                    if isinstance(told, m.OfferDown):
                        await self._answer(socket, told)
                        self._began = began
            finally:
                if pinging is not None:
                    pinging.cancel()

    async def _ping(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        while True:
            await asyncio.sleep(PING_EVERY_S)
            await socket.send_str('{"type":"ping","at":1}')

    async def _answer(self, socket: aiohttp.ClientWebSocketResponse, offer: m.OfferDown) -> None:
        text = answer_of(offer.sdp, self.peer)
        await socket.send_str(msgspec.json.encode(m.AnswerDown(offer.connection, offer.offer, text)).decode())
        await self.peer.connect(transport_of(offer.sdp), timeout_s=30)
        self.connected = True

    def drain(self, now: float) -> None:
        """Everything that waits on the socket; consent when it is due."""
        if now >= self._consent_due:
            self._consent_due = now + CONSENT_EVERY_S
            self.peer.socket.send(self.peer.consent())
        try:
            while True:
                size = self.peer.socket.recv_into(self._buffer)
                if size > 12 and self._buffer[0] >> 6 == 2 and not is_rtcp(self._buffer):
                    self._packet(size, now)
        except BlockingIOError:
            return

    def _packet(self, size: int, now: float) -> None:
        if self.first_ms is None:
            self.first_ms = 1000 * (now - self._began)
        if not self.counting:
            return
        data = self._buffer
        ssrc, sequence = int.from_bytes(data[8:12], "big"), data[2] << 8 | data[3]
        self.streams.setdefault(ssrc, Stream(sequence, sequence)).count(sequence)
        if self._decrypts:
            try:
                self.peer.inbound.unprotect(bytes(data[:size]))
            except pylibsrtp.Error:
                self.undecrypted += 1


def transport_of(sdp: str) -> LocalTransport:
    """The worker's side, out of the offer."""

    def one(pattern: str) -> str:
        found = re.search(pattern, sdp)
        assert found is not None, pattern
        return found[1]

    address, port = re.findall(r"a=candidate:\S+ 1 udp \d+ (\S+) (\d+)", sdp, re.IGNORECASE)[0]
    return LocalTransport(
        ufrag=one(r"a=ice-ufrag:(\S+)"),
        pwd=one(r"a=ice-pwd:(\S+)"),
        fingerprints=[Fingerprint("sha-256", one(r"a=fingerprint:sha-256 (\S+)"))],
        candidates=[Candidate(address, int(port))],
    )


def answer_of(sdp: str, peer: LightPeer) -> str:
    """Take everything that is offered."""
    ours = peer.parameters()
    out = []
    for line in sdp.splitlines():
        if line.startswith(("a=candidate", "a=end-of", "a=ice-lite", "a=ssrc", "a=msid")):
            continue
        line = re.sub("^a=ice-ufrag:.*", f"a=ice-ufrag:{ours.ufrag}", line)
        line = re.sub("^a=ice-pwd:.*", f"a=ice-pwd:{ours.pwd}", line)
        line = re.sub("^a=fingerprint:.*", f"a=fingerprint:sha-256 {ours.fingerprints[0].value}", line)
        out.append(line.replace("a=sendonly", "a=recvonly").replace("a=setup:actpass", "a=setup:active"))
    return "\r\n".join(out) + "\r\n"


async def _all_have_media(viewers: list[Viewer], tasks: list[asyncio.Task[None]]) -> None:
    async with asyncio.timeout(60):
        while any(viewer.first_ms is None for viewer in viewers):
            for task in tasks:
                if task.done():
                    task.result()
            await asyncio.sleep(0.1)


async def _back_at_once(url: str, token: str, count: int) -> tuple[float, float]:
    """All knock at one moment: seconds until half, and until every one of them has media."""
    certificate = RTCCertificate.generateCertificate()
    viewers = [Viewer(certificate, False) for _ in range(count)]
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http:
        tasks = [asyncio.create_task(viewer.watch(http, url, token)) for viewer in viewers]
        draining = asyncio.create_task(_drain(viewers))
        try:
            await _all_have_media(viewers, tasks)
        finally:
            for task in (*tasks, draining):
                task.cancel()
            await asyncio.gather(*tasks, draining, return_exceptions=True)
    times = [viewer.first_ms or 0 for viewer in viewers]
    return round(float(np.median(times)) / 1000, 2), round(max(times) / 1000, 2)


async def _viewers(url: str, token: str, count: int, seconds: float, again: bool) -> Found:
    certificate = RTCCertificate.generateCertificate()
    viewers = [Viewer(certificate, k % SAMPLED_EVERY == 0) for k in range(count)]
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http:
        tasks = []
        draining = asyncio.create_task(_drain(viewers))
        for viewer in viewers:
            tasks.append(asyncio.create_task(viewer.watch(http, url, token)))
            await asyncio.sleep(JOIN_EVERY_S)
        await _all_have_media(viewers, tasks)
        print("joined", flush=True)
        await asyncio.sleep(2)
        for viewer in viewers:
            viewer.counting = True
        await asyncio.sleep(seconds)
        for viewer in viewers:
            viewer.counting = False
        for task in (*tasks, draining):
            task.cancel()
        await asyncio.gather(*tasks, draining, return_exceptions=True)
    back = await _back_at_once(url, token, count) if again else (0.0, 0.0)
    first = np.quantile([viewer.first_ms or 0 for viewer in viewers], [0.5, 0.99])
    streams = [stream for viewer in viewers for stream in viewer.streams.values()]
    return Found(
        viewers=count,
        packets=sum(len(stream.seen) for stream in streams),
        lost=sum(stream.lost for stream in streams),
        undecrypted=sum(viewer.undecrypted for viewer in viewers),
        first_p50_ms=round(float(first[0])),
        first_p99_ms=round(float(first[1])),
        back_p50_s=back[0],
        back_s=back[1],
    )


async def _drain(viewers: list[Viewer]) -> None:
    while True:
        now = time.monotonic()
        for viewer in viewers:
            if viewer.connected:
                viewer.drain(now)
        await asyncio.sleep(NAP_S)


async def _bench(count: int, seconds: float, again: bool) -> None:
    places = f"[broadcast]\nwebrtc_viewers = {count}\nviewers = {3 * count}"
    async with own_server(extra=places) as server, holding(server) as held:
        studio, _ = await start(held, rooms=1)
        lesson = view(studio).id
        bearer = {"Authorization": f"Bearer {held.demo.studio.token}"}
        link = f"{server.url}/api/v1/lessons/{lesson}/watch-link"
        async with held.http.post(link, json={}, headers=bearer) as made:
            token = (await made.json())["url"].partition("#token=")[2]
        command = (sys.executable, "-m", "tests.bench.broadcast_viewers", "--viewers", str(count),
                   "--seconds", str(seconds), "--url", f"{server.url}/ws", "--token", token,
                   *(["--again"] if again else []))  # fmt: skip
        child = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
        assert child.stdout is not None
        await child.stdout.readline()
        joined = time.monotonic()
        try:
            await studio.until(lambda: view(studio).watched == count, 10)
        except TimeoutError:
            raise RuntimeError(f"{view(studio).watched} of {count} are listed") from None
        listed_ms = 1000 * (time.monotonic() - joined)
        print(f"all {count} listed {listed_ms:.0f} ms after the last one's first packet")
        pids = {"campus": server.child("campus"), "worker": server.child("w0")}
        before = {name: cpu_seconds(pid) for name, pid in pids.items()}
        found = msgspec.json.decode(await child.stdout.readline(), type=Found)
        print(msgspec.json.encode(found).decode())
        for name, pid in pids.items():
            print(f"{name}: {cpu_seconds(pid) - before[name]:.1f} s of CPU in {seconds + 2:.0f} s")
        await child.wait()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--viewers", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=15)
    parser.add_argument("--again", action="store_true", help="cut all off at once, and all come back at once")
    parser.add_argument("--url", default="", help=argparse.SUPPRESS)
    parser.add_argument("--token", default="", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    if arguments.url:
        wanted = (arguments.url, arguments.token, arguments.viewers, arguments.seconds, arguments.again)
        found = uvloop.run(_viewers(*wanted))
        print(msgspec.json.encode(found).decode(), flush=True)
    else:
        asyncio.run(_bench(arguments.viewers, arguments.seconds, arguments.again))


if __name__ == "__main__":
    main()

"""A source's way into a media worker: one connection like any browser's.

The worker knows no difference between a box and a page. The pacing threads send packets; the event loop
keeps the connection (checks, consent) and hears what the worker asks for.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from aiortc.rtcdtlstransport import RTCCertificate
from pylibsrtp import Error as SrtpError

from server.ingest.peer import CONSENT_EVERY_S, LightPeer
from server.ingest.rtp import RtpStream
from server.ingest.timing import ntp_of
from server.media.relay.relay import Sender
from server.protocol.parameters import LocalTransport

CONNECT_S = 5.0
MOST_DATAGRAM = 2_048
_PSFB, _FIR, _PLI = 206, 4, 1


@dataclass(slots=True)
class Publisher:
    """One source's connection. Its sending is for any thread, the rest for the loop."""

    cname: bytes
    want_keyframe: Callable[[], None]
    lost: int = 0  # packets the kernel did not take
    _peer: LightPeer | None = None
    _sender: Sender | None = None  # over the peer's socket
    _turn: threading.Lock = field(default_factory=threading.Lock)  # while the connection is exchanged

    async def connect(
        self, certificate: RTCCertificate, ufrag: str, pwd: str, theirs: LocalTransport
    ) -> None:
        """A new connection to a worker, in place of the one before. ConnectFailed, OSError."""
        peer = LightPeer(certificate, ufrag=ufrag, pwd=pwd)
        try:
            await peer.connect(theirs, CONNECT_S)
        except BaseException:
            peer.close()
            raise
        with self._turn:
            old, self._peer = self._peer, peer
            self._sender = Sender(peer.socket.fileno(), peer.outbound)
        if old is not None:
            old.close()
        self.want_keyframe()

    def close(self) -> None:
        with self._turn:
            peer, self._peer, self._sender = self._peer, None, None
        if peer is not None:
            peer.close()

    async def keep(self) -> None:
        """Say every CONSENT_EVERY_S that we are still here, and hear what the worker asks for; until the
        connection is closed or exchanged."""
        peer = self._peer
        if peer is None:
            return
        loop = asyncio.get_running_loop()
        loop.add_reader(peer.socket, self._hear, peer)
        try:
            while self._peer is peer:
                await loop.sock_sendall(peer.socket, peer.consent())
                await asyncio.sleep(CONSENT_EVERY_S)
        finally:
            loop.remove_reader(peer.socket)

    def send_reports(self, streams: Iterable[RtpStream], media: float) -> None:
        """Sender reports of streams whose media time is this now."""
        ntp = ntp_of(time.time())
        with self._turn:
            if self._peer is None:
                return
            for stream in streams:
                if stream.packets:
                    report = stream.report(ntp, round(media * stream.rate), self.cname)
                    self._put(self._peer, self._peer.outbound.protect_rtcp(report))

    def send(self, packets: list[bytes]) -> None:
        """RTP packets of any of its streams. What the kernel does not take is lost and counted: the worker
        went, and campus connects us anew, or its buffer is full."""
        with self._turn:
            if self._sender is not None:
                self.lost += self._sender.send(packets)

    def _put(self, peer: LightPeer, data: bytes) -> None:
        try:
            peer.socket.send(data)
        except OSError:  # the worker went, or its buffer is full: campus connects us anew
            self.lost += 1

    def _hear(self, peer: LightPeer) -> None:
        """RTCP from the worker: a keyframe is all that it can ask of us."""
        for _ in range(64):
            try:
                data = peer.socket.recv(MOST_DATAGRAM)
            except OSError:
                return
            if len(data) < 8 or not 192 <= data[1] <= 223:
                continue
            try:
                if asks_keyframe(peer.inbound.unprotect_rtcp(data)):
                    self.want_keyframe()
            except SrtpError:
                continue


def asks_keyframe(compound: bytes) -> bool:
    """Whether a compound RTCP packet holds a PLI or FIR (RFC 4585, 6.3.1; RFC 5104, 4.3.1)."""
    at = 0
    while at + 4 <= len(compound):
        if compound[at + 1] == _PSFB and compound[at] & 31 in (_PLI, _FIR):
            return True
        at += 4 * (int.from_bytes(compound[at + 2 : at + 4], "big") + 1)
    return False

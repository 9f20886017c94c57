"""The two ends of a load on a media worker, each a process of its own.

`python -m server.drill.load send` and `... receive`: JSON lines on standard input and output, one
`Assignment` in, `Ready` out when every connection stands, then `Go` in and `Result` out. The receiving
end keeps awake only now and then and lets the kernel date its packets, so that it costs little and its
own lateness is in no figure.
"""

from __future__ import annotations

import asyncio
import select
import socket
import struct
import sys
import time
from typing import TypeVar

import msgspec
import numpy as np
from aiortc.rtcdtlstransport import RTCCertificate

from server.drill.rtp import FrameShape, H264Stream, is_rtcp, read_sent, receiver_report
from server.ingest.peer import CONSENT_EVERY_S, LightPeer, Profile, connect_all
from server.protocol.parameters import LocalTransport, RemoteTransport

PAYLOAD_TYPE, RTX_PAYLOAD_TYPE = 102, 103
MID_ID, ABS_SEND_TIME_ID, TRANSPORT_CC_ID = 1, 2, 3
MID = "0"
UP_SSRC = 0x0BEE0001
FIRST_DOWN_SSRC = 0x0D000000

_SO_TIMESTAMPNS = 35
_TIMESPEC = struct.Struct("@ll")
_NAP_S = 0.004
_TAIL_S = 0.4  # how long after the last packet one is waited for

T = TypeVar("T")


class Assignment(msgspec.Struct, frozen=True):
    """How many connections to make, and what for. `sampled`: viewers that decrypt everything."""

    count: int
    profile: Profile
    pps: int
    seconds: float
    bursts: bool = False
    sampled: int = 4


class Parameters(msgspec.Struct, frozen=True):
    """This end's side of each connection."""

    remotes: list[RemoteTransport]


class Transports(msgspec.Struct, frozen=True):
    """The worker's side of each connection, and the SSRC each viewer is to receive."""

    locals: list[LocalTransport]
    ssrcs: list[int] = []


class Ready(msgspec.Struct, frozen=True):
    """Every connection stands."""

    connected: int


class Go(msgspec.Struct, frozen=True):
    """Begin (sender); stop and tell (receiver)."""


class Result(msgspec.Struct, frozen=True):
    """`packets` sent or received (each once); `relay_ms`: quantiles 50 and 99 of the sampled viewers;
    `broken`: sampled packets that did not decrypt or were not what was sent."""

    packets: int
    relay_ms: tuple[float, float] = (0.0, 0.0)
    broken: int = 0
    asked: int = 0


def _hear(kind: type[T]) -> T:
    line = sys.stdin.buffer.readline()
    if not line:
        raise SystemExit(1)  # whoever started us is gone
    return msgspec.json.decode(line, type=kind)


def _say(message: msgspec.Struct) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(message) + b"\n")
    sys.stdout.buffer.flush()


def connected_peers(assignment: Assignment) -> tuple[list[LightPeer], list[int]]:
    """Tell our sides, hear theirs, connect; the peers and their SSRCs."""
    certificate = RTCCertificate.generateCertificate()
    peers = [LightPeer(certificate, assignment.profile) for _ in range(assignment.count)]
    _say(Parameters([peer.parameters() for peer in peers]))
    transports = _hear(Transports)
    asyncio.run(connect_all(peers, transports.locals))
    _say(Ready(len(peers)))
    return peers, transports.ssrcs


def send(assignment: Assignment) -> None:
    """One publisher: `pps` packets a second, evenly or in bursts of a frame."""
    (peer,), _ = connected_peers(assignment)
    shape = FrameShape(max(assignment.pps // 25, 1))
    stream = H264Stream(UP_SSRC, PAYLOAD_TYPE, shape, MID.encode(), MID_ID, TRANSPORT_CC_ID)
    _hear(Go)
    begun = time.monotonic()
    consent_due = begun
    asked = 0
    for index in range(int(assignment.seconds * 25) * shape.packets):
        place = index // shape.packets * shape.packets if assignment.bursts else index
        late = begun + place / (shape.packets * 25) - time.monotonic()
        if late > 0:
            time.sleep(late)
            asked += _read_feedback(peer, stream)
        if time.monotonic() >= consent_due:
            peer.socket.send(peer.consent())
            consent_due += CONSENT_EVERY_S
        peer.socket.send(peer.outbound.protect(stream.packet(time.time_ns())))
    _say(Result(stream.index, asked=asked))


def _read_feedback(peer: LightPeer, stream: H264Stream) -> int:
    """Drain what came back; a request for a keyframe (PLI or FIR) is followed. How many there were."""
    asked = 0
    while True:
        try:
            datagram = peer.socket.recv(2048)
        except BlockingIOError:
            return asked
        if datagram[0] >> 6 == 2 and is_rtcp(datagram):
            blocks = peer.inbound.unprotect_rtcp(datagram)
            while len(blocks) >= 4:
                if blocks[1] == 206 and blocks[0] & 31 in (1, 4):
                    stream.keyframe_soon = True
                    asked += 1
                blocks = blocks[4 * (int.from_bytes(blocks[2:4], "big") + 1) :]


class Viewer:
    """Counts one connection's packets; a sampled one decrypts and times them."""

    def __init__(self, peer: LightPeer, ssrc: int, sampled: bool) -> None:
        self.peer, self.sampled = peer, sampled
        self.seen: set[int] = set()
        self.delays_ns: list[int] = []
        self.broken = 0
        self._ssrc, self._wanted = ssrc, ssrc.to_bytes(4, "big")
        self._highest = 0
        self._consent_due = 0.0
        self._buffer = bytearray(2048)
        if sampled:
            peer.socket.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)

    def drain(self) -> None:
        """Everything that waits on the socket."""
        try:
            while True:
                if self.sampled:
                    self._read_one()
                elif self.peer.socket.recv_into(self._buffer) > 12:
                    self._count(self._buffer)
        except (BlockingIOError, ConnectionRefusedError):
            return

    def report(self, now: float) -> None:
        """What a browser sends: a receiver report each second, and now and then consent."""
        if now >= self._consent_due:
            self._consent_due = now + CONSENT_EVERY_S
            self.peer.socket.send(self.peer.consent())
        if self.seen:
            block = receiver_report(1, self._ssrc, self._highest)
            self.peer.socket.send(self.peer.outbound.protect_rtcp(block))

    def _count(self, datagram: bytes | bytearray) -> bool:
        if datagram[0] >> 6 != 2 or is_rtcp(datagram) or datagram[8:12] != self._wanted:
            return False
        sequence = datagram[2] << 8 | datagram[3]
        ahead = (sequence - self._highest + 0x8000 & 0xFFFF) - 0x8000 if self.seen else 0
        extended = self._highest + ahead if self.seen else sequence
        self._highest = max(self._highest, extended)
        self.seen.add(extended)
        return True

    def _read_one(self) -> None:
        datagram, ancillary, _, _ = self.peer.socket.recvmsg(2048, 64)
        if not self._count(datagram):
            return
        seconds, rest = _TIMESPEC.unpack(ancillary[0][2][: _TIMESPEC.size])
        sent = read_sent(self.peer.inbound.unprotect(datagram))
        delay = seconds * 1_000_000_000 + rest - sent.at_ns
        if 0 <= delay < 60_000_000_000:
            self.delays_ns.append(delay)
        else:
            self.broken += 1


def receive(assignment: Assignment) -> None:
    """All viewers, until told to stop."""
    peers, ssrcs = connected_peers(assignment)
    sampled = {
        int(k) for k in np.linspace(0, assignment.count - 1, min(assignment.sampled, assignment.count))
    }
    viewers = [
        Viewer(peer, ssrc, k in sampled) for k, (peer, ssrc) in enumerate(zip(peers, ssrcs, strict=True))
    ]
    stop = select.poll()
    stop.register(sys.stdin.fileno(), select.POLLIN | select.POLLHUP)
    report_due, turn = time.monotonic(), 0
    ends: float | None = None
    while ends is None or time.monotonic() < ends:
        time.sleep(_NAP_S)
        for viewer in viewers:
            viewer.drain()
        while time.monotonic() >= report_due:  # each once a second, not all at once
            viewers[turn % len(viewers)].report(time.monotonic())
            turn, report_due = turn + 1, report_due + 1 / len(viewers)
        if ends is None and stop.poll(0):
            _hear(Go)
            ends = time.monotonic() + _TAIL_S
    delays = [delay for viewer in viewers for delay in viewer.delays_ns]
    quantiles = np.quantile(delays, [0.5, 0.99]) / 1e6 if delays else np.zeros(2)
    median, high = (round(float(q), 3) for q in quantiles)
    _say(Result(sum(len(v.seen) for v in viewers), (median, high), sum(v.broken for v in viewers)))


if __name__ == "__main__":
    {"send": send, "receive": receive}[sys.argv[1]](_hear(Assignment))

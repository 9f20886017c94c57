"""The two ends of a load on a media worker, each a process of its own.

`python -m server.drill.load send` and `... receive`: JSON lines on standard input and output, one
`Assignment` in, `Ready` out when every connection stands, then `Go` in and `Result` out. The receiving
end keeps awake only now and then and lets the kernel date its packets, so that it costs little and its
own lateness is in no figure.
"""

from __future__ import annotations

import asyncio
import itertools
import select
import socket
import struct
import sys
import time
from typing import TypeVar

import msgspec
import numpy as np
from aiortc.rtcdtlstransport import RTCCertificate

from server.drill.rtp import (
    FrameShape,
    H264Stream,
    is_rtcp,
    read_sent,
    receiver_report,
    transport_feedback,
    transport_number,
)
from server.ingest.peer import CONSENT_EVERY_S, LightPeer, Profile, connect_all
from server.protocol.parameters import LocalTransport, RemoteTransport

PAYLOAD_TYPE, RTX_PAYLOAD_TYPE = 102, 103
MID_ID, ABS_SEND_TIME_ID, TRANSPORT_CC_ID, RID_ID = 1, 2, 3, 5
FEEDBACK_A_SECOND = 16
MID = "0"
UP_SSRC = 0x0BEE0001
FIRST_DOWN_SSRC = 0x0D000000

_SO_TIMESTAMPNS = 35
_TIMESPEC = struct.Struct("@ll")
_NAP_S = 0.004
_TAIL_S = 0.4  # how long after the last packet one is waited for

T = TypeVar("T")


class Assignment(msgspec.Struct, frozen=True):
    """How many connections to make, and what for. `sampled`: viewers that decrypt everything; `layers`: of
    the publisher, the highest with `pps`; `feedback`: viewers tell when packets came, 16 times a second, as
    browsers do; `joins_a_second`: connect only after `Go`, at this pace."""

    count: int
    profile: Profile
    pps: int
    seconds: float
    bursts: bool = False
    sampled: int = 4
    layers: int = 1
    feedback: bool = False
    joins_a_second: int = 0


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


def hear(kind: type[T]) -> T:
    """The next message on standard input."""
    line = sys.stdin.buffer.readline()
    if not line:
        raise SystemExit(1)  # whoever started us is gone
    return msgspec.json.decode(line, type=kind)


def tell(message: msgspec.Struct) -> None:
    """One message on standard output."""
    sys.stdout.buffer.write(msgspec.json.encode(message) + b"\n")
    sys.stdout.buffer.flush()


def connected_peers(assignment: Assignment) -> tuple[list[LightPeer], list[int]]:
    """Tell our sides, hear theirs, connect; the peers and their SSRCs."""
    certificate = RTCCertificate.generateCertificate()
    peers = [LightPeer(certificate, assignment.profile) for _ in range(assignment.count)]
    tell(Parameters([peer.parameters() for peer in peers]))
    transports = hear(Transports)
    asyncio.run(connect_all(peers, transports.locals))
    tell(Ready(len(peers)))
    return peers, transports.ssrcs


def send(assignment: Assignment) -> None:
    """One publisher: `pps` packets a second, evenly or in bursts of a frame; lower layers frame by frame."""
    (peer,), _ = connected_peers(assignment)
    *lower, stream = streams_of(assignment)
    shape = stream.shape
    hear(Go)
    begun = time.monotonic()
    consent_due = begun
    asked = 0
    for index in range(int(assignment.seconds * 25) * shape.packets):
        place = index // shape.packets * shape.packets if assignment.bursts else index
        if index % shape.packets == 0:
            for layer in lower:
                for _ in range(layer.shape.packets):
                    peer.socket.send(peer.outbound.protect(layer.packet(time.time_ns())))
        late = begun + place / (shape.packets * 25) - time.monotonic()
        if late > 0:
            time.sleep(late)
            asked += read_feedback(peer, stream)
        if time.monotonic() >= consent_due:
            peer.socket.send(peer.consent())
            consent_due += CONSENT_EVERY_S
        peer.socket.send(peer.outbound.protect(stream.packet(time.time_ns())))
    tell(Result(stream.index, asked=asked))


def rids(layers: int) -> list[str]:
    return ["l", "m", "h"][3 - layers :] if layers > 1 else []


def streams_of(assignment: Assignment) -> list[H264Stream]:
    """The publisher's layers, lowest first, each with a quarter of the packets of the one above it."""
    numbers = itertools.count()
    found = []
    for place in range(assignment.layers):
        share = 4 ** (assignment.layers - 1 - place)
        rid = rids(assignment.layers)[place].encode() if assignment.layers > 1 else b""
        found.append(
            H264Stream(
                UP_SSRC + place,
                PAYLOAD_TYPE,
                FrameShape(max(assignment.pps // 25 // share, 1)),
                MID.encode(),
                MID_ID,
                TRANSPORT_CC_ID,
                layer=(rid, RID_ID) if rid else None,
                transport=numbers,
            )
        )
    return found


def read_feedback(peer: LightPeer, stream: H264Stream) -> int:
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
    """Counts one connection's packets; a sampled one decrypts and times them; one with feedback tells when
    they came."""

    def __init__(self, peer: LightPeer, ssrc: int, sampled: bool, feedback: bool = False) -> None:
        self.peer, self.sampled = peer, sampled
        self.seen: set[int] = set()
        self.delays_ns: list[int] = []
        self.broken = 0
        self._ssrc, self._wanted = ssrc, ssrc.to_bytes(4, "big")
        self._highest = 0
        self._consent_due = 0.0
        self._buffer = bytearray(2048)
        self._dated = sampled or feedback
        self._arrivals: dict[int, int] | None = {} if feedback else None
        self._told = 0
        if self._dated:
            peer.socket.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)

    def drain(self) -> None:
        """Everything that waits on the socket."""
        try:
            while True:
                if self._dated:
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

    def feed_back(self) -> None:
        """Tell of every packet since the last time; all of them came, or the load itself is broken."""
        arrivals, self._arrivals = self._arrivals, {}
        if not arrivals:
            return
        order = sorted(arrivals, key=lambda number: (number - next(iter(arrivals)) + 0x8000) & 0xFFFF)
        for first in range(0, len(order), 200):
            part = order[first : first + 200]
            block = transport_feedback(1, self._ssrc, self._told, part[0], [arrivals[n] for n in part])
            self.peer.socket.send(self.peer.outbound.protect_rtcp(block))
            self._told += 1

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
        if datagram[0] >> 6 != 2 or is_rtcp(datagram):
            return
        seconds, rest = _TIMESPEC.unpack(ancillary[0][2][: _TIMESPEC.size])
        if self._arrivals is not None:
            self._arrivals[transport_number(datagram, TRANSPORT_CC_ID)] = seconds * 1_000_000_000 + rest
        if not self._count(datagram) or not self.sampled:
            return
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
        Viewer(peer, ssrc, k in sampled, assignment.feedback)
        for k, (peer, ssrc) in enumerate(zip(peers, ssrcs, strict=True))
    ]
    stop = select.poll()
    stop.register(sys.stdin.fileno(), select.POLLIN | select.POLLHUP)
    report_due, turn = time.monotonic(), 0
    feedback_due, fed = report_due, 0
    ends: float | None = None
    while ends is None or time.monotonic() < ends:
        time.sleep(_NAP_S)
        for viewer in viewers:
            viewer.drain()
        while time.monotonic() >= report_due:  # each once a second, not all at once
            viewers[turn % len(viewers)].report(time.monotonic())
            turn, report_due = turn + 1, report_due + 1 / len(viewers)
        while assignment.feedback and time.monotonic() >= feedback_due:
            viewers[fed % len(viewers)].feed_back()
            fed, feedback_due = fed + 1, feedback_due + 1 / len(viewers) / FEEDBACK_A_SECOND
        if ends is None and stop.poll(0):
            hear(Go)
            ends = time.monotonic() + _TAIL_S
    delays = [delay for viewer in viewers for delay in viewer.delays_ns]
    quantiles = np.quantile(delays, [0.5, 0.99]) / 1e6 if delays else np.zeros(2)
    median, high = (round(float(q), 3) for q in quantiles)
    tell(Result(sum(len(v.seen) for v in viewers), (median, high), sum(v.broken for v in viewers)))


def join(assignment: Assignment) -> None:
    """Connect one after the other at a pace, from `Go` on; tell how many stand."""
    certificate = RTCCertificate.generateCertificate()
    peers = [LightPeer(certificate, assignment.profile) for _ in range(assignment.count)]
    tell(Parameters([peer.parameters() for peer in peers]))
    transports = hear(Transports)
    tell(Ready(len(peers)))
    hear(Go)

    async def come(place: int) -> None:
        await asyncio.sleep(place / assignment.joins_a_second)
        await peers[place].connect(transports.locals[place])

    async def all_come() -> None:
        async with asyncio.TaskGroup() as group:
            for place in range(len(peers)):
                group.create_task(come(place))

    asyncio.run(all_come())
    tell(Result(len(peers)))


if __name__ == "__main__":
    {"send": send, "receive": receive, "join": join}[sys.argv[1]](hear(Assignment))

"""A county's lessons on this machine: main rooms to their receiving rooms and back, in real SRTP.

    python -m tests.bench.county [--lessons 55] [--rooms 127] [--workers 1] [--seconds 8] [--scale 1.0] [--json]

Each lesson has one main room that sends 500 packets a second (camera, courseware and voice together, frame by
frame, 25 times a second); each of its receiving rooms is sent all of them and sends 50 packets a second of its own
camera back, which the studio is shown. 55 lessons and 127 rooms make some 70,000 packets a second out. `--scale`
multiplies the packets of each frame. A studio or a room is one connection up and one down, as in a lesson.

Processes: the media workers as `lianke serve` starts them, one that sends for everybody, one that receives. All of
them share this machine's cores: where packets are lost or late, see first whose CPU was spent (`cpu` by process,
in cores). `p99_ms` is from just before a packet is encrypted to the kernel's stamp at its receiver.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import select
import sys
import tempfile
import time
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from aiortc.rtcdtlstransport import RTCCertificate

from server.drill import load
from server.drill.bench_relay import Child, Worker, child_process, cpu_seconds, resident_kib
from server.drill.peer import CONSENT_EVERY_S, LightPeer, connect_all
from server.drill.rtp import FrameShape, H264Stream
from server.media import contract
from server.protocol.parameters import Codec, CodecName, DownSlot, Extensions, Kind, RemoteTransport
from server.protocol.parameters import LocalTransport, Source, UpTrack

FPS = 25
MAIN_A_FRAME, BACK_A_FRAME = 20, 2
CODEC = Codec(CodecName.H264, load.PAYLOAD_TYPE, 90_000, nack=True, pli=True)


class Ask(msgspec.Struct, frozen=True):
    """For one end: a connection for each number of packets a frame (sending), or for each list of SSRCs."""

    seconds: float
    frames: list[int] = []
    ssrcs: list[list[int]] = []
    expected: list[int] = []


class Counted(msgspec.Struct, frozen=True):
    packets: int
    cpu_s: float
    late_s: float = 0.0
    quantiles_ms: tuple[float, float] = (0.0, 0.0)


def up_ssrc(publisher: int) -> int:
    return 0x0A000001 + publisher


def connected(count: int) -> list[LightPeer]:
    certificate = RTCCertificate.generateCertificate()
    peers = [LightPeer(certificate) for _ in range(count)]
    load._say(load.Parameters([peer.parameters() for peer in peers]))
    transports = load._hear(load.Transports)
    asyncio.run(connect_all(peers, transports.locals, at_once=4))
    load._say(load.Ready(count))
    return peers


def send(ask: Ask) -> None:
    """Every publisher's frame once in 1 / FPS s, spread evenly over it."""
    peers = connected(len(ask.frames))
    streams = [
        H264Stream(up_ssrc(k), load.PAYLOAD_TYPE, FrameShape(packets), b"0", load.MID_ID, load.TRANSPORT_CC_ID)
        for k, packets in enumerate(ask.frames)
    ]
    load._hear(load.Go)
    began, late_s = time.monotonic(), 0.0
    cpu = time.process_time()
    for turn in range(int(ask.seconds * FPS) * len(peers)):
        frame, k = divmod(turn, len(peers))
        due = began + (frame + k / len(peers)) / FPS
        wait = due - time.monotonic()
        if wait > 0.0005:
            time.sleep(wait)
        late_s = max(late_s, -wait)
        peer, stream = peers[k], streams[k]
        for _ in range(ask.frames[k]):
            peer.socket.send(peer.outbound.protect(stream.packet(time.time_ns())))
        if frame % int(CONSENT_EVERY_S * FPS) == k % int(CONSENT_EVERY_S * FPS):
            peer.socket.send(peer.consent())
            load._read_feedback(peer, stream)
    sent = sum(stream.index for stream in streams)
    load._say(Counted(sent, time.process_time() - cpu, late_s))


def receive(ask: Ask) -> None:
    """Count what reaches every connection; one in sixteen is decrypted and timed."""
    peers = connected(len(ask.ssrcs))
    viewers = [
        load.Viewer(peer, ssrcs[0], sampled=k % 16 == 0)
        for k, (peer, ssrcs) in enumerate(zip(peers, ask.ssrcs, strict=True))
    ]
    for viewer in viewers:
        viewer.any_of(ask.ssrcs[viewers.index(viewer)])
    stop = select.poll()
    stop.register(sys.stdin.fileno(), select.POLLIN | select.POLLHUP)
    cpu, report_due, turn = time.process_time(), time.monotonic(), 0
    ends: float | None = None
    while ends is None or time.monotonic() < ends:
        time.sleep(0.004)
        for viewer in viewers:
            viewer.drain()
        while time.monotonic() >= report_due:
            viewers[turn % len(viewers)].report(time.monotonic())
            turn, report_due = turn + 1, report_due + 1 / len(viewers)
        if ends is None and stop.poll(0):
            load._hear(load.Go)
            ends = time.monotonic() + 0.5
    delays = [delay for viewer in viewers for delay in viewer.delays_ns]
    median, high = np.quantile(delays, [0.5, 0.99]) / 1e6 if delays else (0.0, 0.0)
    load._say(Counted(sum(v.packets for v in viewers), time.process_time() - cpu, 0.0, (median, high)))

"""A county's lessons on this machine: main rooms to their receiving rooms and back, in real SRTP.

    python -m tests.bench.county [--lessons 55] [--rooms 127] [--workers 1] [--seconds 8] [--scale 1.0]

Each lesson has one main room that sends 500 packets a second (camera, courseware and voice together, frame
by frame, 25 times a second); each receiving room is sent all of them and sends 50 packets a second of
its own camera back, which the studio is shown. 55 lessons and 127 rooms make 70,000 packets a second out.
`--scale` multiplies the packets of each frame. A studio or a room is one connection up and one down.

Processes: the media workers as `lianke serve` starts them, one that sends for everybody, one that receives.
All of them share this machine's cores: where packets are lost or late, see first whose CPU was spent (`cpu`,
in cores). `p99_ms` is from just before a packet is encrypted to the kernel's stamp at its receiver.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import select
import sys
import tempfile
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from aiortc.rtcdtlstransport import RTCCertificate

from server.drill import load
from server.drill.bench_relay import Child, Worker, child_process, cpu_seconds, resident_kib
from server.drill.rtp import FrameShape, H264Stream, is_rtcp
from server.ingest.peer import CONSENT_EVERY_S, LightPeer, connect_all
from server.media import contract
from server.protocol.parameters import (
    Codec,
    CodecName,
    DownSlot,
    Extensions,
    Kind,
    Source,
    UpTrack,
)

FPS = 25
MAIN_A_FRAME, BACK_A_FRAME = 20, 2
UP_EXTENSIONS = Extensions(load.MID_ID, transport_cc=load.TRANSPORT_CC_ID)
CODEC = Codec(CodecName.H264, load.PAYLOAD_TYPE, 90_000, nack=True, pli=True)


class Ask(msgspec.Struct, frozen=True):
    """For one end: a connection for each number of packets a frame (sending), or for each list of SSRCs."""

    seconds: float
    frames: list[int] = []
    ssrcs: list[list[int]] = []


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
    load.tell(load.Parameters([peer.parameters() for peer in peers]))
    transports = load.hear(load.Transports)
    asyncio.run(connect_all(peers, transports.locals, at_once=4))
    load.tell(load.Ready(count))
    return peers


def send(ask: Ask) -> None:
    """Every publisher's frame once in 1 / FPS s, spread evenly over it."""
    peers = connected(len(ask.frames))
    streams = [
        H264Stream(
            up_ssrc(k), load.PAYLOAD_TYPE, FrameShape(packets), b"0", load.MID_ID, load.TRANSPORT_CC_ID
        )
        for k, packets in enumerate(ask.frames)
    ]
    load.hear(load.Go)
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
            load.read_feedback(peer, stream)
    sent = sum(stream.index for stream in streams)
    load.tell(Counted(sent, time.process_time() - cpu, late_s))


class Studio:
    """A studio's down connection: counts the packets of all its tiles."""

    def __init__(self, peer: LightPeer) -> None:
        self.peer, self.packets = peer, 0
        self._buffer = bytearray(2048)

    def drain(self) -> None:
        try:
            while True:
                self.peer.socket.recv_into(self._buffer)
                self.packets += not is_rtcp(self._buffer) and self._buffer[0] >> 6 == 2
        except (BlockingIOError, ConnectionRefusedError):
            return

    def report(self, now: float) -> None:
        self.peer.socket.send(self.peer.consent())


def receive(ask: Ask) -> None:
    """Count what reaches every connection; of the rooms one in sixteen is decrypted and timed."""
    peers = connected(len(ask.ssrcs))
    rooms = [
        load.Viewer(peer, ssrcs[0], sampled=k % 16 == 0)
        for k, (peer, ssrcs) in enumerate(zip(peers, ask.ssrcs, strict=True))
        if len(ssrcs) == 1
    ]
    studios = [Studio(peer) for peer, ssrcs in zip(peers, ask.ssrcs, strict=True) if len(ssrcs) != 1]
    lines: list[load.Viewer | Studio] = [*rooms, *studios]
    stop = select.poll()
    stop.register(sys.stdin.fileno(), select.POLLIN | select.POLLHUP)
    cpu, report_due, turn = time.process_time(), time.monotonic(), 0
    ends: float | None = None
    while ends is None or time.monotonic() < ends:
        time.sleep(0.004)
        for line in lines:
            line.drain()
        while time.monotonic() >= report_due:
            lines[turn % len(lines)].report(time.monotonic())
            turn, report_due = turn + 1, report_due + 1 / len(lines)
        if ends is None and stop.poll(0):
            load.hear(load.Go)
            ends = time.monotonic() + 0.5
    delays = [delay for room in rooms for delay in room.delays_ns]
    median, high = np.quantile(delays, [0.5, 0.99]) / 1e6 if delays else (0.0, 0.0)
    packets = sum(len(room.seen) for room in rooms) + sum(studio.packets for studio in studios)
    load.tell(Counted(packets, time.process_time() - cpu, 0.0, (float(median), float(high))))


@dataclass
class County:
    """Lessons over workers, and what is expected to arrive."""

    lessons: int
    rooms: int
    scale: float
    ask_send: list[int] = field(default_factory=list)
    ask_receive: list[list[int]] = field(default_factory=list)
    expected_a_frame: int = 0

    def packets(self, a_frame: int) -> int:
        return max(1, round(a_frame * self.scale))

    def plan(self) -> list[tuple[int, int]]:
        """(lesson, its rooms)."""
        least, more = divmod(self.rooms, self.lessons)
        return [(lesson, least + (lesson < more)) for lesson in range(self.lessons)]


async def hold(
    county: County, workers: list[Worker], sending: Child, receiving: Child, seconds: float
) -> None:
    """Open every connection and point every slot."""
    ups: list[tuple[str, str]] = []  # peer, room
    downs: list[tuple[str, str, list[str]]] = []  # peer, room, publishers it is shown
    for lesson, rooms in county.plan():
        name, main = f"L{lesson}", f"L{lesson}/main/up"
        backs = [f"{name}/room{k}/up" for k in range(rooms)]
        ups += [(main, name), *((back, name) for back in backs)]
        county.ask_send += [county.packets(MAIN_A_FRAME), *[county.packets(BACK_A_FRAME)] * rooms]
        downs += [(f"{name}/room{k}/down", name, [main]) for k in range(rooms)]
        downs.append((f"{name}/main/down", name, backs if len(backs) != 1 else [*backs, *backs]))
        shown = len(downs[-1][2])
        county.expected_a_frame += rooms * county.packets(MAIN_A_FRAME)
        county.expected_a_frame += shown * county.packets(BACK_A_FRAME)
    ssrcs = itertools.count(load.FIRST_DOWN_SSRC, 2)
    county.ask_receive = [[next(ssrcs) for _ in shown] for _, _, shown in downs]

    def of(room: str) -> Worker:
        return workers[int(room[1:]) % len(workers)]

    await sending.say(Ask(seconds, frames=county.ask_send))
    remotes = (await sending.hear(load.Parameters, 30)).remotes
    transports = []
    for k, ((peer, room), remote) in enumerate(zip(ups, remotes, strict=True)):
        transports.append(await of(room).open_peer(peer, room))
        track = UpTrack("0", Source.CAMERA, Kind.VIDEO, [CODEC], UP_EXTENSIONS, {up_ssrc(k): 0})
        await of(room).ask(contract.SetUpTracks(0, peer, [track]))
        await of(room).ask(contract.SetRemote(0, peer, remote))
    await sending.say(load.Transports(transports))
    await sending.hear(load.Ready, 60)
    await receiving.say(Ask(seconds, ssrcs=county.ask_receive))
    remotes = (await receiving.hear(load.Parameters, 30)).remotes
    transports = []
    for (peer, room, shown), own, remote in zip(downs, county.ask_receive, remotes, strict=True):
        transports.append(await of(room).open_peer(peer, room))
        extensions = Extensions(load.MID_ID, abs_send_time=load.ABS_SEND_TIME_ID)
        slots = [
            DownSlot(f"slot{k}", str(k), Kind.VIDEO, [CODEC], extensions, ssrc) for k, ssrc in enumerate(own)
        ]
        await of(room).ask(contract.SetDownSlots(0, peer, slots))
        for slot, publisher in zip(slots, shown, strict=True):
            of(room).point(peer, slot.name, publisher)
        await of(room).ask(contract.SetRemote(0, peer, remote))
    await receiving.say(load.Transports(transports))
    await receiving.hear(load.Ready, 60)


async def measure(county: County, workers: int, seconds: float) -> dict[str, Any]:
    async with AsyncExitStack() as stack, asyncio.TaskGroup() as group:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="lianke-county-"))
        links, running = [], []
        for k in range(workers):
            control = Path(folder, f"w{k}.sock")
            options = {"worker": f"w{k}", "control": control, "taps": control.with_suffix(".taps")}
            words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
            await stack.enter_async_context(child_process("server.media", *words, "--listen", "127.0.0.1:0"))
            links.append(Worker(control))
            running.append(group.create_task(links[-1].run(), name=f"link {k}"))
        try:
            pids = [await link.pid() for link in links]
            empty_kib = [resident_kib(pid) for pid in pids]
            sending = Child(await stack.enter_async_context(child_process("tests.bench.county", "send")))
            receiving = Child(await stack.enter_async_context(child_process("tests.bench.county", "receive")))
            await hold(county, links, sending, receiving, seconds)
            before, began = [cpu_seconds(pid) for pid in pids], time.monotonic()
            await sending.say(load.Go())
            sent = await sending.hear(Counted, seconds * 4 + 20)
            took = time.monotonic() - began
            await receiving.say(load.Go())
            got = await receiving.hear(Counted, 20)
            spent = [cpu_seconds(pid) - then for pid, then in zip(pids, before, strict=True)]
            peers = len(county.ask_send) + len(county.ask_receive)
            expected = county.expected_a_frame * int(seconds * FPS)
            return {
                "lessons": county.lessons, "rooms": county.rooms, "workers": workers, "scale": county.scale,
                "sent_a_second": round(sent.packets / took), "out_a_second": round(got.packets / took),
                "lost": expected - got.packets, "p50_ms": round(got.quantiles_ms[0], 2),
                "p99_ms": round(got.quantiles_ms[1], 2), "sender_late_ms": round(sent.late_s * 1e3),
                "us_a_forward": round(sum(spent) / max(got.packets, 1) * 1e6, 2),
                "cpu": {"workers": [round(each / took, 2) for each in spent],
                        "sender": round(sent.cpu_s / took, 2), "receiver": round(got.cpu_s / took, 2)},
                "kib_a_connection": (sum(map(resident_kib, pids)) - sum(empty_kib)) // peers,
            }  # fmt: skip
        finally:
            for task in running:
                task.cancel()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--lessons", type=int, default=55)
    parser.add_argument("--rooms", type=int, default=127)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=8)
    parser.add_argument("--scale", type=float, default=1.0)
    asked = parser.parse_args()
    county = County(asked.lessons, asked.rooms, asked.scale)
    print(json.dumps(asyncio.run(measure(county, asked.workers, asked.seconds))))


if __name__ == "__main__":
    if sys.argv[1:] in (["send"], ["receive"]):
        {"send": send, "receive": receive}[sys.argv[1]](load.hear(Ask))
    else:
        main()

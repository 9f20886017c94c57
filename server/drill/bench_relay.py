"""What one media worker pays to forward a packet: `lianke bench relay`.

Three processes: the worker as `lianke serve` starts it, one publisher, and all viewers. Every
connection is real (ICE checks with consent, DTLS, SRTP, receiver reports); the viewers count what
reaches them and a few of them decrypt everything. The publisher sends as an encoder does, a whole frame
at once 25 times a second, or (`bursts` False) its packets evenly: the worker then wakes for each of
them, which is the dearest case. `worker_cpu_s` is the worker process' whole CPU
time while packets flow, `us_per_forward` that time over the packets which reached viewers (each
counted once a viewer), `lost` those that did not.

`p99_relay_ms` is the 99th percentile, over the sampled viewers' packets, of the time from just before
the publisher encrypts a packet to the kernel's receive stamp on the viewer's socket: the publisher's
encryption and send, two passes of the loopback, the wait for the worker to wake up and be given a
core, decryption, fan-out up to this viewer, encryption. It does not contain the viewer's own work.
"""

from __future__ import annotations

import asyncio
import resource
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

import msgspec

from server.drill import load
from server.ingest.peer import Profile
from server.media import contract
from server.media.client import WorkerLink
from server.protocol.parameters import (
    Codec,
    CodecName,
    DownSlot,
    Extensions,
    Kind,
    LocalTransport,
    Source,
    UpTrack,
)

ROOM = "bench"
START_TIMEOUT_S = 15.0
CONNECT_TIMEOUT_S = 60.0
STAY_S = 2.0

T = TypeVar("T")


class Load(msgspec.Struct, frozen=True):
    """What is asked of the worker. `layers`: of the publisher, viewers get the highest; `feedback`: viewers
    tell transport-wide when packets came, and the worker estimates their lines; `joining`: viewers a second
    that come while it is measured, are sent everything for STAY_S and leave again (what they cost is in
    `worker_cpu_s`, their packets are not counted)."""

    viewers: int = 40
    seconds: float = 10
    pps: int = 250
    profile: Profile = "gcm"
    bursts: bool = True
    layers: int = 1
    feedback: bool = False
    joining: int = 0


class RelayFigures(msgspec.Struct, frozen=True):
    """What `lianke bench relay --json` prints (see the module's words)."""

    viewers: int
    sent: int
    forwarded: int
    lost: int
    worker_cpu_s: float
    us_per_forward: float
    profile: str
    p99_relay_ms: float
    layers: int = 1
    feedback: bool = False
    joined: int = 0
    kib_a_viewer: int = 0


class BenchFailed(Exception):
    """The worker or an end of the load did not do its part."""


class Child:
    """One end of the load, spoken to in JSON lines."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def say(self, message: msgspec.Struct) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(msgspec.json.encode(message) + b"\n")
        await self._process.stdin.drain()

    async def hear(self, kind: type[T], timeout_s: float) -> T:
        assert self._process.stdout is not None
        async with asyncio.timeout(timeout_s):
            line = await self._process.stdout.readline()
        if not line:
            raise BenchFailed(f"an end of the load stopped with {await self._process.wait()}")
        return msgspec.json.decode(line, type=kind)


@asynccontextmanager
async def child_process(*arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """`python -m ...`; its standard input closes and it is stopped when the block ends."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", *arguments, stdin=pipe, stdout=pipe, limit=1 << 20
    )
    try:
        yield process
    finally:
        assert process.stdin is not None
        process.stdin.close()
        try:
            async with asyncio.timeout(3):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()


class Worker:
    """The worker under load, through campus' own link."""

    def __init__(self, path: Path) -> None:
        self._there: asyncio.Future[contract.Welcome] = asyncio.get_running_loop().create_future()
        self._link = WorkerLink(
            path, on_welcome=self._welcomed, on_event=lambda event: None, on_lost=lambda: None
        )

    async def run(self) -> None:
        await self._link.run()

    async def pid(self) -> int:
        """The process, once it answers. TimeoutError after START_TIMEOUT_S."""
        async with asyncio.timeout(START_TIMEOUT_S):
            return (await self._there).pid

    def point(self, peer: str, slot: str = "stage", publisher: str = "up0") -> None:
        self._link.send(contract.Point(peer, slot, contract.TrackName(publisher, load.MID)))

    def close_peer(self, peer: str) -> None:
        self._link.send(contract.ClosePeer(peer))

    async def ask(self, command: contract.Command) -> contract.Done:
        """BenchFailed where the worker refuses."""
        done = await self._link.request(command)
        if done.problem:
            raise BenchFailed(f"{type(command).__name__}: {done.problem} {done.detail}")
        return done

    async def open_peer(self, peer: str, room: str = ROOM) -> LocalTransport:
        done = await self.ask(contract.OpenPeer(0, peer, room))
        if done.transport is None:
            raise BenchFailed("the worker gave no transport")
        return done.transport

    def _welcomed(self, welcome: contract.Welcome, new_boot: bool) -> None:
        if not self._there.done():
            self._there.set_result(welcome)


def cpu_seconds(pid: int) -> float:
    """A living process' CPU time, user and kernel, all threads (Linux: the clock id of another process)."""
    return time.clock_gettime(~pid << 3 | 2)


def resident_kib(pid: int) -> int:
    """A process' memory (Linux)."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * resource.getpagesize() // 1024


def up_track(layers: int) -> UpTrack:
    codec = Codec(CodecName.H264, load.PAYLOAD_TYPE, 90_000, nack=True, pli=True)
    rids = load.rids(layers)
    extensions = Extensions(load.MID_ID, rid=load.RID_ID if rids else 0, transport_cc=load.TRANSPORT_CC_ID)
    ssrcs = {} if rids else {load.UP_SSRC: 0}
    return UpTrack(load.MID, Source.CAMERA, Kind.VIDEO, [codec], extensions, ssrcs, rids)


def down_slot(number: int, feedback: bool) -> DownSlot:
    codec = Codec(CodecName.H264, load.PAYLOAD_TYPE, 90_000, load.RTX_PAYLOAD_TYPE, nack=True, pli=True)
    extensions = Extensions(load.MID_ID, abs_send_time=load.ABS_SEND_TIME_ID)
    if feedback:
        extensions = Extensions(load.MID_ID, transport_cc=load.TRANSPORT_CC_ID)
    ssrc = load.FIRST_DOWN_SSRC + 2 * number
    return DownSlot("stage", load.MID, Kind.VIDEO, [codec], extensions, ssrc, ssrc + 1)


async def bench_relay(asked: Load) -> RelayFigures:
    """Run the load and measure. BenchFailed where anything does not do its part."""
    with tempfile.TemporaryDirectory(prefix="lianke-bench-") as folder:
        control, taps = Path(folder, "w0.sock"), Path(folder, "w0.taps")
        command = ("server.media", "--worker", "w0", "--control", str(control), "--taps", str(taps),
                  "--listen", "127.0.0.1:0")  # fmt: skip
        async with (
            child_process(*command),
            child_process("server.drill.load", "receive") as receiving,
            child_process("server.drill.load", "send") as sending,
            child_process("server.drill.load", "join") as joining,
        ):
            worker = Worker(control)
            async with asyncio.TaskGroup() as group:
                running = group.create_task(worker.run(), name="worker link")
                try:
                    ends = Ends(worker, Child(sending), Child(receiving), Child(joining))
                    return await ends.measure(await worker.pid(), asked)
                finally:
                    running.cancel()


class Ends:
    """The worker, the publisher, the viewers that are there, and those that come."""

    def __init__(self, worker: Worker, sender: Child, receivers: Child, joiners: Child) -> None:
        self.worker, self.sender, self.receivers, self.joiners = worker, sender, receivers, joiners

    async def measure(self, pid: int, asked: Load) -> RelayFigures:
        """Connect everybody, let it flow, count."""
        await self._publish(asked)
        empty_kib = resident_kib(pid)
        viewers = load.Assignment(
            asked.viewers, asked.profile, asked.pps, asked.seconds, feedback=asked.feedback
        )
        await self._watch(self.receivers, viewers, "down", 0)
        coming = int(asked.joining * asked.seconds)
        if coming:
            joiners = load.Assignment(coming, asked.profile, 0, 0, joins_a_second=asked.joining)
            await self._watch(self.joiners, joiners, "joining", asked.viewers)
        before = cpu_seconds(pid)
        await self.sender.say(load.Go())
        leaving = asyncio.create_task(self._let_leave(coming, asked.joining))
        sent = await self.sender.hear(load.Result, asked.seconds * 2 + 10)
        await self.receivers.say(load.Go())
        received = await self.receivers.hear(load.Result, 10)
        cpu = cpu_seconds(pid) - before
        await leaving
        if received.broken:
            raise BenchFailed(f"{received.broken} packets reached viewers damaged")
        return RelayFigures(
            viewers=asked.viewers,
            sent=sent.packets,
            forwarded=received.packets,
            lost=sent.packets * asked.viewers - received.packets,
            worker_cpu_s=round(cpu, 3),
            us_per_forward=round(cpu / max(received.packets, 1) * 1e6, 2),
            profile=asked.profile,
            p99_relay_ms=received.relay_ms[1],
            layers=asked.layers,
            feedback=asked.feedback,
            joined=(await self.joiners.hear(load.Result, 30)).packets if coming else 0,
            kib_a_viewer=(resident_kib(pid) - empty_kib) // (asked.viewers + coming),
        )

    async def _let_leave(self, count: int, a_second: int) -> None:
        """Those who come begin now, and each leaves again STAY_S after it came."""
        if count:
            await self.joiners.say(load.Go())
            await asyncio.sleep(STAY_S)
        for place in range(count):
            self.worker.close_peer(f"joining{place}")
            await asyncio.sleep(1 / a_second)

    async def _publish(self, asked: Load) -> None:
        assignment = load.Assignment(
            1, asked.profile, asked.pps, asked.seconds, asked.bursts, layers=asked.layers
        )
        await self.sender.say(assignment)
        (remote,) = (await self.sender.hear(load.Parameters, START_TIMEOUT_S)).remotes
        transport = await self.worker.open_peer("up0")
        await self.worker.ask(contract.SetUpTracks(0, "up0", [up_track(asked.layers)]))
        await self.worker.ask(contract.SetRemote(0, "up0", remote))
        await self.sender.say(load.Transports([transport]))
        await self.sender.hear(load.Ready, CONNECT_TIMEOUT_S)

    async def _watch(self, child: Child, assignment: load.Assignment, name: str, first: int) -> None:
        """Viewers of the publisher: slots of their own, pointed at it."""
        await child.say(assignment)
        remotes = (await child.hear(load.Parameters, START_TIMEOUT_S)).remotes
        slots = [down_slot(first + number, assignment.feedback) for number in range(len(remotes))]
        transports = []
        for number, remote in enumerate(remotes):
            peer = f"{name}{number}"
            transports.append(await self.worker.open_peer(peer))
            await self.worker.ask(contract.SetDownSlots(0, peer, [slots[number]]))
            self.worker.point(peer)
            await self.worker.ask(contract.SetRemote(0, peer, remote))
        await child.say(load.Transports(transports, [slot.ssrc for slot in slots]))
        await child.hear(load.Ready, CONNECT_TIMEOUT_S)

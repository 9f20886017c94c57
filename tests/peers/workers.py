"""A real worker process and what a test says to it: campus' part, without campus."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import sys
import tempfile
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path

from aiortc import RTCPeerConnection, RTCSessionDescription

from server.media import contract
from server.media.client import WorkerLink
from server.media.contract import Done, Event, PeerChanged, PeerState, TrackName, Welcome
from server.protocol.parameters import Kind, LocalTransport, Source
from server.protocol.sdp import (
    SlotPlan,
    UpAnswer,
    answer_up,
    answer_whep,
    offer_down,
    read_down_answer,
    read_offer,
)

Slots = list[tuple[str, Kind]]
Inside = Callable[[list[str]], list[str]]
Through = Callable[[LocalTransport], LocalTransport]

_ssrcs = itertools.count(50_000)


async def holds(condition: Callable[[], object], timeout_s: float = 10.0) -> None:
    """Wait for what tells nobody that it changed."""
    async with asyncio.timeout(timeout_s):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.02)


@dataclass
class RunningWorker:
    """One worker process, its link, and every event it told."""

    directory: Path
    process: asyncio.subprocess.Process
    link: WorkerLink
    listen: str
    events: list[Event] = field(default_factory=list)
    welcomes: list[tuple[Welcome, bool]] = field(default_factory=list)
    lost: int = 0
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    def tell(self, event: Event) -> None:
        self.events.append(event)
        self._changed.set()

    def poke(self) -> None:
        self._changed.set()

    async def until(self, condition: Callable[[], object], timeout_s: float = 10.0) -> None:
        """Wait until the condition holds; it is asked again at every event."""
        async with asyncio.timeout(timeout_s):
            while not condition():
                self._changed.clear()
                await self._changed.wait()

    def states(self, peer: str) -> list[PeerState]:
        return [e.state for e in self.events if isinstance(e, PeerChanged) and e.peer == peer]

    async def state(self, peer: str, state: PeerState, timeout_s: float = 10.0) -> None:
        await self.until(lambda: state in self.states(peer), timeout_s)

    async def do(self, command: contract.Command) -> Done:
        """A request that must succeed."""
        done = await self.link.request(command)
        assert done.problem == "", (command, done)
        return done

    async def open(self, peer: str, room: str) -> LocalTransport:
        done = await self.do(contract.OpenPeer(0, peer, room))
        assert done.transport is not None
        return done.transport

    def point(self, peer: str, slot: str, track: TrackName | None) -> None:
        self.link.send(contract.Point(peer, slot, track))

    async def take_offer(
        self, sdp: str, peer: str, room: str, through: Through = lambda local: local
    ) -> UpAnswer:
        """Take a publisher's offer: its first video is the camera, the next the screen; audio the voice."""
        offer = read_offer(sdp)
        videos = iter((Source.CAMERA, Source.SCREEN))
        sources = {s.mid: next(videos) if s.kind == "video" else Source.VOICE for s in offer.sections}
        answer = answer_up(offer, sources, through(await self.open(peer, room)), version=1)
        await self.do(contract.SetUpTracks(0, peer, answer.tracks))
        await self.do(contract.SetRemote(0, peer, answer.remote))
        return answer

    async def answer_offer(
        self, pc: RTCPeerConnection, peer: str, room: str, through: Through = lambda local: local
    ) -> UpAnswer:
        """Take a publishing aiortc connection."""
        await pc.setLocalDescription(await pc.createOffer())
        answer = await self.take_offer(pc.localDescription.sdp, peer, room, through)
        await pc.setRemoteDescription(RTCSessionDescription(answer.sdp, "answer"))
        return answer

    async def make_offer(
        self, peer: str, room: str, slots: Slots, through: Through = lambda local: local
    ) -> tuple[list[SlotPlan], str]:
        """An offer of a down connection with these slots; audio "main" and video "stage" are in step."""
        plan = [
            SlotPlan(
                name,
                str(mid),
                kind,
                next(_ssrcs),
                next(_ssrcs) if kind is Kind.VIDEO else 0,
                "main" if name == "stage" else name,
            )
            for mid, (name, kind) in enumerate(slots)
        ]
        return plan, offer_down(plan, through(await self.open(peer, room)), version=1)

    async def take_answer(self, sdp: str, peer: str, plan: list[SlotPlan]) -> None:
        answer = read_down_answer(sdp, plan)
        await self.do(contract.SetDownSlots(0, peer, answer.slots))
        await self.do(contract.SetRemote(0, peer, answer.remote))

    async def offer_slots(
        self,
        pc: RTCPeerConnection,
        peer: str,
        room: str,
        slots: Slots,
        through: Through = lambda local: local,
        munge: Callable[[str], str] = lambda sdp: sdp,
    ) -> list[SlotPlan]:
        """Offer a down connection with these slots to an aiortc connection."""
        plan, offer = await self.make_offer(peer, room, slots, through)
        await pc.setRemoteDescription(RTCSessionDescription(munge(offer), "offer"))
        await pc.setLocalDescription(await pc.createAnswer())
        await self.take_answer(pc.localDescription.sdp, peer, plan)
        return plan

    async def answer_viewer(self, pc: RTCPeerConnection, peer: str, room: str) -> None:
        """Answer a WHEP-like offer: slots "stage" and "main"."""
        await pc.setLocalDescription(await pc.createOffer())
        plan = [
            SlotPlan("stage", "", Kind.VIDEO, next(_ssrcs), next(_ssrcs), "main"),
            SlotPlan("main", "", Kind.AUDIO, next(_ssrcs), 0, "main"),
        ]
        local = await self.open(peer, room)
        answer = answer_whep(read_offer(pc.localDescription.sdp), plan, local, version=1)
        await self.do(contract.SetDownSlots(0, peer, answer.slots))
        await self.do(contract.SetRemote(0, peer, answer.remote))
        await pc.setRemoteDescription(RTCSessionDescription(answer.sdp, "answer"))


async def spawn(
    directory: Path, listen: str = "127.0.0.1:0", inside: Inside = list
) -> asyncio.subprocess.Process:
    command = [
        *(sys.executable, "-m", "server.media", "--worker", "w0", "--listen", listen),
        *("--control", str(directory / "w0.sock"), "--taps", str(directory / "w0.taps")),
        *("--ring-bytes", str(4 << 20)),
    ]
    return await asyncio.create_subprocess_exec(*inside(command), stdin=asyncio.subprocess.PIPE)


@contextlib.asynccontextmanager
async def running_worker(listen: str = "127.0.0.1:0", inside: Inside = list) -> AsyncIterator[RunningWorker]:
    """A worker process with a connected link; ended by the end of its standard input. `inside` makes the
    command line that runs another in a network of its own."""
    with tempfile.TemporaryDirectory(prefix="lk") as name:
        directory = Path(name)
        process = await spawn(directory, listen, inside)
        box: list[RunningWorker] = []

        def welcomed(welcome: Welcome, new: bool) -> None:
            box[0].welcomes.append((welcome, new))
            box[0].poke()

        def lost() -> None:
            box[0].lost += 1
            box[0].poke()

        link = WorkerLink(
            directory / "w0.sock", on_welcome=welcomed, on_event=lambda e: box[0].tell(e), on_lost=lost
        )
        worker = RunningWorker(directory, process, link, listen)
        box.append(worker)
        async with asyncio.TaskGroup() as group:
            running = group.create_task(link.run(), name="link")
            try:
                await worker.until(lambda: link.connected)
                yield worker
            finally:
                running.cancel()
                await end(worker.process)


async def end(process: asyncio.subprocess.Process) -> None:
    """Close its standard input, as a dying supervisor does, and wait."""
    if process.returncode is None:
        assert process.stdin is not None
        process.stdin.close()
        try:
            async with asyncio.timeout(5):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()
            raise

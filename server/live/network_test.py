"""Short connections that carry a picture of noise there and back: which roads work from there, and how wide
are they?

Bounded in number and time. A trial has two peers over one road: one sends to us, the other gets that back;
each trial is in a room of its own, never a lesson's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from server.errors import UserFault
from server.ids import new_peer_name, random_word
from server.live.connections import Direction, ask, plan_slots
from server.live.ports import WorkerPort
from server.media.contract import (
    Burst,
    CloseRoom,
    OpenPeer,
    Point,
    SetDownSlots,
    SetRemote,
    SetUpTracks,
    TrackName,
)
from server.protocol import sdp as sdp_door
from server.protocol.parameters import Candidate, Kind, LocalTransport, Road, Source

MOST = 24
SECONDS = 40.0
BURST_BPS = 8_000_000
BURST_MS = 1_000
SLOT = "video"

KEEPS: dict[Road, Callable[[Candidate], bool]] = {
    Road.UDP: lambda each: not each.tcp,
    Road.TCP: lambda each: each.tcp,
    Road.TURN: lambda each: not each.tcp,  # the page asks for relayed candidates alone
}


@dataclass(slots=True)
class Trial:
    """One road of one page. `track`: what its first peer sends; `viewer`: the second."""

    room: str
    road: Road
    worker: WorkerPort
    track: TrackName | None = None
    viewer: str = ""


class NetworkTests:
    """`place` names a worker for a room, or None; `release` lets the room go."""

    def __init__(
        self, place: Callable[[str], tuple[str, WorkerPort] | None], release: Callable[[str], None]
    ) -> None:
        self._place = place
        self._release = release
        self._open: dict[str, Trial] = {}

    async def send(self, offer: str, road: Road) -> tuple[str, str]:
        """A publisher's answer with this road's candidates alone, and the trial's name. UserFault where it
        cannot be, BadSdp, MediaLost."""
        room = f"network-test-{random_word(13)}"
        read = sdp_door.read_offer(offer)
        placed = self._place(room) if road in KEEPS and len(self._open) < MOST else None
        if placed is None:
            raise UserFault(
                "media_busy",
                zh="现在不能测试,请一分钟后再试。",
                en="It cannot be tested now; try again in a minute.",
            )
        trial = self._open[room] = Trial(room, road, placed[1])
        asyncio.get_running_loop().call_later(SECONDS, self._end, trial)
        name, local = await _open_peer(trial, Direction.UP)
        mids = [section.mid for section in read.sections if section.kind == Kind.VIDEO][:1]
        answer = sdp_door.answer_up(read, dict.fromkeys(mids, Source.CAMERA), local, version=1)
        await ask(trial.worker, SetUpTracks(request=0, peer=name, tracks=answer.tracks))
        await ask(trial.worker, SetRemote(request=0, peer=name, remote=answer.remote))
        trial.track = TrackName(name, mids[0]) if mids else None
        return answer.sdp, room

    async def receive(self, offer: str, name: str) -> str:
        """A viewer's answer over the same road: it gets what the trial's publisher sends. UserFault,
        BadSdp, MediaLost."""
        trial, read = self._known(name), sdp_door.read_offer(offer)
        if trial.viewer:
            raise UserFault("bad_value", zh="这次测试已经在接收。", en="This trial receives already.")
        trial.viewer, local = await _open_peer(trial, Direction.DOWN)
        answer = sdp_door.answer_whep(read, plan_slots(((SLOT, Kind.VIDEO),)), local, version=1)
        await ask(trial.worker, SetDownSlots(request=0, peer=trial.viewer, slots=answer.slots))
        await ask(trial.worker, SetRemote(request=0, peer=trial.viewer, remote=answer.remote))
        trial.worker.send(Point(trial.viewer, SLOT, trial.track))
        return answer.sdp

    def burst(self, name: str) -> None:
        """For a second the viewer gets BURST_BPS, as far as its line carries that. UserFault."""
        trial = self._known(name)
        if not trial.viewer:
            raise UserFault("bad_value", zh="这次测试还没有接收。", en="This trial does not receive yet.")
        trial.worker.send(Burst(trial.viewer, BURST_BPS, BURST_MS))

    def _known(self, name: str) -> Trial:
        trial = self._open.get(name)
        if trial is None:
            raise UserFault("no_trial", zh="测试已经结束,请再测一次。", en="The trial is over; test again.")
        return trial

    def _end(self, trial: Trial) -> None:
        self._open.pop(trial.room, None)
        self._release(trial.room)
        trial.worker.send(CloseRoom(trial.room))


async def _open_peer(trial: Trial, direction: Direction) -> tuple[str, LocalTransport]:
    """A peer's name, and its local side with the trial's road alone."""
    name = new_peer_name(trial.room, "t", direction)
    done = await ask(trial.worker, OpenPeer(request=0, peer=name, room=trial.room))
    assert done.transport is not None
    kept = [each for each in done.transport.candidates if KEEPS[trial.road](each)]
    return name, msgspec.structs.replace(done.transport, candidates=kept)

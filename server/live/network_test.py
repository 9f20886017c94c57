"""Short connections that carry nothing: does this road to a media worker work from there?

Bounded in number and time; each is a peer in a room of its own, never a lesson's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import msgspec

from server.errors import UserFault
from server.ids import new_peer_name
from server.live.connections import Direction, ask, plan_slots
from server.live.ports import WorkerPort
from server.media.contract import ClosePeer, OpenPeer, SetDownSlots, SetRemote
from server.protocol import sdp as sdp_door
from server.protocol.parameters import Candidate, Kind, Road

TEST_ROOM = "network-test"
MOST = 24
SECONDS = 12.0

KEEPS: dict[Road, Callable[[Candidate], bool]] = {
    Road.UDP: lambda each: not each.tcp,
    Road.TCP: lambda each: each.tcp,
    Road.TURN: lambda each: not each.tcp,  # the page asks for relayed candidates alone
}


class NetworkTests:
    """`place` names a worker for a room, or None."""

    def __init__(self, place: Callable[[str], tuple[str, WorkerPort] | None]) -> None:
        self._place = place
        self._open: set[str] = set()

    async def answer(self, offer: str, road: Road) -> str:
        """A viewer's answer with this road's candidates alone. UserFault where it cannot be, BadSdp,
        MediaLost."""
        keeps, placed = KEEPS.get(road), self._place(TEST_ROOM)
        if keeps is None or placed is None or len(self._open) >= MOST:
            raise UserFault(
                "media_busy",
                zh="现在不能测试,请一分钟后再试。",
                en="It cannot be tested now; try again in a minute.",
            )
        read, worker, name = (
            sdp_door.read_offer(offer),
            placed[1],
            new_peer_name(TEST_ROOM, "t", Direction.DOWN),
        )
        self._open.add(name)
        asyncio.get_running_loop().call_later(SECONDS, self._end, worker, name)
        done = await ask(worker, OpenPeer(request=0, peer=name, room=TEST_ROOM))
        assert done.transport is not None
        local = msgspec.structs.replace(
            done.transport, candidates=[each for each in done.transport.candidates if keeps(each)]
        )
        plan = plan_slots((("video", Kind.VIDEO), ("main", Kind.AUDIO)))
        answer = sdp_door.answer_whep(read, plan, local, version=1)
        await ask(worker, SetDownSlots(request=0, peer=name, slots=answer.slots))
        await ask(worker, SetRemote(request=0, peer=name, remote=answer.remote))
        return answer.sdp

    def _end(self, worker: WorkerPort, name: str) -> None:
        self._open.discard(name)
        worker.send(ClosePeer(peer=name))

"""One WebRTC connection as campus keeps it, and the exchanges that open, change and take it back.

Owns the order of SDP and worker commands; knows no lesson. The functions speak to one worker and raise
`MediaLost` where it is gone or refuses, `BadSdp` for what the other side wrote.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import msgspec

from server.ids import new_peer_name
from server.live.ports import WorkerPort
from server.media.contract import (
    ClosePeer,
    Command,
    Done,
    OpenPeer,
    PeerSnapshot,
    PeerState,
    RestartIce,
    SetDownSlots,
    SetRemote,
    SetUpTracks,
    SlotViewing,
    TrackName,
)
from server.protocol import sdp as sdp_door
from server.protocol.messages import Assigned, Reconnect
from server.protocol.parameters import (
    CodecName,
    DownSlot,
    Kind,
    LocalTransport,
    RemoteTransport,
    Source,
    UpTrack,
)
from server.protocol.sdp import BadSdp, Fragment, SlotPlan

SYNCHRONISED = frozenset({"main", "stage"})
"""Slots of one MediaStream: the browser keeps the main room's picture and voice in step."""


class Direction(StrEnum):
    UP = "up"
    DOWN = "down"


class MediaLost(Exception):
    """The worker is gone, or says no to what must work: the room is placed again."""


@dataclass(slots=True)
class Connection:
    """`seat`: the room it belongs to, or "whip.{source}" and "whep.{source}". `plan`: slots as offered;
    `answered`: the newest offer that was; `pointed`: what the worker was last told; `flowing_at`: MID -> when
    packets were last counted (ms);
    `thinned`: slots whose picture the worker leaves out for the line; `weak`: it gives less than the best;
    `viewing`: the page's last word on its pictures, and when (ms); `layers`: MID -> RIDs that somebody has a
    use for, `layers_told`: what its page knows of that."""

    name: str
    seat: str
    direction: Direction
    transport: LocalTransport
    version: int = 1
    offer: int = 0
    answered: int = 0
    remote: RemoteTransport | None = None
    tracks: list[UpTrack] = field(default_factory=list)
    plan: list[SlotPlan] = field(default_factory=list)
    slots: list[DownSlot] = field(default_factory=list)
    pointed: dict[str, TrackName] = field(default_factory=dict)
    state: PeerState = PeerState.NEW
    live: dict[str, CodecName | None] = field(default_factory=dict)
    flowing_at: dict[str, int] = field(default_factory=dict)
    told: dict[str, Assigned] | None = None
    thinned: frozenset[str] = frozenset()
    weak: bool = False
    viewing: tuple[list[SlotViewing], int] = field(default_factory=lambda: ([], 0))
    layers: dict[str, list[str]] = field(default_factory=dict)
    layers_told: dict[str, list[str]] = field(default_factory=dict)
    opened_at: int = 0

    @property
    def alive(self) -> bool:
        return self.state not in (PeerState.GONE, PeerState.FAILED)

    @property
    def token(self) -> str:
        """The random end of its name: the session in a WHIP or WHEP URL."""
        return self.name.rpartition("/")[2]

    @property
    def etag(self) -> str:
        """The ICE session as an entity tag (RFC 9725, 4.3.1): another one after each restart."""
        return f'"{self.transport.ufrag}"'


def reconnect(direction: Direction) -> Reconnect:
    """What a page is told whose connection of this direction is gone."""
    return Reconnect(up=direction is Direction.UP, down=direction is Direction.DOWN)


def peer_parts(name: str) -> tuple[str, str, Direction]:
    """Lesson, seat and direction of a peer's name; ValueError for a name that is not ours."""
    lesson, seat, direction, _ = name.split("/")
    return lesson, seat, Direction(direction)


async def ask(worker: WorkerPort, command: Command) -> Done:
    """A request that must work; MediaLost where it does not."""
    try:
        done = await worker.request(command)
    except ConnectionError as error:
        raise MediaLost(str(error)) from error
    if done.problem:
        raise MediaLost(f"{type(command).__name__}: {done.problem} {done.detail}")
    return done


async def _open_peer(worker: WorkerPort, lesson: str, seat: str, direction: Direction) -> Connection:
    name = new_peer_name(lesson, seat, direction)
    done = await ask(worker, OpenPeer(request=0, peer=name, room=lesson))
    if done.transport is None:
        raise MediaLost("a peer without a transport")
    return Connection(name=name, seat=seat, direction=direction, transport=done.transport)


async def _set(
    worker: WorkerPort, connection: Connection, media: SetUpTracks | SetDownSlots, remote: RemoteTransport
) -> None:
    """Tracks or slots, and the other side's transport where it is new: said in one breath, in this order."""
    known = connection.remote is not None and remote.ufrag == connection.remote.ufrag
    transport = [] if known else [SetRemote(request=0, peer=connection.name, remote=remote)]
    await asyncio.gather(*(ask(worker, command) for command in (media, *transport)))
    connection.remote = connection.remote if known else remote


async def open_box(
    worker: WorkerPort, lesson: str, seat: str, tracks: list[UpTrack], remote: RemoteTransport
) -> Connection:
    """A new publishing connection without SDP: the other side is a process of ours."""
    connection = await _open_peer(worker, lesson, seat, Direction.UP)
    await _set(worker, connection, SetUpTracks(request=0, peer=connection.name, tracks=tracks), remote)
    connection.tracks = tracks
    return connection


async def open_up(
    worker: WorkerPort, lesson: str, seat: str, text: str, sources: Mapping[str, Source], *, music: bool
) -> tuple[Connection, sdp_door.UpAnswer]:
    """A new publishing connection from an offer."""
    offer = sdp_door.read_offer(text)
    connection = await _open_peer(worker, lesson, seat, Direction.UP)
    try:
        answer = sdp_door.answer_up(offer, sources, connection.transport, version=1, music=music)
    except BadSdp:
        worker.send(ClosePeer(peer=connection.name))
        raise
    await _apply_up(worker, connection, answer)
    return connection, answer


async def change_up(
    worker: WorkerPort, connection: Connection, text: str, sources: Mapping[str, Source], *, music: bool
) -> sdp_door.UpAnswer:
    """Renegotiation of a living connection: tracks come and go, streams that stay are untouched."""
    offer = sdp_door.read_offer(text)
    version = connection.version + 1
    answer = sdp_door.answer_up(offer, sources, connection.transport, version=version, music=music)
    connection.version = version
    await _apply_up(worker, connection, answer)
    return answer


async def _apply_up(worker: WorkerPort, connection: Connection, answer: sdp_door.UpAnswer) -> None:
    tracks = SetUpTracks(request=0, peer=connection.name, tracks=answer.tracks)
    await _set(worker, connection, tracks, answer.remote)
    connection.tracks = answer.tracks
    mids = {track.mid for track in answer.tracks}
    connection.live = {mid: codec for mid, codec in connection.live.items() if mid in mids}


def plan_slots(slots: Sequence[tuple[str, Kind]]) -> list[SlotPlan]:
    """Fixed slots with fresh SSRCs, no two alike; MIDs are their places."""
    numbers: set[int] = set()
    while len(numbers) < 2 * len(slots):
        numbers.add(secrets.randbelow(0xFFFF_FFFE) + 1)
    fresh = iter(numbers)
    return [
        SlotPlan(
            name=name,
            mid=str(place),
            kind=kind,
            ssrc=next(fresh),
            rtx_ssrc=next(fresh) if kind is Kind.VIDEO else 0,
            group="main" if name in SYNCHRONISED else name,
        )
        for place, (name, kind) in enumerate(slots)
    ]


async def open_down(
    worker: WorkerPort, lesson: str, seat: str, slots: Sequence[tuple[str, Kind]]
) -> tuple[Connection, str]:
    """A new receiving connection, offered by us: the connection and the offer's text."""
    connection = await _open_peer(worker, lesson, seat, Direction.DOWN)
    connection.plan = plan_slots(slots)
    connection.offer = 1
    return connection, sdp_door.offer_down(connection.plan, connection.transport, version=1)


async def answered_down(worker: WorkerPort, connection: Connection, text: str) -> None:
    """The page's answer to our offer."""
    answer = sdp_door.read_down_answer(text, connection.plan)
    slots = SetDownSlots(request=0, peer=connection.name, slots=answer.slots)
    connection.answered = connection.offer
    await _set(worker, connection, slots, answer.remote)
    connection.slots = answer.slots


async def restart_down(worker: WorkerPort, connection: Connection) -> str:
    """Our ICE restart of a receiving connection: the offer's text. Media goes on over the old road until
    the page has found a new one."""
    done = await ask(worker, RestartIce(request=0, peer=connection.name))
    if done.transport is None:
        raise MediaLost("a restart without a transport")
    connection.transport = done.transport
    connection.version += 1
    connection.offer += 1
    return sdp_door.offer_down(connection.plan, connection.transport, version=connection.version)


async def open_whep(worker: WorkerPort, lesson: str, seat: str, text: str) -> tuple[Connection, str]:
    """A standard viewer's offer: one video, one audio."""
    offer = sdp_door.read_offer(text)
    connection = await _open_peer(worker, lesson, seat, Direction.DOWN)
    connection.plan = plan_slots((("video", Kind.VIDEO), ("main", Kind.AUDIO)))
    try:
        answer = sdp_door.answer_whep(offer, connection.plan, connection.transport, version=1)
    except BadSdp:
        worker.send(ClosePeer(peer=connection.name))
        raise
    slots = SetDownSlots(request=0, peer=connection.name, slots=answer.slots)
    await _set(worker, connection, slots, answer.remote)
    connection.slots = answer.slots
    return connection, answer.sdp


async def patch(worker: WorkerPort, connection: Connection, fragment: Fragment) -> str | None:
    """A WHIP or WHEP PATCH: None for trickled candidates, our new fragment for an ICE restart."""
    before = connection.remote
    if before is not None and fragment.ufrag == before.ufrag:
        return None
    if before is None:
        raise MediaLost("a connection without its other side")
    done = await ask(worker, RestartIce(request=0, peer=connection.name))
    if done.transport is None:
        raise MediaLost("a restart without a transport")
    connection.transport = done.transport
    remote = msgspec.structs.replace(before, ufrag=fragment.ufrag, pwd=fragment.pwd)
    await ask(worker, SetRemote(request=0, peer=connection.name, remote=remote))
    connection.remote = remote
    mids = [track.mid for track in connection.tracks] or [slot.mid for slot in connection.slots]
    return sdp_door.write_fragment(connection.transport, mids)


def take_back(snapshot: PeerSnapshot) -> Connection:
    """A connection that outlived campus, from what its worker tells. ValueError for a foreign name."""
    _, seat, direction = peer_parts(snapshot.peer)
    return Connection(
        name=snapshot.peer,
        seat=seat,
        direction=direction,
        transport=snapshot.transport,
        version=100,  # beyond what the other side has seen
        offer=100,
        remote=snapshot.remote,
        tracks=list(snapshot.up),
        slots=[each.slot for each in snapshot.down],
        pointed={each.slot.name: each.track for each in snapshot.down if each.track is not None},
        state=snapshot.state,
        live={track.mid: None for track in snapshot.up},
    )

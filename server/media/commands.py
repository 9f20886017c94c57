"""What each command of campus does to the worker's tables. Every one is idempotent.

A command that cannot be carried out gives a stable problem code; commands without a request number are
then counted and logged, for nobody waits for an answer.
"""

from __future__ import annotations

import logging
from typing import Protocol, assert_never

from server.media import contract
from server.media.contract import Command, Done
from server.media.forwarding import Forwarding, Problem
from server.media.peer import Moment, Peer
from server.media.taps import Tap, TapSlot

MAX_PEERS = 2_000
MAX_TAPS = 64
MAX_NAME = 200
MAX_NOTE = 4_096

_log = logging.getLogger("lianke.media")


class Worker(Protocol):
    """What commands need of the worker."""

    tables: Forwarding
    peers: dict[str, Peer]
    draining: bool

    def open_peer(self, name: str, room: str) -> Peer: ...
    def open_tap(self, room: str) -> Tap: ...
    def close_tap(self, room: str) -> None: ...
    def count(self, name: str) -> None: ...
    def viewing(self, command: contract.Viewing) -> None: ...


def carry_out(worker: Worker, command: Command) -> Done | None:
    """Do it. `Done` for a command with a request number, None for others."""
    request = getattr(command, "request", None)
    try:
        done = _carry_out(worker, command)
    except Problem as problem:
        worker.count(f"problem_{problem.code}")
        if request is None:
            _log.warning("%s: %s %s", type(command).__name__, problem.code, problem.detail)
            return None
        return Done(request, problem.code, problem.detail)
    except Exception as error:  # noqa: BLE001 - one command of ours is broken, the worker's rooms are not
        _log.exception("%s failed", type(command).__name__)
        return None if request is None else Done(request, "internal", type(error).__name__)
    return None if request is None else done or Done(request)


def _carry_out(worker: Worker, command: Command) -> Done | None:
    match command:
        case contract.OpenPeer():
            return Done(command.request, transport=_open_peer(worker, command).transport)
        case contract.SetRemote():
            if not _peer(worker, command.peer).set_remote(command.remote):
                raise Problem("fingerprint_changed", "another certificate needs a new connection")
        case contract.RestartIce():
            peer = _peer(worker, command.peer)
            peer.restart_ice()
            return Done(command.request, transport=peer.transport)
        case contract.SetUpTracks():
            peer = _peer(worker, command.peer)
            worker.tables.set_up_tracks(peer.name, peer.room, peer.handle, command.tracks)
        case contract.SetDownSlots():
            peer = _peer(worker, command.peer)
            worker.tables.set_down_slots(peer.name, peer.room, peer.handle, command.slots)
        case contract.Point():
            worker.tables.point(command.peer, command.slot, command.track)
        case contract.Viewing():
            worker.viewing(command)
        case contract.Burst():
            handle = _peer(worker, command.peer).handle
            worker.tables.relay.probe(handle, command.bitrate_bps, command.milliseconds)
        case contract.ClosePeer():
            if command.peer in worker.peers:
                worker.peers[command.peer].moment(Moment.CLOSED, "closed")
        case contract.CloseRoom():
            _close_room(worker, command.room)
        case contract.RequestKeyframe():
            up = worker.tables.ups.get(command.track)
            if up is not None:
                worker.tables.want_keyframe(up)
        case contract.OpenTap() | contract.TapTrack() | contract.UntapTrack() | contract.CloseTap():
            _tap(worker, command)
        case contract.Drain():
            worker.draining = True
        case contract.Hello():
            pass
        case _:
            assert_never(command)
    return None


def _tap(
    worker: Worker,
    command: contract.OpenTap | contract.TapTrack | contract.UntapTrack | contract.CloseTap,
) -> None:
    tap = worker.tables.taps.get(command.room)
    match command:
        case contract.OpenTap():
            if tap is None:
                _check_name(command.room)
                if len(worker.tables.taps) >= MAX_TAPS:
                    raise Problem("too_many_taps")
                worker.open_tap(command.room)
        case contract.TapTrack():
            if tap is None:
                raise Problem("unknown_tap", command.room)
            if not 1 <= command.number <= 65_535 or len(command.note) > MAX_NOTE:
                raise Problem("bad_tap_track")
            every = command.keyframe_every_s
            worker.tables.tap_track(tap, TapSlot(command.number, command.track, command.note, every))
        case contract.UntapTrack():
            if tap is not None:
                worker.tables.untap_track(tap, command.number)
        case contract.CloseTap():
            worker.close_tap(command.room)


def _open_peer(worker: Worker, command: contract.OpenPeer) -> Peer:
    known = worker.peers.get(command.peer)
    if known is not None:
        if known.room != command.room:
            raise Problem("other_room", "the peer lives in another room")
        return known
    _check_name(command.peer)
    _check_name(command.room)
    if worker.draining and all(peer.room != command.room for peer in worker.peers.values()):
        raise Problem("draining", "the worker takes no new room")
    if len(worker.peers) >= MAX_PEERS:
        raise Problem("too_many_peers")
    return worker.open_peer(command.peer, command.room)


def _close_room(worker: Worker, room: str) -> None:
    for peer in [each for each in worker.peers.values() if each.room == room]:
        peer.moment(Moment.CLOSED, "room_closed")
    worker.close_tap(room)


def _peer(worker: Worker, name: str) -> Peer:
    peer = worker.peers.get(name)
    if peer is None:
        raise Problem("unknown_peer", "no such peer, or it is gone")
    return peer


def _check_name(name: str) -> None:
    if not 0 < len(name.encode()) <= MAX_NAME:
        raise Problem("bad_name", f"names have 1 to {MAX_NAME} bytes")

"""Recording rings: a memfd for each tapped room, and the socket that hands them to the recorder.

The relay writes the ring's header and records (layout: `recorder.contract`); here the memfd is made
and kept, also for a while after the end, for a recorder that comes back late.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from recorder.contract import RING_HEADER, RecordKind
from server.media.contract import TrackName
from server.media.relay.relay import Relay
from server.media.relay.tables import Join

MAX_ROOM_NAME = 200
MAX_CLIENTS = 16
KEPT_AFTER_END_S = 60.0
STAY_S = 3.0
"""The recorder takes a stream that comes back sooner for stragglers."""
_RING_ID_OFFSET = 40


@dataclass(slots=True)
class TapSlot:
    """One track in a ring. `handle` is None while its up track does not exist."""

    number: int
    track: TrackName
    note: bytes
    keyframe_every_s: float
    handle: int | None = None
    layer: int = 0  # what it was last pointed at
    moved_at: float = float("-inf")

    @property
    def started(self) -> bool:
        return self.handle is not None


@dataclass(slots=True)
class Tap:
    """One room's ring. Only `close` closes the memfd; the recorder's copy lives on."""

    room: str
    relay: Relay
    fd: int
    handle: int
    ring_id: bytes
    slots: dict[int, TapSlot] = field(default_factory=dict)
    ended_at: float | None = None

    @classmethod
    def open(cls, relay: Relay, room: str, size: int) -> Tap:
        """Make a ring of `size` data bytes, rounded up to pages. OSError where none can be had."""
        whole = RING_HEADER + -(-size // 4096) * 4096
        fd = os.memfd_create("lianke-ring", os.MFD_CLOEXEC)
        try:
            os.ftruncate(fd, whole)
            handle = relay.add_tap(fd, whole)
            ring_id = os.pread(fd, 16, _RING_ID_OFFSET)
        except BaseException:
            os.close(fd)
            raise
        return cls(room, relay, fd, handle, ring_id)

    def start_track(self, slot: TapSlot, up: int, layer: int, *, video: bool) -> None:
        """Write what comes of this layer from now on; a picture from its next keyframe."""
        self.relay.tap_write(self.handle, RecordKind.TRACK, slot.number, slot.note)
        slot.handle = self.relay.add_tap_down(self.handle, slot.number, video)
        self.relay.point(slot.handle, up, layer, Join.LIVE)
        slot.layer, slot.moved_at = layer, float("-inf")

    def move(self, slot: TapSlot, up: int, layer: int, now: float) -> bool:
        """Write another layer of the track from its next keyframe on. Up again not sooner than STAY_S after
        the last move (False)."""
        assert slot.handle is not None
        if layer > slot.layer and now - slot.moved_at < STAY_S:
            return False
        self.relay.point(slot.handle, up, layer, Join.LIVE)
        slot.layer, slot.moved_at = layer, now
        return True

    def end_track(self, slot: TapSlot) -> None:
        if slot.handle is not None:
            self.relay.remove_down(slot.handle)
            slot.handle = None
            self.relay.tap_write(self.handle, RecordKind.TRACK_END, slot.number, b"")

    def end(self, now: float) -> None:
        """The lesson is over; the memfd stays for a recorder that has yet to come."""
        self.end_tracks()
        self.relay.tap_write(self.handle, RecordKind.END, 0, b"")
        self.relay.remove_tap(self.handle)
        self.ended_at = now

    def end_tracks(self) -> None:
        """Every track stops here, but the lesson may go on in another worker."""
        for slot in self.slots.values():
            self.end_track(slot)
        self.slots.clear()

    def close(self) -> None:
        os.close(self.fd)


class TapServer:
    """The SEQPACKET socket: a room's name in, ring id and memfd out. `find` gives a room's tap."""

    def __init__(self, path: str, find: Callable[[str], Tap | None]) -> None:
        self._find = find
        self._clients: set[socket.socket] = set()
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_NONBLOCK)
        Path(path).unlink(missing_ok=True)  # left by a process that died
        self._listener.bind(path)
        Path(path).chmod(0o600)
        self._listener.listen(8)
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._listener.fileno(), self._accept)

    def close(self) -> None:
        self._loop.remove_reader(self._listener.fileno())
        self._listener.close()
        for client in list(self._clients):
            self._drop(client)

    def _accept(self) -> None:
        try:
            client, _ = self._listener.accept()
        except OSError:
            return
        client.setblocking(False)
        if len(self._clients) >= MAX_CLIENTS:
            client.close()
            return
        self._clients.add(client)
        self._loop.add_reader(client.fileno(), self._answer, client)

    def _answer(self, client: socket.socket) -> None:
        try:
            name = client.recv(MAX_ROOM_NAME + 1)
            if not name:
                self._drop(client)
                return
            known = len(name) <= MAX_ROOM_NAME
            tap = self._find(name.decode("utf-8", "replace")) if known else None
            if tap is None:
                # An empty SEQPACKET packet is what the contract says; a reader sees zero bytes.
                client.send(b"")
            else:
                socket.send_fds(client, [tap.ring_id], [tap.fd])
        except BlockingIOError:
            return
        except OSError:
            self._drop(client)

    def _drop(self, client: socket.socket) -> None:
        self._loop.remove_reader(client.fileno())
        self._clients.discard(client)
        client.close()

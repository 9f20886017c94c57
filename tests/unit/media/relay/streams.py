"""Peers of the relay over TCP: `TcpWire` listens on both, `TcpFar` is one connection (RFC 4571 frames)."""

from __future__ import annotations

import contextlib
import select
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager

from server.media.relay.tables import Event
from tests.unit.media.relay.loopback import Rtp, Wire, parse_rtp, session_pair
from tests.unit.media.relay.test_demux import check

TRIES = 16


def framed(*messages: bytes) -> bytes:
    return b"".join(struct.pack("!H", len(each)) + each for each in messages)


class TcpWire(Wire):
    """A relay with a UDP door and a TCP door."""

    def __init__(self, family: int = socket.AF_INET) -> None:
        super().__init__(family)
        self.tcp_door = socket.socket(family, socket.SOCK_STREAM)
        self.tcp_door.setblocking(False)
        self.connections: list[TcpFar] = []
        try:
            self.tcp_door.bind(self.address[:2])
        except OSError:  # somebody has this number in TCP
            self.close()
            raise
        self.tcp_door.listen(256)
        self.tcp_number = self.relay.adopt(self.tcp_door.fileno())

    def run(self) -> list[Event]:
        found = super().run()
        watched = self.relay.watched(self.tcp_number)
        while select.select([watched], [], [], 0)[0]:
            told = self.relay.receive(self.tcp_number)
            self.events += told
            found += told
        return found

    def closed(self) -> int:
        return self.relay.totals()["streams_closed"]

    def close(self) -> None:
        super().close()
        self.tcp_door.close()
        for each in self.connections:
            each.socket.close()


class TcpFar:
    """A connection to the relay's TCP door; a peer once `prove` was called."""

    def __init__(self, wire: TcpWire, *, receive_buffer: int = 0) -> None:
        self.wire = wire
        self.socket = socket.socket(wire.tcp_door.family, socket.SOCK_STREAM)
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        wire.connections.append(self)
        self.socket.connect(wire.tcp_door.getsockname()[:2])
        self.address = self.socket.getsockname()[:2]
        self.ended = False
        self._bytes = b""
        self.encrypts, self._opens = session_pair()
        self._seals, self.decrypts = session_pair()
        self.handle = -1

    def prove(self, ufrag: bytes) -> TcpFar:
        """A check that the test's Python answers as the worker's would; then SRTP."""
        self.handle = self.wire.relay.add_peer(ufrag)
        self.send(check(f"{ufrag.decode()}:theirs"))
        self.wire.tick_until(
            lambda: any(e.handle == self.handle and e.address == self.address for e in self.wire.events)
        )
        number = self.wire.tcp_number
        assert self.wire.relay.validate(self.handle, number, self.address)
        self.wire.relay.aim(self.handle, number, self.address)
        self.wire.relay.secure(self.handle, self._opens, self._seals)
        return self

    def send(self, message: bytes) -> None:
        self.socket.sendall(framed(message))

    def send_rtp(self, packet: bytes) -> None:
        self.send(self.encrypts.protect(packet))

    def frames(self, most: int = 1 << 30) -> list[bytes]:
        """Whole frames among what has arrived; at most so many octets are read."""
        while most > 0 and not self.ended and select.select([self.socket], [], [], 0)[0]:
            try:
                came = self.socket.recv(min(most, 1 << 16))
            except ConnectionResetError:
                came = b""
            self.ended = not came
            self._bytes += came
            most -= len(came)
        found = []
        while len(self._bytes) >= 2:
            size = struct.unpack_from("!H", self._bytes)[0]
            if len(self._bytes) < 2 + size:
                break
            found.append(self._bytes[2 : 2 + size])
            self._bytes = self._bytes[2 + size :]
        return found

    def packets(self, most: int = 1 << 30) -> list[Rtp]:
        return [
            parse_rtp(self.decrypts.unprotect(each))
            for each in self.frames(most)
            if 128 <= each[0] <= 191 and not 192 <= each[1] <= 223
        ]

    def is_closed(self) -> bool:
        self.frames()
        return self.ended


def free_in_both(family: int = socket.AF_INET) -> TcpWire:
    """A wire whose number nobody else has."""
    for _ in range(TRIES):
        with contextlib.suppress(OSError):
            return TcpWire(family)
    raise OSError("no port is free for both UDP and TCP")


@contextmanager
def tcp_wired(family: int = socket.AF_INET) -> Iterator[TcpWire]:
    wire = free_in_both(family)
    try:
        yield wire
    finally:
        wire.close()

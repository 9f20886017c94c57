"""RTMP's chunk stream (Adobe, "Real-Time Messaging Protocol", 5.3): bytes to messages and back. Pure.

Whatever comes, memory is bounded: so many chunk streams, so large a message, so much in the making.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

SET_CHUNK_SIZE, ABORT, ACKNOWLEDGEMENT, USER_CONTROL = 1, 2, 3, 4
WINDOW_SIZE, PEER_BANDWIDTH = 5, 6
AUDIO, VIDEO, DATA, COMMAND = 8, 9, 18, 20

MOST_MESSAGE = 4 << 20  # a keyframe of 1080p is some 300 kB
MOST_IN_MAKING = 6 << 20
MOST_STREAMS = 16
FIRST_CHUNK_SIZE = 128
_EXTENDED = 0xFFFFFF
_HEADER_SIZES = (11, 7, 3, 0)


class BadRtmp(ValueError):
    """Bytes that are no RTMP, or more than anybody needs."""


@dataclass(frozen=True, slots=True)
class Message:
    """One whole message. `timestamp`: milliseconds, of 32 bits."""

    kind: int
    stream: int
    timestamp: int
    payload: bytes


@dataclass(slots=True)
class _ChunkStream:
    timestamp: int = 0
    delta: int = 0
    length: int = 0
    kind: int = 0
    stream: int = 0
    extended: bool = False
    payload: bytearray = field(default_factory=bytearray)


@dataclass(slots=True)
class ChunkReader:
    """Give it bytes as they come; it gives messages as they are whole. BadRtmp ends the connection."""

    chunk_size: int = FIRST_CHUNK_SIZE
    received: int = 0
    _buffer: bytearray = field(default_factory=bytearray)
    _streams: dict[int, _ChunkStream] = field(default_factory=dict)
    _making: int = 0

    def feed(self, data: bytes) -> Iterator[Message]:
        self.received += len(data)
        self._buffer += data
        at = 0
        try:
            while (step := self._chunk(at)) is not None:
                at, message = step
                if message is None:
                    continue
                if message.kind == SET_CHUNK_SIZE:
                    self._resize(message.payload)
                elif message.kind == ABORT:
                    self._abort(message.payload)
                else:
                    yield message
        finally:
            del self._buffer[:at]

    def _chunk(self, at: int) -> tuple[int, Message | None] | None:
        """Where the chunk at `at` ends, and the message that it makes whole; None: more bytes are needed."""
        head = self._basic_header(at)
        if head is None:
            return None
        form, number, at = head
        stream = self._streams.get(number)
        if stream is None:
            if len(self._streams) >= MOST_STREAMS or form == 3:
                raise BadRtmp("too many chunk streams, or one that never began")
            stream = _ChunkStream()
        size = _HEADER_SIZES[form]
        header = self._buffer[at : at + size]
        at += size
        if len(header) < size:
            return None
        stamp = int.from_bytes(header[:3], "big") if size else 0
        extended = stamp == _EXTENDED if size else stream.extended
        if extended:
            if len(self._buffer) < at + 4:
                return None
            stamp = int.from_bytes(self._buffer[at : at + 4], "big")
            at += 4
        length = int.from_bytes(header[3:6], "big") if size >= 7 else stream.length
        if length > MOST_MESSAGE:
            raise BadRtmp(f"a message of {length} bytes")
        begins = not stream.payload
        need = min(self.chunk_size, length - (0 if begins else len(stream.payload)))
        if len(self._buffer) < at + need:
            return None
        self._streams[number] = stream
        if begins:
            self._begin(stream, form, header, stamp, length, extended)
        elif form != 3:
            raise BadRtmp("a message within another one")
        return at + need, self._grow(stream, bytes(self._buffer[at : at + need]))

    def _basic_header(self, at: int) -> tuple[int, int, int] | None:
        buffer = self._buffer
        if len(buffer) <= at:
            return None
        form, number, at = buffer[at] >> 6, buffer[at] & 63, at + 1
        more = {0: 1, 1: 2}.get(number, 0)
        if len(buffer) < at + more:
            return None
        if more:
            number = 64 + int.from_bytes(buffer[at : at + more], "little")
        return form, number, at + more

    def _begin(
        self, stream: _ChunkStream, form: int, header: bytearray, stamp: int, length: int, extended: bool
    ) -> None:
        if form == 0:
            stream.timestamp, stream.delta = stamp, 0
            stream.stream = int.from_bytes(header[7:11], "little")
        else:
            stream.delta = stream.delta if form == 3 else stamp
            stream.timestamp = (stream.timestamp + stream.delta) & 0xFFFFFFFF
        if form < 2:
            stream.kind = header[6]
        stream.length, stream.extended = length, extended

    def _grow(self, stream: _ChunkStream, data: bytes) -> Message | None:
        stream.payload += data
        self._making += len(data)
        if self._making > MOST_IN_MAKING:
            raise BadRtmp("too much in the making")
        if len(stream.payload) < stream.length:
            return None
        payload = bytes(stream.payload)
        self._making -= len(payload)
        stream.payload.clear()
        return Message(stream.kind, stream.stream, stream.timestamp, payload)

    def _resize(self, payload: bytes) -> None:
        size = int.from_bytes(payload[:4], "big")
        if len(payload) < 4 or not 1 <= size <= 0xFFFFFF:
            raise BadRtmp(f"chunks of {size} bytes")
        self.chunk_size = size

    def _abort(self, payload: bytes) -> None:
        stream = self._streams.get(int.from_bytes(payload[:4], "big"))
        if stream is not None:
            self._making -= len(stream.payload)
            stream.payload.clear()


def chunked(message: Message, chunk_stream: int, chunk_size: int = FIRST_CHUNK_SIZE) -> bytes:
    """A message as chunks on a chunk stream of 2 to 63."""
    payload, out = message.payload, bytearray([chunk_stream])
    out += min(message.timestamp, _EXTENDED).to_bytes(3, "big") + len(payload).to_bytes(3, "big")
    out += bytes([message.kind]) + message.stream.to_bytes(4, "little")
    if message.timestamp >= _EXTENDED:
        out += message.timestamp.to_bytes(4, "big")
    for at in range(0, len(payload), chunk_size):
        if at:
            out.append(0xC0 | chunk_stream)
            out += message.timestamp.to_bytes(4, "big") if message.timestamp >= _EXTENDED else b""
        out += payload[at : at + chunk_size]
    return bytes(out)

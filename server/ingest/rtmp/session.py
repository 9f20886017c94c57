"""An encoder's RTMP connection, our side of it: handshake, commands, the wish to publish, then media. Pure.

bytes -> [handshake] -> connect -> createStream -> publish(key) -> (accept | refuse) -> media -> end
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from server.ingest.rtmp import amf, chunks
from server.ingest.rtmp.chunks import BadRtmp, ChunkReader, Message

HANDSHAKE = 1536
VERSION = 3
WINDOW = 2_500_000
OUR_CHUNK_SIZE = 4_096
MOST_COMMAND = 64 << 10
_CONTROL, _COMMANDS = 2, 3
_MEDIA = (chunks.AUDIO, chunks.VIDEO, chunks.DATA)


class RtmpState(StrEnum):
    """Where a connection is."""

    GREETING = "greeting"
    CONNECTING = "connecting"
    ASKING = "asking"  # the key was said; accept() or refuse() is next
    PUBLISHING = "publishing"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Asked:
    """It wants to publish with this key, at `app`."""

    app: str
    key: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Media:
    """One tag's content: sound, picture or metadata. `timestamp`: milliseconds, of 32 bits."""

    kind: int
    timestamp: int
    payload: bytes


@dataclass(frozen=True, slots=True)
class Ended:
    """It says that it stops."""


Heard = Asked | Media | Ended


@dataclass(slots=True)
class RtmpSession:
    """`receive` bytes; what is to be sent is in `take`. BadRtmp: close the connection."""

    state: RtmpState = RtmpState.GREETING
    _app: str = ""
    _stream: int = 1
    _greeting: bytearray = field(default_factory=bytearray)
    _reader: ChunkReader = field(default_factory=ChunkReader)
    _out: bytearray = field(default_factory=bytearray)
    _acknowledged: int = 0
    _greeted: bool = False

    def take(self) -> bytes:
        """What is to be sent now."""
        data = bytes(self._out)
        self._out.clear()
        return data

    def receive(self, data: bytes) -> Iterator[Heard]:
        if self.state is RtmpState.GREETING:
            data = self._greet(data)
        for message in self._reader.feed(data):
            if message.kind in _MEDIA and self.state is RtmpState.PUBLISHING:
                yield Media(message.kind, message.timestamp, message.payload)
            elif message.kind == chunks.COMMAND:
                yield from self._command(message)
            elif message.kind in _MEDIA:
                raise BadRtmp("media before a key was accepted")
        if self._reader.received - self._acknowledged > WINDOW // 2:
            self._acknowledged = self._reader.received
            self._control(chunks.ACKNOWLEDGEMENT, (self._acknowledged & 0xFFFFFFFF).to_bytes(4, "big"))

    def accept(self) -> None:
        """The key is good: media may come."""
        self.state = RtmpState.PUBLISHING
        self._status("status", "NetStream.Publish.Start", "go ahead")

    def refuse(self, code: str, words: str) -> None:
        """It may not publish, and why."""
        self.state = RtmpState.ENDED
        self._status("error", code, words)

    # -- handshake (5.2): C0 C1 in, S0 S1 S2 out, C2 in ---------------------------------------------

    def _greet(self, data: bytes) -> bytes:
        self._greeting += data
        if self._greeting[0] != VERSION:
            raise BadRtmp("not RTMP")
        if len(self._greeting) < 1 + HANDSHAKE:
            return b""
        if not self._greeted:
            ours = bytes(8) + secrets.token_bytes(HANDSHAKE - 8)
            self._out += bytes([VERSION]) + ours + self._greeting[1 : 1 + HANDSHAKE]
            self._greeted = True
        if len(self._greeting) < 1 + 2 * HANDSHAKE:
            return b""
        rest = bytes(self._greeting[1 + 2 * HANDSHAKE :])
        self._greeting.clear()
        self.state = RtmpState.CONNECTING
        return rest

    # -- commands (7.2) --------------------------------------------------------------------------------

    def _command(self, message: Message) -> Iterator[Heard]:
        if len(message.payload) > MOST_COMMAND:
            raise BadRtmp("too long a command")
        try:
            values = amf.decode(message.payload)
        except amf.BadAmf as error:
            raise BadRtmp(str(error)) from None
        name, number = (*values, None, None)[:2]
        number = number if isinstance(number, float) else 0.0
        match name:
            case "connect" if self.state is RtmpState.CONNECTING:
                self._connect(values, number)
            case "createStream":
                self._answer("_result", number, None, float(self._stream))
            case "publish" if self.state is RtmpState.CONNECTING:
                key = values[3] if len(values) > 3 else None
                self.state = RtmpState.ASKING
                yield Asked(self._app, key if isinstance(key, str) else "")
            case "publish" | "connect":
                raise BadRtmp(f"{name} in the state {self.state}")
            case "deleteStream" | "FCUnpublish" | "closeStream":
                self.state = RtmpState.ENDED
                yield Ended()
            case "play":
                raise BadRtmp("nothing is played here")
            case _:  # releaseStream, FCPublish, _checkbw, ...: an answer is all they want
                self._answer("_result", number, None, None)

    def _connect(self, values: list[amf.Value], number: float) -> None:
        about = values[2] if len(values) > 2 else None
        app = about.get("app") if isinstance(about, dict) else None
        self._app = app if isinstance(app, str) else ""
        self._control(chunks.WINDOW_SIZE, WINDOW.to_bytes(4, "big"))
        self._control(chunks.PEER_BANDWIDTH, WINDOW.to_bytes(4, "big") + b"\2")
        self._control(chunks.SET_CHUNK_SIZE, OUR_CHUNK_SIZE.to_bytes(4, "big"))
        server: amf.Value = {"fmsVer": "FMS/3,0,1,123", "capabilities": 31.0}
        status: amf.Value = {
            "level": "status",
            "code": "NetConnection.Connect.Success",
            "description": "connected",
            "objectEncoding": 0.0,
        }
        self._answer("_result", number, server, status)

    def _status(self, level: str, code: str, words: str) -> None:
        said: amf.Value = {"level": level, "code": code, "description": words}
        self._answer("onStatus", 0.0, None, said, stream=self._stream)

    def _answer(self, name: str, number: float, *values: amf.Value, stream: int = 0) -> None:
        payload = amf.encode([name, number, *values])
        self._out += chunks.chunked(Message(chunks.COMMAND, stream, 0, payload), _COMMANDS, OUR_CHUNK_SIZE)

    def _control(self, kind: int, payload: bytes) -> None:
        self._out += chunks.chunked(Message(kind, 0, 0, payload), _CONTROL)

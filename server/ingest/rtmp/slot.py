"""What one encoder pushes, from the connection that brings it to the thread that reads it as FLV.

Outside a lesson nobody reads: what comes is let go, only the codecs' headers are kept. A reader is given what
comes from the next keyframe on. It is bounded: a reader too slow for it loses whole groups of pictures.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from server.ingest.rtmp import chunks
from server.ingest.rtmp.session import Media

MOST_WAITING = 8 << 20
READ_S = 5.0
_LOOK_S = 0.25
_FLV = b"FLV\x01"


@dataclass(slots=True)
class PushSlot:
    """`begin`, `put`, `end` are of the event loop, the rest of the reading thread."""

    pushing: bool = False
    dropped: int = 0  # times a slow reader lost pictures
    _turn: threading.Condition = field(default_factory=threading.Condition)
    _headers: dict[int, Media] = field(default_factory=dict)
    _tags: deque[bytes] = field(default_factory=deque)
    _waiting: int = 0
    _reading: bool = False
    _begun: bool = False
    _skipping: bool = False

    def begin(self) -> None:
        with self._turn:
            self.pushing, self._begun, self._skipping = True, False, False
            self._headers.clear()
            self._tags.clear()
            self._waiting = 0

    def end(self) -> None:
        with self._turn:
            self.pushing = False
            self._turn.notify_all()

    def put(self, media: Media) -> None:
        """A tag has come. It never waits."""
        with self._turn:
            if is_header(media):
                self._headers[media.kind] = media
            if not self._reading or not media.payload:
                return
            if not self._begun:
                if not self._may_begin(media):
                    return
                self._begin_flv(media.timestamp)
                if is_header(media):
                    return
            if self._skipping and not is_keyframe(media):
                return
            self._skipping = self._waiting > MOST_WAITING
            if self._skipping:
                self.dropped += 1
                return
            self._add(tag(media))
            self._turn.notify_all()

    def opened(self, stop: Callable[[], bool], wait_s: float) -> FlvReader | None:
        """A reader, once the encoder is there and its first keyframe came; None where it is not within
        `wait_s`, or `stop` says so."""
        until = time.monotonic() + wait_s
        with self._turn:
            self._reading, self._begun, self._skipping = True, False, False
            self._tags.clear()
            self._waiting = 0
            while not self._tags:
                if stop() or time.monotonic() > until:
                    self._reading = False
                    return None
                self._turn.wait(_LOOK_S)
        return FlvReader(self, stop)

    def closed(self) -> None:
        """Nobody reads any more."""
        with self._turn:
            self._reading = self._begun = False
            self._tags.clear()
            self._waiting = 0

    def next_piece(self, stop: Callable[[], bool]) -> bytes:
        """Some bytes; b"" where it ended, or stood still for READ_S."""
        until = time.monotonic() + READ_S
        with self._turn:
            while not self._tags:
                if stop() or not self.pushing or time.monotonic() > until:
                    return b""
                self._turn.wait(_LOOK_S)
            piece = self._tags.popleft()
            self._waiting -= len(piece)
            return piece

    def _may_begin(self, media: Media) -> bool:
        """At a keyframe; where there is no picture at all, at any sound."""
        if media.kind == chunks.VIDEO:
            return is_keyframe(media) and not is_header(media)
        return media.kind == chunks.AUDIO and not is_header(media) and chunks.VIDEO not in self._headers

    def _begin_flv(self, timestamp: int) -> None:
        self._begun = True
        about = self._headers.get(chunks.DATA)
        sound = chunks.AUDIO in self._headers or (about is not None and b"audiocodecid" in about.payload)
        flags = (1 if chunks.VIDEO in self._headers else 0) | (4 if sound else 0)
        self._add(_FLV + bytes([flags]) + (9).to_bytes(4, "big") + bytes(4))
        for header in self._headers.values():
            self._add(tag(Media(header.kind, timestamp, header.payload)))

    def _add(self, data: bytes) -> None:
        self._tags.append(data)
        self._waiting += len(data)


@dataclass(slots=True)
class FlvReader:
    """A file for who reads FLV: blocks until something comes, ends with the encoder."""

    _slot: PushSlot
    _stop: Callable[[], bool]
    _left: bytes = b""

    def read(self, size: int) -> bytes:
        if not self._left:
            self._left = self._slot.next_piece(self._stop)
        piece, self._left = self._left[:size], self._left[size:]
        return piece

    def close(self) -> None:
        self._slot.closed()


def tag(media: Media) -> bytes:
    """An FLV tag and the size that follows it (Adobe, "Video File Format", E.4.1)."""
    payload = media.payload
    if media.kind == chunks.DATA and payload.startswith(b"\x02\x00\x0d@setDataFrame"):
        payload = payload[16:]
    stamp = media.timestamp & 0xFFFFFFFF
    head = bytes([media.kind]) + len(payload).to_bytes(3, "big")
    head += (stamp & 0xFFFFFF).to_bytes(3, "big") + bytes([stamp >> 24]) + bytes(3)
    return head + payload + (11 + len(payload)).to_bytes(4, "big")


def is_header(media: Media) -> bool:
    """Whether a tag is a codec's parameters, or metadata, which all that follows needs."""
    payload = media.payload
    if media.kind == chunks.DATA:
        return True
    if len(payload) < 2:
        return False
    if media.kind == chunks.VIDEO:
        return not payload[0] & 15 if payload[0] & 0x80 else payload[0] & 15 in (7, 12) and not payload[1]
    if payload[0] >> 4 == 9:  # extended: a sequence start
        return not payload[0] & 15
    return payload[0] >> 4 == 10 and not payload[1]


def is_keyframe(media: Media) -> bool:
    return media.kind == chunks.VIDEO and bool(media.payload) and media.payload[0] >> 4 & 7 == 1

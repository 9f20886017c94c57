"""What one encoder pushes, from the connection that brings it to those who read it as FLV.

While nobody reads, what comes is let go, only the codecs' headers are kept. Each reader has a bounded queue
of its own, so none disturbs another: one that is too slow loses whole groups of pictures, and it alone.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from server.ingest.rtmp import chunks
from server.ingest.rtmp.session import Media

MOST_WAITING = 8 << 20  # octets for one reader
MOST_READERS = 4  # a lesson, the one before it that is ending, two probes
READ_S = 5.0
_LOOK_S = 0.25
_PICTURE_S = 1.0
_FLV = b"FLV\x01"


@dataclass(slots=True, eq=False)
class PushReader:
    """What one reader is to be given yet: of one push, from the next keyframe on, or `at_once` from the next
    picture. Its slot's lock is held around `offer` and `take`."""

    at_once: bool = False
    woken: Callable[[], None] = field(default=lambda: None)  # something came, or it is over
    dropped: int = 0  # times it was too slow and lost pictures
    begun: bool = False
    over: bool = False  # nothing more comes; what waits may still be taken
    waiting: int = 0  # octets
    _tags: deque[bytes] = field(default_factory=deque)
    _skipping: bool = False

    def offer(self, media: Media, data: bytes, headers: dict[int, Media]) -> None:
        """A tag (`data` in FLV) has come; `headers`: those of before, and it where it is one."""
        if not self.begun:
            if not self._may_begin(media, headers):
                return
            self._begin(media.timestamp, headers)
        if self._skipping and (is_header(media) or not is_keyframe(media)):
            return
        if self.waiting > MOST_WAITING:
            self._skipping = True
            self.dropped += 1
            return
        if self._skipping:  # they may have changed meanwhile
            self._skipping = False
            self._add_headers(media.timestamp, headers)
        self._add(data)
        self.woken()

    def take(self) -> bytes:
        """Some bytes; b"" where none wait."""
        if not self._tags:
            return b""
        piece = self._tags.popleft()
        self.waiting -= len(piece)
        return piece

    def end(self) -> None:
        self.over = True
        self.woken()

    def _may_begin(self, media: Media, headers: dict[int, Media]) -> bool:
        """At a picture; where there is none at all, at any sound."""
        if is_header(media):
            return False
        if media.kind == chunks.VIDEO:
            return is_keyframe(media) or (self.at_once and chunks.VIDEO in headers)
        return media.kind == chunks.AUDIO and chunks.VIDEO not in headers

    def _begin(self, timestamp: int, headers: dict[int, Media]) -> None:
        self.begun = True
        about = headers.get(chunks.DATA)
        sound = chunks.AUDIO in headers or (about is not None and b"audiocodecid" in about.payload)
        flags = (1 if chunks.VIDEO in headers else 0) | (4 if sound else 0)
        self._add(_FLV + bytes([flags]) + (9).to_bytes(4, "big") + bytes(4))
        self._add_headers(timestamp, headers)

    def _add_headers(self, timestamp: int, headers: dict[int, Media]) -> None:
        for header in headers.values():
            self._add(tag(Media(header.kind, timestamp, header.payload)))

    def _add(self, data: bytes) -> None:
        self._tags.append(data)
        self.waiting += len(data)


@dataclass(slots=True)
class PushSlot:
    """`begin`, `put`, `end`, `joined` are of the event loop, `opened` of a reading thread."""

    pushing: bool = False
    _turn: threading.Condition = field(default_factory=threading.Condition)
    _headers: dict[int, Media] = field(default_factory=dict)
    _readers: list[PushReader] = field(default_factory=list)

    def begin(self) -> None:
        with self._turn:
            self.pushing = True
            self._headers.clear()

    def end(self) -> None:
        """The encoder is gone, with all there was. Who waits for a keyframe waits for the next push."""
        with self._turn:
            self.pushing = False
            ended = [reader for reader in self._readers if reader.begun or reader.at_once]
            self._readers = [reader for reader in self._readers if reader not in ended]
            for reader in ended:
                reader.end()
            self._turn.notify_all()

    def put(self, media: Media) -> None:
        """A tag has come. It never waits."""
        with self._turn:
            if is_header(media):
                self._headers[media.kind] = media
            if not self._readers or not media.payload:
                return
            data = tag(media)
            for reader in self._readers:
                reader.offer(media, data, self._headers)
            self._turn.notify_all()

    def joined(self, reader: PushReader) -> bool:
        """Whether the reader is one of them now; not where there are MOST_READERS already."""
        with self._turn:
            if len(self._readers) >= MOST_READERS:
                return False
            self._readers.append(reader)
            return True

    def left(self, reader: PushReader) -> None:
        """It reads no more."""
        with self._turn:
            self._readers = [each for each in self._readers if each is not reader]

    def taken(self, reader: PushReader) -> bytes:
        """Some bytes of what waits for a reader; b"" where nothing does."""
        with self._turn:
            return reader.take()

    def opened(self, stop: Callable[[], bool], wait_s: float) -> FlvReader | None:
        """A reader, once the encoder is there, from a keyframe on; where none comes for `wait_s`, from any
        picture. None where nothing came by then, or `stop` says so."""
        reader = PushReader()
        if not self.joined(reader):
            return None
        self._await(reader, stop, wait_s)
        if self.pushing and not reader.begun:
            reader.at_once = True
            self._await(reader, stop, _PICTURE_S)
        if reader.begun:
            return FlvReader(self, reader, stop)
        self.left(reader)
        return None

    def _await(self, reader: PushReader, stop: Callable[[], bool], wait_s: float) -> None:
        until = time.monotonic() + wait_s
        with self._turn:
            while not reader.begun and not reader.over and not stop() and time.monotonic() <= until:
                self._turn.wait(_LOOK_S)

    def next_piece(self, reader: PushReader, stop: Callable[[], bool]) -> bytes:
        """Some bytes; b"" where it ended, or stood still for READ_S."""
        until = time.monotonic() + READ_S
        with self._turn:
            while not (piece := reader.take()):
                if stop() or reader.over or time.monotonic() > until:
                    return b""
                self._turn.wait(_LOOK_S)
            return piece


@dataclass(slots=True)
class FlvReader:
    """A file for who reads FLV: blocks until something comes, ends with the encoder."""

    _slot: PushSlot
    _reader: PushReader
    _stop: Callable[[], bool]
    _left: bytes = b""

    def read(self, size: int) -> bytes:
        if not self._left:
            self._left = self._slot.next_piece(self._reader, self._stop)
        piece, self._left = self._left[:size], self._left[size:]
        return piece

    def close(self) -> None:
        self._slot.left(self._reader)


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

"""What campus and workers say to the recorder: control messages and the tap ring's layout.

**Control** (campus -> recorder, Unix socket, framed by `recorder.framing`): `Hello`, `Begin`,
`Finish`, `Pause`; the recorder answers `Welcome`, tells `Recording` whenever something changed,
`KeyframeWanted` where only a keyframe ends a hole, `Grown` where there is more to play. Each is idempotent:
after a restart of either side campus says `Begin` again for every live lesson.

**Tap socket** (recorder -> worker, Unix SEQPACKET socket): the recorder sends the room's name
(UTF-8, at most 200 bytes) as one packet; the worker answers one packet: 16 bytes ring id and the
memfd as SCM_RIGHTS, or an empty packet where it has no such tap.

**The ring** (a memfd, one writer: the relay; one reader: the recorder). The first RING_HEADER bytes
are the header, little endian, at these offsets:

    0   8s  magic RING_MAGIC
    8   u32 version (1)
    12  u32 reserved
    16  u64 capacity: bytes of the data area (a multiple of 8)
    24  u64 head: bytes ever written (stored with release order after the record is whole)
    32  u64 tail: position of the oldest record not yet overwritten (stored before overwriting)
    40  16s ring id, random
    56  u64 wall clock (ns since 1970) when monotonic clock was at 64
    64  u64 monotonic clock (ns) of the same instant
    72  u64 records ever written

A position p is at offset RING_HEADER + p % capacity. Records begin at multiples of 8 and never span
the end: a PAD record (8 bytes at least, then with its header cut) fills it. The writer never waits; a
reader that finds `tail` beyond its own position has lost data and goes on at `tail`. A reader copies a
record, then reads `tail` again and throws the copy away where it was overtaken.

    0   u32 length of the whole record, header included, without alignment
    4   u8  kind (RecordKind)
    5   u8  flags (bit 0: recovered by RTX or late)
    6   u16 track number (0: none)
    8   u64 arrival, monotonic ns
    16  data
"""

from __future__ import annotations

from enum import IntEnum, StrEnum

import msgspec

VERSION = 1
RING_MAGIC = b"LKRING\x00\x01"
RING_HEADER = 4096
RECORD_HEADER = 16


class RecordKind(IntEnum):
    PAD = 0
    RTP = 1  # data: an RTP packet, plain, the publisher's SSRC, sequence and time; PT: PAYLOAD_TYPES
    SENDER_REPORT = 2  # data: SSRC u32, NTP u64, RTP time u32, all big endian as on the wire
    TRACK = 3  # data: TrackNote, msgpack: this track begins (again), perhaps with another codec
    TRACK_END = 4  # this track has stopped (untapped: paused, muted or gone)
    END = 5  # the lesson is over


PAYLOAD_TYPES = {96: "H264", 97: "VP8", 98: "VP9", 99: "AV1", 111: "opus"}
"""Payload types in RTP records, whatever was negotiated. RED is unwrapped before. Header extensions and
padding are removed; CSRCs too."""


class Subject(StrEnum):
    """Whom or what a track shows: decides whether it may be written at all."""

    TEACHER = "teacher"
    BOARD = "board"
    SCREEN = "screen"
    VOICE = "voice"
    PUPILS = "pupils"
    PUPILS_VOICE = "pupils_voice"


class TrackNote(msgspec.Struct, frozen=True):
    """In-band: what track `number` is. `name` is unique in the lesson and names its files
    ([a-z0-9-]{1,40}, e.g. "camera", "screen", "voice", "room-shahe-camera")."""

    number: int
    name: str
    subject: Subject
    kind: str  # "audio" | "video"
    codec: str  # one of PAYLOAD_TYPES' values
    room: str = ""


# -- control -----------------------------------------------------------------------------------------


class Hello(msgspec.Struct, frozen=True, tag="hello"):
    version: int = VERSION


class Begin(msgspec.Struct, frozen=True, tag="begin"):
    """Record a room from this tap. Said again with another `tap_socket` after its worker died."""

    lesson: str
    title: str
    started_at: str  # RFC 3339, wall clock
    tap_socket: str
    room: str


class Finish(msgspec.Struct, frozen=True, tag="finish"):
    """The lesson is over: drain the ring, finish every file, write the manifest. `about`: what campus knows
    of the lesson, put beside the manifest as it is, so that its rows can be made again from the disk."""

    lesson: str
    about: bytes = b""


class Pause(msgspec.Struct, frozen=True, tag="pause"):
    """Nothing of the lesson is tapped for now, by the teacher's wish (or it is again): the hole is no
    fault."""

    lesson: str
    paused: bool


Command = Hello | Begin | Finish | Pause


class RecordingState(StrEnum):
    RECORDING = "recording"
    FINISHING = "finishing"
    READY = "ready"
    FAILED = "failed"


class Recording(msgspec.Struct, frozen=True, tag="recording"):
    """One recording as it is now. `seconds`: what is playable; `problem`: "" or a stable code."""

    lesson: str
    state: RecordingState
    seconds: float = 0.0
    ready_after_s: float | None = None
    problem: str = ""
    detail: str = ""


class Welcome(msgspec.Struct, frozen=True, tag="welcome"):
    recordings: list[Recording]
    free_bytes: int
    version: int = VERSION


class KeyframeWanted(msgspec.Struct, frozen=True, tag="keyframe_wanted"):
    """Packets of this track (`TrackNote.name`) are lost for good: no picture of it can be kept until a
    keyframe comes. Told at most once in 2 s for a track, for as long as that is so."""

    lesson: str
    track: str


class Grown(msgspec.Struct, frozen=True, tag="grown"):
    """A playlist of this lesson has more in it: who waits for the next part may read it again. Told about
    once a second while the lesson is recorded, never twice: it may be missed."""

    lesson: str


Event = Welcome | Recording | KeyframeWanted | Grown

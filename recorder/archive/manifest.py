"""The manifest: what one recording holds, as one JSON file, versioned, written whole or not at all.

Times are seconds on the lesson's clock, whose zero is the arrival of the lesson's first recorded
packet; every playlist's media time 0 is that zero, and every playlist covers the lesson from 0 to
`Manifest.seconds`: where nothing came the picture stands still and the voice is silent, and the hole is
listed in `Track.gaps`.
"""

from __future__ import annotations

import os
from enum import StrEnum
from pathlib import Path

import msgspec

from recorder.archive.layout import MANIFEST
from recorder.contract import RecordingState, Subject

VERSION = 1
MAX_BYTES = 16 << 20


class BadManifest(Exception):
    """A manifest that is missing, damaged, of a version this program does not know, or another lesson's
    (a folder that was copied). `code` is one of "missing", "damaged", "newer_version", "other_lesson"."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code


class BadRecording(Exception):
    """What was asked cannot be done with this recording. `code` is one of "recording" (it is still being
    made), "busy" (another program works on it), "empty", "no_journal", "journal_damaged"."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code


class GapCause(StrEnum):
    """Why a stretch of a track holds no media of its own."""

    NOT_STARTED = (
        "not_started"  # before the track's first packet: the first picture is shown, voice is silent
    )
    SOURCE_AWAY = "source_away"  # the source stopped or fell silent: unplugged, muted, its line was cut
    LOSS = "loss"  # packets were lost for good; a picture stands until the next keyframe
    SERVER = "server"  # a media worker or the recorder was away, or the disk was full
    ENDED = "ended"  # the source ended before the lesson did
    PAUSED = "paused"  # the teacher had paused the recording
    UNPLAYABLE = "unplayable"  # journalled in a codec that is not copied into MP4


class Side(StrEnum):
    """Where a hole comes from, as far as what came tells."""

    MAIN_ROOM = "main_room"  # its line, its devices or its teacher's wish
    POINT_LINE = "point_line"  # everything of that room was missing
    POINT_DEVICE = "point_device"  # one thing of that room was missing, the rest came
    SERVER = "server"
    UNKNOWN = "unknown"


class Gap(msgspec.Struct, frozen=True):
    start_s: float
    end_s: float
    cause: GapCause
    side: Side = Side.UNKNOWN


class Section(msgspec.Struct, frozen=True):
    """A stretch of a track with one initialization (one picture size): a file and its init."""

    start_s: float
    file: str
    init: str
    bytes: int = 0
    width: int = 0
    height: int = 0


class Track(msgspec.Struct, frozen=True):
    """One source of the lesson. `playlist`, `file` and `init` are names in the lesson's folder, empty
    where the track is journalled only (`codec` VP8). `seekable`: the playlist for players that seek, "" where
    the other will do. `file` is the first section's: with one section
    (the usual case) it is, once READY, a plain MP4 of the whole track."""

    name: str
    subject: Subject
    kind: str  # "audio" | "video"
    codec: str  # "H264" | "VP8" | "opus"
    room: str = ""
    playlist: str = ""
    file: str = ""
    init: str = ""
    seconds: float = 0.0
    start_s: float = 0.0  # of the first picture or packet that really came
    gaps: list[Gap] = []
    sections: list[Section] = []
    bytes: int = 0
    samples: int = 0  # pictures or Opus packets written, silent ones included
    filled: int = 0  # silent Opus packets among them
    dropped: int = 0  # Opus packets left out to stay in step
    lost: int = 0  # RTP packets that never came
    width: int = 0
    height: int = 0
    seekable: str = ""
    came_as: str = ""  # pictures that were transcoded after class: the codec of the journal
    sync_ms: float | None = None  # sound: the furthest it ever was from its place on the lesson's clock


class File(msgspec.Struct, frozen=True):
    """A file of the recording as it was when it was verified first."""

    name: str
    bytes: int
    sha256: str


class Verdict(msgspec.Struct, frozen=True):
    """The last verification: every picture and sound decoded, every sum compared. `problems` holds stable
    codes with what they are about: "missing:FILE", "size:FILE", "sum:FILE", "unreadable:FILE",
    "pictures:TRACK", "sounds:TRACK"; `whole`: there are none. `sync_ms`: the worst of the tracks', by the
    recorder's own clock."""

    verified_at: str  # RFC 3339
    whole: bool
    pictures: int = 0
    pictures_decoded: int = 0
    sounds: int = 0
    sounds_decoded: int = 0
    sync_ms: float | None = None
    problems: list[str] = []


class Manifest(msgspec.Struct, frozen=True):
    """One recording. `started_at` is RFC 3339; `seconds` is what every playlist covers; `playlist` the
    multivariant one; `problem` is "" or a stable code ("disk_full", "journal_damaged"). `files` and `verdict`
    are there once it was verified. `zero_at` (RFC 3339): the lesson's zero on the wall clock, ""
    until its first packet.
    Fields may be added: a reader passes over those it does not know."""

    lesson: str
    title: str
    started_at: str
    state: RecordingState
    seconds: float = 0.0
    ready_after_s: float | None = None
    playlist: str = ""
    tracks: list[Track] = []
    bytes: int = 0
    journal_bytes: int = 0
    problem: str = ""
    version: int = VERSION
    files: list[File] = []
    verdict: Verdict | None = None
    zero_at: str = ""


class _Versioned(msgspec.Struct):
    version: int


_decoder = msgspec.json.Decoder(Manifest)
_version = msgspec.json.Decoder(_Versioned)


def encode_manifest(manifest: Manifest) -> bytes:
    return msgspec.json.format(msgspec.json.encode(manifest), indent=1) + b"\n"


def decode_manifest(data: bytes) -> Manifest:
    """BadManifest for anything that is no manifest of a version known here."""
    try:
        version = _version.decode(data).version
        if version != VERSION:
            raise BadManifest("newer_version", f"version {version}, this program reads {VERSION}")
        return _decoder.decode(data)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        raise BadManifest("damaged", str(error)[:200]) from error


def read_manifest(folder: Path) -> Manifest:
    """The manifest of the lesson in `folder`. BadManifest where there is none that can be read."""
    try:
        with (folder / MANIFEST).open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise BadManifest("missing", f"{folder.name}: {error.strerror}") from error
    if len(data) > MAX_BYTES:
        raise BadManifest("damaged", f"{folder.name}: over {MAX_BYTES} bytes")
    return decode_manifest(data)


def write_manifest(folder: Path, manifest: Manifest, *, durable: bool = False) -> None:
    """Replace the manifest in one step; `durable`: it and its name are on the disk on return."""
    write_whole(folder / MANIFEST, encode_manifest(manifest), durable=durable)


def write_whole(path: Path, data: bytes, *, durable: bool = False) -> None:
    """Replace a file in one step: a reader finds the old bytes or the new ones, never a part."""
    beside = path.with_name(path.name + ".new")
    with beside.open("wb") as file:
        file.write(data)
        if durable:
            file.flush()
            os.fdatasync(file.fileno())
    beside.replace(path)
    if durable:
        sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """The names in a folder are on the disk on return."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)

"""Pieces -> files for players: an MP4 with a byte-range playlist, or a plain MP4 with sound.

Files are written beside their place and take it when they are whole: a player never meets a part.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import av
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.video.stream import VideoStream

from recorder.archive.layout import derived_file
from recorder.archive.manifest import write_whole
from recorder.assemble.samples import VIDEO_RATE
from recorder.growing_file import GrowingFile
from recorder.playlist import MediaPlaylist, SectionFiles, Segment
from recorder.publish.encoding import Packet, Piece, read_piece
from recorder.publish.problems import StepFailed
from recorder.writer import fragments_end, read_head

MOVFLAGS = "hybrid_fragmented+empty_moov+default_base_moof+frag_keyframe"


class StreamOf(NamedTuple):
    """What a stream holds. `head`: for H.264 the parameter sets and the first picture, Annex B."""

    codec: str  # "h264" | "aac"
    rate: int
    head: bytes = b""
    layout: str = "stereo"


class Made(NamedTuple):
    """A finished file: name, bytes, SHA-256."""

    file: str
    bytes: int
    sha256: str


class Timed(NamedTuple):
    """A packet to be muxed, in ticks of its stream."""

    at: int
    ticks: int
    key: bool
    data: bytes


def sum_of(path: Path) -> Made:
    """OSError."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        return Made(path.name, file.tell(), digest)


def pictures(paths: Iterable[Path], seconds: float) -> tuple[Piece, StreamOf, Iterator[Timed]]:
    """The first piece with a picture, the stream, and every packet of all pieces with its length. StepFailed
    "pieces_differ" where they were not made alike, OSError."""
    found = iter(paths)
    first = next((piece for path in found if (piece := read_piece(path)).packets), None)
    if first is None:
        raise StepFailed("unreadable", "no picture could be decoded")
    stream = StreamOf("h264", VIDEO_RATE, first.head + first.packets[0].data)
    return first, stream, _timed(_joined(first, found), round(seconds * VIDEO_RATE))


def _joined(first: Piece, rest: Iterator[Path]) -> Iterator[Packet]:
    yield from first.packets
    for path in rest:
        piece = read_piece(path)
        if piece.packets and (piece.head, piece.width) != (first.head, first.width):
            raise StepFailed("pieces_differ", path.name)
        yield from piece.packets


def _timed(packets: Iterator[Packet], end: int) -> Iterator[Timed]:
    """Each picture stands until the next one; the first from the lesson's beginning on."""
    waiting = next(packets, None)
    begin = 0
    while waiting is not None:
        after = next(packets, None)
        until = max(after.at if after is not None else end, begin + 1)
        yield Timed(begin, until - begin, waiting.key, waiting.data)
        waiting, begin = after, until


def write_streamed(
    folder: Path, of: str, what: str, stream: StreamOf, packets: Iterable[Timed]
) -> tuple[Made, str, list[Segment]]:
    """`{of}.{what}.mp4`, its init and its playlist. The file, the playlist's name, what it plays. StepFailed,
    OSError."""
    name = derived_file(of, f"{what}.mp4")
    init, listed = derived_file(of, f"{what}-init.mp4"), derived_file(of, f"{what}.m3u8")
    beside = folder / f".{name}.new"
    beside.unlink(missing_ok=True)
    writer = _Streamed(beside, stream)
    for packet in packets:
        writer.write(packet)
    segments, head = writer.close()
    write_whole(folder / init, head, durable=True)
    beside.replace(folder / name)
    text = MediaPlaylist().text(segments, [SectionFiles(name, init)], ended=True)
    write_whole(folder / listed, text.encode(), durable=True)
    return sum_of(folder / name), listed, segments


class _Streamed:
    """The muxer of one such file and where its segments lie."""

    def __init__(self, path: Path, stream: StreamOf) -> None:
        self._file = GrowingFile(path)
        self._rate = stream.rate
        options = {"movflags": MOVFLAGS, "flush_packets": "1"}
        if stream.codec != "h264":
            options = {"movflags": MOVFLAGS.removesuffix("+frag_keyframe"), "frag_duration": "4000000"}
        self._container = av.open(self._file, "w", format="mp4", options=options, buffer_size=1 << 18)
        self._stream = add_stream(self._container, stream)
        self._container.start_encoding()
        self._segments: list[Segment] = []
        self._offset = self._file.size
        self._head = read_head(self._file)
        self._began = self._at = 0

    def write(self, timed: Timed) -> None:
        size = self._file.size
        mux(self._container, self._stream, timed, self._rate)
        if self._file.size > size and self._file.size > self._offset:
            self._end_segment(timed.at)
        self._at = timed.at + timed.ticks

    def close(self) -> tuple[list[Segment], bytes]:
        self._container.close()
        end = fragments_end(self._file)
        if end > self._offset:
            self._segments.append(self._segment(self._at, end))
        self._file.finish()
        self._file.close()
        return self._segments, self._head

    def _end_segment(self, at: int) -> None:
        self._segments.append(self._segment(at, self._file.size))
        self._began, self._offset = at, self._file.size

    def _segment(self, at: int, end: int) -> Segment:
        return Segment(1, (at - self._began) / self._rate, self._offset, end - self._offset)


def add_stream(container: OutputContainer, stream: StreamOf) -> VideoStream | AudioStream:
    """A stream of packets that are encoded already."""
    if stream.codec != "h264":
        sound = container.add_stream("aac", rate=stream.rate, layout=stream.layout)
        sound.time_base = Fraction(1, stream.rate)
        return sound
    with av.open(io.BytesIO(stream.head), format="h264") as probe:  # the muxer's own SPS would be wrong
        made = container.add_stream_from_template(probe.streams.video[0])
    made.time_base = Fraction(1, stream.rate)
    return made


def mux(container: OutputContainer, stream: VideoStream | AudioStream, timed: Timed, rate: int) -> None:
    packet = av.Packet(timed.data)
    packet.stream = stream
    packet.time_base = Fraction(1, rate)
    packet.pts = packet.dts = timed.at
    packet.duration = timed.ticks
    packet.is_keyframe = timed.key
    container.mux(packet)

"""Samples -> fragmented MP4, one growing file a section, and the playlist over it. The only PyAV here.

The file is `hybrid_fragmented+empty_moov+default_base_moof`: playable up to the last fragment whatever dies,
a plain MP4 once closed; the fragments' byte ranges stay. Bytes depend on the samples alone, so that
recovery, which writes everything again from the journal, writes the same bytes over the same places and a
player that reads meanwhile sees nothing of it.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
from av.audio.stream import AudioStream
from av.video.stream import VideoStream

from recorder.archive import layout
from recorder.archive.manifest import Section as SectionFacts
from recorder.archive.manifest import write_whole
from recorder.assemble.samples import AUDIO_RATE, VIDEO_RATE, Closed, Output, Sample, Section
from recorder.fragments import BadFragments, read_fragments
from recorder.growing_file import GrowingFile
from recorder.playlist import PARTS_S, MediaPlaylist, Part, SectionFiles, Segment, keyed

MUXER = f"PyAV {av.__version__}, FFmpeg {av.ffmpeg_version_info}"
PART_S = 0.92
"""A part ends with the first picture or packet after so long: at 10 pictures a second and more none is longer
than the playlist's PART_TARGET_S."""
SEGMENT_S = 4.0
"""A segment ends at the first keyframe after so long ..."""
SEGMENT_AT_MOST_S = 40.0
"""... and where none comes, after so long: hls.js (1.7) loses its way in segments that begin without."""
RESTORED_AT_ONCE = 4_000
"""Samples that a track gives its muxer again before others have their turn."""
_MOVFLAGS = "hybrid_fragmented+empty_moov+default_base_moof"


class BadSection(Exception):
    """A picture's parameter sets cannot be read."""


@dataclass(frozen=True, slots=True)
class SectionState:
    """A growing section: its first `size` bytes are on the disk, `pending` are in the muxer's hands."""

    number: int
    at: int
    config: bytes
    size: int
    pending: list[tuple[Sample, int]]


@dataclass(frozen=True, slots=True)
class TrackState:
    """A TrackWriter between two samples."""

    name: str
    audio: bool
    done: list[SectionFacts]
    segments: list[Segment]
    codec: str
    files: list[SectionFiles]
    waiting: Sample | None
    parts: list[list[Part]]
    part_at: int
    part_offset: int
    part_key: bool
    segment_at: int
    segment_offset: int
    segment_key: bool
    ended: bool
    section: SectionState | None


class SectionWriter:
    """One section of a track: an MP4 whose media time 0 is the section's start."""

    def __init__(self, folder: Path, track: str, number: int, at: int, config: bytes) -> None:
        """`config`: parameter sets and first picture for H.264, empty for Opus. BadSection, OSError."""
        self.number = number
        self.at = at
        self._config = config
        self._pending: list[tuple[Sample, int]] = []
        self.names = SectionFiles(layout.media_file(track, number), layout.init_file(track, number))
        self.width = self.height = 0
        self.codec = "opus"
        self._rate = VIDEO_RATE if config else AUDIO_RATE
        self._file = GrowingFile(folder / self.names.file)
        options = {
            "movflags": _MOVFLAGS,
            "frag_duration": str(round(PART_S * 1_000_000)),
            "flush_packets": "1",
        }
        if config:
            options["movflags"] += "+frag_keyframe"
        try:
            self._container = av.open(self._file, "w", format="mp4", options=options, buffer_size=1 << 18)
            self._stream = self._add_h264(config) if config else self._add_opus()
            self._tick = self._stream.time_base = Fraction(1, self._rate)
            self._container.start_encoding()
        except av.FFmpegError as error:
            self._file.close()
            raise BadSection(str(error)) from error
        write_whole(folder / self.names.init, read_head(self._file), durable=True)

    @property
    def size(self) -> int:
        return self._file.size

    def write(self, sample: Sample, until: int) -> None:
        """One sample that lasts until the tick `until`."""
        before = self._file.size
        packet = av.Packet(sample.data)
        packet.stream = self._stream
        packet.time_base = self._tick
        packet.pts = packet.dts = sample.at - self.at
        packet.duration = until - sample.at
        packet.is_keyframe = sample.key
        self._container.mux(packet)
        if self._file.size > before:
            self._pending.clear()  # those before this one went out as a fragment
        self._pending.append((sample, until))

    @property
    def state(self) -> SectionState:
        return SectionState(self.number, self.at, self._config, self._file.size, self._pending.copy())

    def restore(self, state: SectionState, folder: Path) -> Iterator[None]:
        """Give the muxer, just begun, every sample again without reading or writing media: stand-ins of the
        same size for those on the disk. BadFragments where the file is not what the state says."""
        self._file.known = state.size
        at, count = self.at, 0
        for fragment in read_fragments(folder / self.names.file, state.size):
            for held in fragment:
                self.write(Sample("", at, _stand_in(held.size), held.key), at + held.ticks)
                at += held.ticks
            count += len(fragment)
            if count >= RESTORED_AT_ONCE:
                count = 0
                yield
        for sample, until in state.pending:
            self.write(sample, until)
        if self._file.size != state.size:
            raise BadFragments(f"{self._file.size} bytes where there were {state.size}")
        self._file.known = 0

    def close(self) -> int:
        """Make it a plain MP4; where its last fragment ended."""
        self._container.close()
        end = fragments_end(self._file)
        self._file.finish()
        self._file.close()
        return end

    def abandon(self) -> None:
        """Let go of the file as it stands (a recording that is given up for now)."""
        self._file.close()

    def _add_h264(self, config: bytes) -> VideoStream:
        with av.open(io.BytesIO(config), format="h264") as probe:
            if not probe.streams.video or not probe.streams.video[0].codec_context.extradata:
                raise BadSection("no parameter sets")
            template = probe.streams.video[0]
            self.width, self.height = template.width, template.height
            sps = config.find(b"\x00\x00\x01") + 3
            self.codec = "avc1." + config[sps + 1 : sps + 4].hex()
            return self._container.add_stream_from_template(template)

    def _add_opus(self) -> AudioStream:
        return self._container.add_stream("libopus", rate=AUDIO_RATE, layout="stereo")


class TrackWriter:
    """All sections of one track and its playlist. Fed with the assembler's outputs in order."""

    def __init__(self, folder: Path, name: str, *, audio: bool) -> None:
        layout.check_track(name)
        self._folder = folder
        self.name = name
        self.audio = audio
        self.rate = AUDIO_RATE if audio else VIDEO_RATE
        self._done: list[SectionFacts] = []
        self.segments: list[Segment] = []
        self.codec = ""
        self._files: list[SectionFiles] = []
        self._section: SectionWriter | None = None
        self._waiting: Sample | None = None  # until its length is known
        self._playlist = MediaPlaylist(audio=audio)
        self._parts: list[list[Part]] = [[]]  # of the newest segments, last of the one that grows
        self._part_at = 0
        self._part_offset = 0
        self._part_key = True
        self._segment_at = 0
        self._segment_offset = 0
        self._segment_key = True
        self._told = (0, 0, False)
        self.ended = False

    @property
    def state(self) -> TrackState:
        """Everything that a later `restore` needs besides the files."""
        return TrackState(
            name=self.name,
            audio=self.audio,
            done=self._done.copy(),
            segments=self.segments.copy(),
            codec=self.codec,
            files=self._files.copy(),
            waiting=self._waiting,
            parts=[parts.copy() for parts in self._parts],
            part_at=self._part_at,
            part_offset=self._part_offset,
            part_key=self._part_key,
            segment_at=self._segment_at,
            segment_offset=self._segment_offset,
            segment_key=self._segment_key,
            ended=self.ended,
            section=self._section.state if self._section is not None else None,
        )

    def restore(self, state: TrackState) -> Iterator[None]:
        """Stand (a fresh writer) where another one stood; yields between slices of the work. BadFragments,
        BadSection, OSError."""
        self._done, self._files = state.done.copy(), state.files.copy()
        self.segments, self.codec = state.segments.copy(), state.codec
        if state.section is not None:
            known = state.section
            if (self._folder / layout.media_file(self.name, known.number)).stat().st_size < known.size:
                raise BadFragments("the file is too short")
            self._section = SectionWriter(self._folder, self.name, known.number, known.at, known.config)
            yield from self._section.restore(known, self._folder)
        self._waiting, self.ended = state.waiting, state.ended
        self._parts = [parts.copy() for parts in state.parts]
        self._part_at, self._part_offset, self._part_key = state.part_at, state.part_offset, state.part_key
        self._segment_at, self._segment_offset = state.segment_at, state.segment_offset
        self._segment_key = state.segment_key

    def take(self, output: Output) -> None:
        """OSError where the disk refuses; BadSection where a section cannot be begun (what follows is
        left out until the next one)."""
        match output:
            case Sample():
                self._flush(output.at)
                self._waiting = output
            case Section():
                self._flush(output.at)
                self._end_section(output.at)
                self._begin_section(output)
            case Closed():
                self._flush(output.at)
                self._end_section(output.at)
                self.ended = True

    @property
    def seconds(self) -> float:
        """Media time in the playlist."""
        return sum(s.seconds for s in self.segments) + sum(part.seconds for part in self._parts[-1])

    @property
    def playable(self) -> bool:
        """There is something in the playlist. Parts alone are not: hls.js (1.7) takes such a one for a fault
        and looks again after a whole target duration."""
        return bool(self.segments)

    @property
    def facts(self) -> list[SectionFacts]:
        """Every section so far, the growing one included."""
        return [*self._done, _facts(self._section, self.rate)] if self._section else self._done.copy()

    @property
    def bytes(self) -> int:
        return sum(section.bytes for section in self.facts)

    @property
    def bandwidth_bps(self) -> int:
        """Peak rate over a segment (RFC 8216, 4.3.4.2)."""
        ranges: list[Segment | Part] = [*self.segments, *self._parts[-1]]
        rates = [8 * s.length / s.seconds for s in ranges if s.seconds > 0.1]
        return round(max(rates, default=0)) + 1000

    def write_playlist(self, zero_s: float | None = None) -> bool:
        """Replace the playlist where it has changed. `zero_s`: the lesson's zero, seconds since 1970."""
        state = (len(self.segments), len(self._parts[-1]), self.ended)
        if state == self._told or not self.playable:
            return False
        self._told = state
        began = [None if zero_s is None else zero_s + facts.start_s for facts in self.facts]
        text = self._playlist.text(self.segments, self._files, self._parts, ended=self.ended, began=began)
        path = self._folder / layout.playlist_file(self.name)
        write_whole(path, text.encode(), durable=self.ended)
        if self.seekable:
            text = MediaPlaylist().text(keyed(self.segments), self._files, ended=True, began=began)
            write_whole(self._folder / self.seekable, text.encode(), durable=True)
        return True

    @property
    def seekable(self) -> str:
        """Of a finished track: the playlist for players that seek, "" where the usual one will do."""
        needed = self.ended and any(not segment.key for segment in self.segments)
        return layout.seekable_file(self.name) if needed else ""

    def abandon(self) -> None:
        if self._section is not None:
            self._section.abandon()
            self._section = None

    def _begin_section(self, section: Section) -> None:
        number = len(self._files) + 1
        writer = SectionWriter(self._folder, self.name, number, section.at, section.config)
        self._section = writer
        self._files.append(writer.names)
        self.codec = self.codec or writer.codec
        self._part_at = self._segment_at = section.at
        self._part_offset = self._segment_offset = writer.size
        self._part_key = self._segment_key = True

    def _flush(self, until: int) -> None:
        """Write the waiting sample, which lasts until the tick `until`."""
        sample, self._waiting, section = self._waiting, None, self._section
        if sample is None or section is None:
            return
        section.write(sample, until)
        if section.size > self._part_offset:  # the samples before this one went out as a part
            self._end_part(sample.at, section.size)
            self._part_key = sample.key
            passed = (sample.at - self._segment_at) / self.rate
            if passed >= SEGMENT_AT_MOST_S or (sample.key and passed >= SEGMENT_S):
                self._end_segment(section, sample.at, section.size)
                self._segment_key = sample.key

    def _end_part(self, at: int, offset: int) -> None:
        seconds, length = (at - self._part_at) / self.rate, offset - self._part_offset
        self._parts[-1].append(Part(seconds, self._part_offset, length, self._part_key))
        self._part_at, self._part_offset = at, offset

    def _end_segment(self, section: SectionWriter, at: int, offset: int) -> None:
        seconds = (at - self._segment_at) / self.rate
        length = offset - self._segment_offset
        key = self.audio or self._segment_key
        self.segments.append(Segment(section.number, seconds, self._segment_offset, length, key))
        self._segment_at, self._segment_offset = at, offset
        told = [self._parts[-1]]
        for parts in reversed(self._parts[:-1]):
            if sum(part.seconds for of_it in told for part in of_it) >= PARTS_S:
                break
            told.insert(0, parts)
        self._parts = [*told, []]

    def _end_section(self, at: int) -> None:
        writer, self._section = self._section, None
        if writer is None:
            return
        end = writer.close()
        if end > self._part_offset:
            self._end_part(at, end)
        if end > self._segment_offset:
            self._end_segment(writer, at, end)
        self._done.append(_facts(writer, self.rate))


def fragments_end(file: GrowingFile) -> int:
    """A closed hybrid file is one mdat over all fragments and a moov behind it."""
    at = 0
    while at + 16 <= file.size:
        file.seek(at)
        size, kind, large = struct.unpack(">I4sQ", file.read(16))
        at += large if size == 1 else size
        if kind == b"mdat" or size == 0:
            break
    return min(at, file.size)


def read_head(file: GrowingFile) -> bytes:
    """All that was written so far; the writer's place stays."""
    at = file.seek(0, 1)
    file.seek(0)
    head = file.read()
    file.seek(at)
    return head


def _stand_in(size: int) -> bytes:
    """A sample of this size that the muxer does not change: one NAL unit in Annex B form, if it looks."""
    return b"\x00\x00\x00\x01\x41".ljust(size, b"\x55")[:size]


def _facts(writer: SectionWriter, rate: int) -> SectionFacts:
    return SectionFacts(
        start_s=round(writer.at / rate, 5),
        file=writer.names.file,
        init=writer.names.init,
        bytes=writer.size,
        width=writer.width,
        height=writer.height,
    )

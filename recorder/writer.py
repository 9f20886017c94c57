"""Samples -> fragmented MP4, one growing file a section, and the playlist over it. The only PyAV here.

The file is `hybrid_fragmented+empty_moov+default_base_moof`: playable up to the last fragment whatever dies,
a plain MP4 once closed; the fragments' byte ranges stay. Bytes depend on the samples alone, so that
recovery, which writes everything again from the journal, writes the same bytes over the same places and a
player that reads meanwhile sees nothing of it.
"""

from __future__ import annotations

import io
import os
import struct
from fractions import Fraction
from pathlib import Path

import av
from av.audio.stream import AudioStream
from av.video.stream import VideoStream

from recorder.archive import layout
from recorder.archive.manifest import Section as SectionFacts
from recorder.archive.manifest import write_whole
from recorder.assemble.samples import AUDIO_RATE, VIDEO_RATE, Closed, Output, Sample, Section
from recorder.playlist import SectionFiles, Segment, media_playlist

PART_S = 1
SEGMENT_S = 4.0
"""A segment ends at the first keyframe after so long ..."""
SEGMENT_AT_MOST_S = 9.0
"""... and where none comes, after so long without one."""
_MOVFLAGS = "hybrid_fragmented+empty_moov+default_base_moof"


class BadSection(Exception):
    """A picture's parameter sets cannot be read."""


class _File(io.RawIOBase):
    """A file opened inside its folder without following links, kept as it is and written over."""

    def __init__(self, path: Path) -> None:
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        self._fd = os.open(path, flags, 0o640)
        self._at = 0
        self.size = 0  # what was written this time

    def write(self, data: object) -> int:
        view = memoryview(data)  # type: ignore[arg-type]
        written = 0
        while written < len(view):
            written += os.pwrite(self._fd, view[written:], self._at + written)
        self._at += written
        self.size = max(self.size, self._at)
        return written

    def seek(self, offset: int, whence: int = 0) -> int:
        self._at = (0, self._at, self.size)[whence] + offset
        return self._at

    def tell(self) -> int:
        return self._at

    def read(self, size: int = -1) -> bytes:
        data = os.pread(self._fd, self.size if size < 0 else size, self._at)
        self._at += len(data)
        return data

    def readable(self) -> bool:
        return True

    def writable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def finish(self) -> None:
        """Nothing of an earlier, longer file stays behind."""
        os.ftruncate(self._fd, self.size)
        os.fdatasync(self._fd)

    def close(self) -> None:
        if not self.closed:
            os.close(self._fd)
        super().close()


class SectionWriter:
    """One section of a track: an MP4 whose media time 0 is the section's start."""

    def __init__(self, folder: Path, track: str, number: int, at: int, config: bytes) -> None:
        """`config`: parameter sets and first picture for H.264, empty for Opus. BadSection, OSError."""
        self.number = number
        self.at = at
        self.names = SectionFiles(layout.media_file(track, number), layout.init_file(track, number))
        self.width = self.height = 0
        self.codec = "opus"
        self._rate = VIDEO_RATE if config else AUDIO_RATE
        self._file = _File(folder / self.names.file)
        options = {"movflags": _MOVFLAGS, "frag_duration": str(PART_S * 1_000_000), "flush_packets": "1"}
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
        write_whole(folder / self.names.init, self._file_head(), durable=True)

    @property
    def size(self) -> int:
        return self._file.size

    def write(self, sample: Sample, until: int) -> None:
        """One sample that lasts until the tick `until`."""
        packet = av.Packet(sample.data)
        packet.stream = self._stream
        packet.time_base = self._tick
        packet.pts = packet.dts = sample.at - self.at
        packet.duration = until - sample.at
        packet.is_keyframe = sample.key
        self._container.mux(packet)

    def close(self) -> int:
        """Make it a plain MP4; where its last fragment ended."""
        self._container.close()
        end = self._fragments_end()
        self._file.finish()
        self._file.close()
        return end

    def _fragments_end(self) -> int:
        """A closed hybrid file is one mdat over all fragments and a moov behind it."""
        at = 0
        while at + 16 <= self._file.size:
            self._file.seek(at)
            size, kind, large = struct.unpack(">I4sQ", self._file.read(16))
            at += large if size == 1 else size
            if kind == b"mdat" or size == 0:
                break
        return min(at, self._file.size)

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

    def _file_head(self) -> bytes:
        at = self._file.seek(0, 1)
        self._file.seek(0)
        head = self._file.read()
        self._file.seek(at)
        return head


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
        self._part_at = 0
        self._part_offset = 0
        self._segment_at = 0
        self._segment_offset = 0
        self._told = 0
        self.ended = False

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
        return sum(segment.seconds for segment in self.segments)

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
        rates = [8 * s.length / s.seconds for s in self.segments if s.seconds > 0.1]
        return round(max(rates, default=0)) + 1000

    def write_playlist(self) -> bool:
        """Replace the playlist where it has changed."""
        state = len(self.segments) * 2 + self.ended
        if state == self._told or not self.segments:
            return False
        self._told = state
        text = media_playlist(self.segments, self._files, ended=self.ended)
        path = self._folder / layout.playlist_file(self.name)
        write_whole(path, text.encode(), durable=self.ended)
        return True

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

    def _flush(self, until: int) -> None:
        """Write the waiting sample, which lasts until the tick `until`."""
        sample, self._waiting, section = self._waiting, None, self._section
        if sample is None or section is None:
            return
        section.write(sample, until)
        if section.size > self._part_offset:  # the samples before this one went out as a part
            self._part_at, self._part_offset = sample.at, section.size
            passed = (sample.at - self._segment_at) / self.rate
            if passed >= SEGMENT_AT_MOST_S or (sample.key and passed >= SEGMENT_S):
                self._end_segment(section, sample.at, section.size)

    def _end_segment(self, section: SectionWriter, at: int, offset: int) -> None:
        seconds = (at - self._segment_at) / self.rate
        length = offset - self._segment_offset
        self.segments.append(Segment(section.number, seconds, self._segment_offset, length))
        self._segment_at, self._segment_offset = at, offset

    def _end_section(self, at: int) -> None:
        writer, self._section = self._section, None
        if writer is None:
            return
        end = writer.close()
        if end > self._segment_offset:
            self._end_segment(writer, at, end)
        self._done.append(_facts(writer, self.rate))


def _facts(writer: SectionWriter, rate: int) -> SectionFacts:
    return SectionFacts(
        start_s=round(writer.at / rate, 5),
        file=writer.names.file,
        init=writer.names.init,
        bytes=writer.size,
        width=writer.width,
        height=writer.height,
    )

"""A recorded track as pictures with their place on the lesson's clock, decoded once, from first to last."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import av

from recorder.archive.layout import BadName, served_file
from recorder.archive.manifest import Section, Track

EARLY_S = 0.002
"""Times come from ticks of 1/90000 s through floats: who seeks to a picture's time must not miss it."""


class PictureReader:
    """The pictures of a video track. `decoded`: how many came out whole since the reader was made or had
    sought; `broken`: files that cannot be read to their end, or not without error."""

    def __init__(self, folder: Path, track: Track) -> None:
        self.track = track
        self.decoded = 0
        self.broken: set[str] = set()
        self._folder = folder
        self._next: tuple[float, av.VideoFrame] | None = None
        self._before: av.VideoFrame | None = None
        self._pictures = self._read(0.0)

    def seek(self, at_s: float) -> None:
        """Go on at the first picture at or after `at_s`; those decoded on the way do not count."""
        self._pictures = self._read(at_s)
        self._next = self._before = None
        self.decoded = 0

    def standing(self) -> av.VideoFrame | None:
        """After `seek`: the picture that is still shown at that time, where it had to be decoded anyhow."""
        self.peek()
        return self._before

    def peek(self) -> float | None:
        """When the next picture is; None after the last."""
        if self._next is None:
            self._next = next(self._pictures, None)
        return None if self._next is None else self._next[0]

    def take(self) -> tuple[float, av.VideoFrame]:
        """The next picture. StopIteration after the last."""
        found = self._next or next(self._pictures)
        self._next = None
        self.decoded += 1
        return found

    def _read(self, from_s: float) -> Iterator[tuple[float, av.VideoFrame]]:
        sections = self.track.sections
        for k, section in enumerate(sections):
            later = sections[k + 1].start_s if k + 1 < len(sections) else None
            if later is None or later > from_s:
                yield from self._read_section(section, from_s)

    def _read_section(self, section: Section, from_s: float) -> Iterator[tuple[float, av.VideoFrame]]:
        try:
            with av.open(str(served_file(self._folder, section.file))) as container:
                stream = container.streams.video[0]
                stream.codec_context.options = {"err_detect": "explode"}
                stream.codec_context.thread_count = 1
                start = from_s - section.start_s
                if start > 0 and stream.time_base is not None:
                    container.seek(int(start / stream.time_base), stream=stream)
                for packet in container.demux(stream):
                    try:
                        frames = packet.decode()
                    except av.FFmpegError:
                        self.broken.add(section.file)
                        continue
                    for frame in frames:
                        if not isinstance(frame, av.VideoFrame) or frame.time is None or frame.is_corrupt:
                            continue
                        if frame.time > start - EARLY_S:
                            yield section.start_s + frame.time, frame
                        else:
                            self._before = frame
        except (av.FFmpegError, OSError, BadName, IndexError):
            self.broken.add(section.file)


def pictures_of(track: Track) -> bool:
    """Whether there is something to decode."""
    return track.kind == "video" and bool(track.sections)

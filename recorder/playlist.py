"""HLS playlists (RFC 8216; parts and blocking reload: draft-pantos-hls-rfc8216bis) as text: pure.

While a lesson is live its newest segments are also told part by part, so that a player stands some seconds
behind it; when it is over the same playlist is the recording's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

SOUND_TARGET_S = 10
PICTURE_TARGET_S = 42
"""The target durations while live: a picture's segment goes from keyframe to keyframe, and a screen has one
every 30 s only. A track whose picture stood still for longer says so when it is done."""
PART_TARGET_S = 1.0
"""No part is longer, but one whose picture stood still."""
HOLD_BACK_S = 3.0
"""How far from the newest part a player stays."""
SKIP_S = 6 * PICTURE_TARGET_S
"""Segments older than this may be left out of a reload (`_HLS_skip`): six target durations at least."""
MORE = "# more comes\n"
"""A growing playlist's last line. hls.js (1.7) takes a last segment that nothing follows for one that grows,
and then counts it twice."""
PARTS_S = 12.0
"""Of the newest finished segments, until they are so long together, the parts are told too."""


class Segment(NamedTuple):
    """A byte range of a section's file. `section` counts from 1."""

    section: int
    seconds: float
    offset: int
    length: int
    key: bool = True  # it begins with a keyframe


class SectionFiles(NamedTuple):
    file: str
    init: str


class Rendition(NamedTuple):
    """A track as the multivariant playlist tells it."""

    name: str
    audio: bool
    playlist: str
    codec: str  # RFC 6381, "avc1.42e01f" or "opus"
    bandwidth_bps: int
    width: int = 0
    height: int = 0


class ListedRange(NamedTuple):
    """A segment as a playlist of ours tells it, with the section's file and its init."""

    file: str
    init: str
    seconds: float
    offset: int
    length: int


class Part(NamedTuple):
    """A byte range within a segment. `key`: it begins with a keyframe."""

    seconds: float
    offset: int
    length: int
    key: bool


class MediaPlaylist:
    """A track's playlist, as it grows: what is said of older segments is made once."""

    def __init__(self, *, audio: bool = False) -> None:
        self._target_s = SOUND_TARGET_S if audio else PICTURE_TARGET_S
        self._old: list[str] = []
        self._section = 0

    def text(
        self,
        segments: Sequence[Segment],
        files: Sequence[SectionFiles],
        parts: Sequence[Sequence[Part]] = (),
        *,
        ended: bool,
        began: Sequence[float | None] = (),
    ) -> str:
        """`files`, `began` by section number from 1 (`began`: seconds since 1970, None where not known);
        `parts`: those of the newest finished segments and, last, of the one that grows."""
        told = 0 if ended else max(len(parts) - 1, 0)
        fixed = max(len(segments) - told, 0)
        while len(self._old) < fixed:
            self._old.append(self._segment(segments[len(self._old)], files, began, ()))
        section, lines = self._section, []
        for segment, of_it in zip(segments[fixed:], parts, strict=False):
            lines.append(self._segment(segment, files, began, of_it))
        if parts and parts[-1] and not ended:
            growing = len(files)
            lines.append(self._opening(growing, files, began) + _part_lines(parts[-1], files[-1].file))
        self._section = section
        end = "#EXT-X-ENDLIST\n" if ended else MORE
        return "".join([self._head(segments, ended=ended), *self._old, *lines, end])

    def _segment(
        self,
        segment: Segment,
        files: Sequence[SectionFiles],
        began: Sequence[float | None],
        parts: Sequence[Part],
    ) -> str:
        file = files[segment.section - 1].file
        return (
            self._opening(segment.section, files, began)
            + _part_lines(parts, file)
            + f"#EXTINF:{segment.seconds:.5f},\n#EXT-X-BYTERANGE:{segment.length}@{segment.offset}\n{file}\n"
        )

    def _opening(self, section: int, files: Sequence[SectionFiles], began: Sequence[float | None]) -> str:
        """What stands before a section's first segment."""
        if section == self._section:
            return ""
        lines = ["#EXT-X-DISCONTINUITY\n"] if self._section else []
        self._section = section
        lines.append(f'#EXT-X-MAP:URI="{files[section - 1].init}"\n')
        at_s = began[section - 1] if section <= len(began) else None
        if at_s is not None:
            at = datetime.fromtimestamp(at_s, UTC).isoformat(timespec="milliseconds")
            lines.append(f"#EXT-X-PROGRAM-DATE-TIME:{at}\n")
        return "".join(lines)

    def _head(self, segments: Sequence[Segment], *, ended: bool) -> str:
        longest = max((segment.seconds for segment in segments), default=0.0) if ended else 0.0
        target_s = max(round(longest + 0.499), SOUND_TARGET_S if ended else self._target_s)
        lines = [
            "#EXTM3U",
            "#EXT-X-VERSION:9",
            f"#EXT-X-TARGETDURATION:{target_s}",
            f"#EXT-X-PLAYLIST-TYPE:{'VOD' if ended else 'EVENT'}",
            "#EXT-X-MEDIA-SEQUENCE:0",
        ]
        if not ended:
            lines += (
                f"#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK={HOLD_BACK_S:.1f},"
                f"CAN-SKIP-UNTIL={SKIP_S:.1f}",
                f"#EXT-X-PART-INF:PART-TARGET={PART_TARGET_S:.1f}",
            )
        return "\n".join(lines) + "\n"


_LISTED = re.compile(
    r'#EXT-X-MAP:URI="([^"]+)"|#EXTINF:([0-9.]+),\n#EXT-X-BYTERANGE:([0-9]+)@([0-9]+)\n([^\n#]+)\n', re.ASCII
)


def listed_ranges(text: str) -> Iterator[ListedRange]:
    """The finished segments of a `MediaPlaylist`."""
    init = ""
    for found in _LISTED.finditer(text):
        begun, seconds, length, offset, file = found.groups()
        if begun is not None:
            init = begun
        else:
            yield ListedRange(file, init, float(seconds), int(offset), int(length))


def keyed(segments: Sequence[Segment]) -> list[Segment]:
    """The same media in segments that all begin with a keyframe: a player that seeks drops what comes before
    one. They are longer than a live playlist allows."""
    joined: list[Segment] = []
    for segment in segments:
        before = joined[-1] if joined else None
        if before is not None and not segment.key and before.section == segment.section:
            joined[-1] = before._replace(
                seconds=before.seconds + segment.seconds, length=before.length + segment.length
            )
        else:
            joined.append(segment)
    return joined


def _part_lines(parts: Sequence[Part], file: str) -> str:
    return "".join(
        f'#EXT-X-PART:DURATION={part.seconds:.5f},URI="{file}",'
        f'BYTERANGE="{part.length}@{part.offset}"{",INDEPENDENT=YES" if part.key else ""}\n'
        for part in parts
    )


def multivariant_playlist(renditions: Sequence[Rendition]) -> str:
    """All tracks: each picture a variant, each voice a rendition of the one audio group."""
    lines = ["#EXTM3U", "#EXT-X-VERSION:9"]
    voices = [r for r in renditions if r.audio]
    pictures = [r for r in renditions if not r.audio]
    for k, voice in enumerate(voices):
        first = "YES" if k == 0 else "NO"
        lines.append(
            f'#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="voice",NAME="{voice.name}",DEFAULT={first},'
            f'AUTOSELECT={first},CHANNELS="2",URI="{voice.playlist}"'
        )
    sound = max((voice.bandwidth_bps for voice in voices), default=0)
    for picture in pictures:
        codecs = ",".join([picture.codec, *sorted({voice.codec for voice in voices})])
        size = f",RESOLUTION={picture.width}x{picture.height}" if picture.width else ""
        audio = ',AUDIO="voice"' if voices else ""
        lines.append(
            f'#EXT-X-STREAM-INF:BANDWIDTH={picture.bandwidth_bps + sound},CODECS="{codecs}"{size}{audio}'
        )
        lines.append(picture.playlist)
    if not pictures:
        for voice in voices[:1]:
            lines.append(f'#EXT-X-STREAM-INF:BANDWIDTH={sound},CODECS="{voice.codec}",AUDIO="voice"')
            lines.append(voice.playlist)
    return "\n".join(lines) + "\n"

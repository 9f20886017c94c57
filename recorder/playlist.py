"""HLS playlists (RFC 8216) as text: pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

TARGET_S = 10
"""The target duration while live; a track whose picture stood still for longer says so when it is done."""


class Segment(NamedTuple):
    """A byte range of a section's file. `section` counts from 1."""

    section: int
    seconds: float
    offset: int
    length: int


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


def media_playlist(segments: Sequence[Segment], files: Sequence[SectionFiles], *, ended: bool) -> str:
    """A track's playlist; `files` by section number from 1."""
    longest = max((segment.seconds for segment in segments), default=0.0)
    lines = [
        "#EXTM3U",
        "#EXT-X-VERSION:7",
        f"#EXT-X-TARGETDURATION:{max(TARGET_S, round(longest + 0.499))}",
        f"#EXT-X-PLAYLIST-TYPE:{'VOD' if ended else 'EVENT'}",
    ]
    section = 0
    for segment in segments:
        if segment.section != section:
            if section:
                lines.append("#EXT-X-DISCONTINUITY")
            section = segment.section
            lines.append(f'#EXT-X-MAP:URI="{files[section - 1].init}"')
        lines += (
            f"#EXTINF:{segment.seconds:.5f},",
            f"#EXT-X-BYTERANGE:{segment.length}@{segment.offset}",
            files[section - 1].file,
        )
    if ended:
        lines.append("#EXT-X-ENDLIST")
    return "\n".join(lines) + "\n"


def multivariant_playlist(renditions: Sequence[Rendition]) -> str:
    """All tracks: each picture a variant, each voice a rendition of the one audio group."""
    lines = ["#EXTM3U", "#EXT-X-VERSION:7"]
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

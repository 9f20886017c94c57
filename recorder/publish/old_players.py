"""Voices for players without Opus (older iPhones): each as AAC, with a playlist of them and the pictures.

Most of a voice is made while the lesson is still on, so that little is left when many end at the same bell.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

from recorder.archive.layout import derived_file, playlist_file
from recorder.archive.manifest import Manifest, Track, write_whole
from recorder.archive.published import Rendition, RenditionKind, read_published
from recorder.assemble.samples import AUDIO_RATE
from recorder.playlist import MediaPlaylist, SectionFiles, Segment, multivariant_playlist
from recorder.playlist import Rendition as Listed
from recorder.publish.packaging import Made, StreamOf, write_streamed
from recorder.publish.problems import NothingToDo, StepFailed
from recorder.publish.sound import AAC_FRAME, SoundReader, blocks_of, voices
from recorder.publish.voice_pieces import Piece, Voice, encoded

AT_ONCE = 8
"""Pieces of one lesson that are made before another's turn."""

Progress = Callable[[float], None]


def follow(folder: Path, manifest: Manifest) -> int:
    """Of a lesson that is still on: make a few of the pieces that all is there for; how many.
    OSError, BadName."""
    made = 0
    for track in voices(manifest):
        if track.codec == "opus" and track.playlist:
            voice = Voice(folder, track.name)
            for number in voice.missing()[: AT_ONCE - made]:
                voice.make(number)
                made += 1
    return made


def for_old_players(folder: Path, manifest: Manifest, progress: Progress) -> tuple[list[Rendition], str]:
    """Each voice as AAC with its playlist, and the multivariant playlist that joins them with the pictures
    as they are. NothingToDo, StepFailed, OSError."""
    tracks = voices(manifest)
    if not tracks:
        raise NothingToDo("no voice")
    made = []
    for k, track in enumerate(tracks):
        join = _joined if track.codec == "opus" else _foreign
        made.append(join(folder, track, manifest.seconds))
        progress((k + 1) / len(tracks))
    name = derived_file("lesson", "aac.m3u8")
    write_whole(folder / name, _multivariant(manifest, made).encode(), durable=True)
    return made, name


def join_old_players(folder: Path, manifest: Manifest) -> None:
    """The multivariant playlist of `for_old_players` with the pictures as they are now. BadManifest,
    OSError."""
    published = read_published(folder)
    made = [r for r in published.renditions if r.kind is RenditionKind.AAC] if published is not None else []
    if made:
        text = _multivariant(manifest, made)
        write_whole(folder / derived_file("lesson", "aac.m3u8"), text.encode(), durable=True)


def _joined(folder: Path, track: Track, seconds: float) -> Rendition:
    """The pieces of an Opus voice one after the other."""
    voice = Voice(folder, track.name)
    pieces = voice.all(blocks_of(min(seconds, voice.seconds)))
    if not any(piece.sounds for piece in pieces):
        raise StepFailed("unreadable", track.name)
    file, segments = _write(folder, track.name, pieces)
    listed, init = derived_file(track.name, "aac.m3u8"), derived_file(track.name, "aac-init.mp4")
    write_whole(folder / init, pieces[0].head, durable=True)
    text = MediaPlaylist().text(segments, [SectionFiles(file.file, init)], ended=True)
    write_whole(folder / listed, text.encode(), durable=True)
    return _rendition(track.name, file, listed, segments)


def _write(folder: Path, track: str, pieces: list[Piece]) -> tuple[Made, list[Segment]]:
    """The file and what it plays."""
    name = derived_file(track, "aac.mp4")
    data = b"".join([pieces[0].head, *(piece.data for piece in pieces)])
    write_whole(folder / name, data, durable=True)
    segments, offset = list[Segment](), len(pieces[0].head)
    for piece in pieces:
        for frames, length in piece.segments:
            segments.append(Segment(1, frames * AAC_FRAME / AUDIO_RATE, offset, length))
            offset += length
    return Made(name, len(data), hashlib.sha256(data).hexdigest()), segments


def _foreign(folder: Path, track: Track, seconds: float) -> Rendition:
    """A voice that came as something else, in an uploaded film."""
    reader = SoundReader(folder, track)
    packets = encoded(reader.frames(), "stereo", blocks_of(seconds))
    stream = StreamOf("aac", AUDIO_RATE)
    file, listed, segments = write_streamed(folder, track.name, "aac", stream, packets)
    if not reader.decoded:
        raise StepFailed("unreadable", ", ".join(sorted(reader.broken)))
    return _rendition(track.name, file, listed, segments)


def _multivariant(manifest: Manifest, made: list[Rendition]) -> str:
    listed = [Listed(r.track, True, r.playlist, "mp4a.40.2", _bps(r.bytes, r.seconds)) for r in made]
    for track in manifest.tracks:
        if track.kind == "video" and track.playlist:
            bps = _bps(track.bytes, track.seconds or manifest.seconds)
            name = playlist_file(track.name)
            listed.append(Listed(track.name, False, name, "avc1.42e01f", bps, track.width, track.height))
    return multivariant_playlist(listed)


def _bps(size: int, seconds: float) -> int:
    return round(8 * size / seconds * 1.5) + 1000 if seconds else 1000


def _rendition(track: str, made: Made, listed: str, segments: list[Segment]) -> Rendition:
    seconds = round(sum(segment.seconds for segment in segments), 3)
    return Rendition(
        RenditionKind.AAC, made.file, track=track, playlist=listed, codec="AAC", seconds=seconds,
        bytes=made.bytes, sha256=made.sha256,
    )  # fmt: skip

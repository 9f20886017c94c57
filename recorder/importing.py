"""A film that people bring becomes a recording: looked at, its packets put into fMP4 as they are, a manifest.

Runs in a process of its own (`python -m recorder.importing`): what is in a foreign file is not trusted in
anybody else's. Prints one JSON object, `{"problem": "", "seconds": 12.3}`; `problem` is a stable code:
"no_video" (nothing here can read it), "no_pictures", "bad_codec" (pictures that are not H.264), "too_long",
"damaged", "disk_full".
"""

from __future__ import annotations

import argparse
import errno
import os
import re
import resource
import shutil
import sys
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import msgspec
from av.audio.stream import AudioStream
from av.video.stream import VideoStream

from recorder.archive import layout
from recorder.archive.manifest import Manifest, Section, Track, write_manifest, write_whole
from recorder.contract import RecordingState, Subject
from recorder.playlist import Rendition, multivariant_playlist

LONGEST_S = 6 * 3600
SEGMENT_S = 4
MOST_MEMORY = 2 << 30
LOWEST_PRIORITY = 19
PROTOCOLS = "file"
_MAP = re.compile(r'#EXT-X-MAP:URI="([^"]+)",BYTERANGE="(\d+)@(\d+)"')


class BadFilm(Exception):
    """A file that does not become a recording; `code` says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Imported(msgspec.Struct, frozen=True):
    problem: str = ""
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Film:
    """The streams of a foreign file that are taken."""

    container: av.container.InputContainer
    pictures: VideoStream
    sound: AudioStream | None
    start_s: float
    seconds: float


def look_at(source: Path) -> Film:
    """Open and judge it. BadFilm."""
    try:
        container = av.open(str(source), options={"protocol_whitelist": PROTOCOLS}, timeout=30)
    except (av.FFmpegError, ValueError) as error:
        raise BadFilm("no_video") from error
    videos = [stream for stream in container.streams.video if not _is_cover(stream)]
    if not videos:
        container.close()
        raise BadFilm("no_pictures" if container.streams.audio else "no_video")
    pictures = videos[0]
    if pictures.codec_context.name != "h264":
        container.close()
        raise BadFilm("bad_codec")
    seconds = (container.duration or 0) / av.time_base
    if not 0 < seconds <= LONGEST_S:
        container.close()
        raise BadFilm("too_long" if seconds > LONGEST_S else "damaged")
    sound = container.streams.audio[0] if container.streams.audio else None
    return Film(container, pictures, sound, max(0.0, (container.start_time or 0) / av.time_base), seconds)


def _is_cover(stream: VideoStream) -> bool:
    return stream.codec_context.name in {"mjpeg", "png", "bmp", "gif", "webp"}


class HlsTrack:
    """One stream as one growing fMP4 file with its playlist."""

    def __init__(self, folder: Path, name: str, template: VideoStream | AudioStream, start_s: float) -> None:
        self.name = name
        self._folder = folder
        self._source = template
        self._start = start_s
        options = {
            "hls_segment_type": "fmp4", "hls_flags": "single_file", "hls_time": str(SEGMENT_S),
            "hls_playlist_type": "vod", "hls_segment_filename": str(folder / layout.media_file(name)),
        }  # fmt: skip
        self._playlist = folder / layout.playlist_file(name)
        self._output = av.open(str(self._playlist), "w", format="hls", options=options)
        copied = not isinstance(template, AudioStream) or template.codec_context.name == "aac"
        if copied:
            self._stream = self._output.add_stream_from_template(template)
        else:
            assert isinstance(template, AudioStream)
            self._stream = self._output.add_stream("aac", rate=48_000)
        self._copied = copied
        self.samples = 0
        self.end_s = 0.0

    def write(self, packet: av.Packet[Any]) -> None:
        if packet.dts is None and packet.size == 0:
            return
        if not self._copied:
            for frame in packet.decode():
                assert isinstance(frame, av.AudioFrame)
                self._encode(frame)
            return
        base = packet.time_base or Fraction(1, av.time_base)
        shift = round(self._start / base)
        packet.pts = None if packet.pts is None else packet.pts - shift
        packet.dts = None if packet.dts is None else packet.dts - shift
        self._mux(packet)

    def _encode(self, frame: av.AudioFrame | None) -> None:
        assert isinstance(self._stream, AudioStream)
        if frame is not None and frame.pts is not None and frame.time_base is not None:
            frame.pts -= round(self._start / frame.time_base)
        for packet in self._stream.encode(frame):
            self._mux(packet)

    def _mux(self, packet: av.Packet[Any]) -> None:
        base = packet.time_base or Fraction(1, av.time_base)
        self.samples += 1
        self.end_s = max(self.end_s, float(((packet.pts or 0) + (packet.duration or 0)) * base))
        packet.stream = self._stream
        self._output.mux(packet)

    def close(self) -> tuple[str, int]:
        """The codec (RFC 6381 as far as players ask) and the file's bytes; the init stands in a file too."""
        if not self._copied:
            self._encode(None)
        self._output.close()
        text = self._playlist.read_text()
        found = _MAP.search(text)
        media = self._folder / layout.media_file(self.name)
        if found is None or not media.is_file():
            raise BadFilm("damaged")
        init = layout.init_file(self.name)
        with media.open("rb") as file:
            file.seek(int(found[3]))
            write_whole(self._folder / init, file.read(int(found[2])), durable=True)
        text = text.replace(found[0], f'#EXT-X-MAP:URI="{init}"')
        write_whole(self._playlist, text.encode(), durable=True)
        return text, media.stat().st_size


def bring_in(source: Path, archive: Path, lesson: str, title: str, started_at: str) -> Imported:
    """Make the lesson's folder; it appears whole or not at all. BadFilm, BadName, OSError."""
    folder = layout.lesson_folder(archive, lesson)
    beside = folder.with_name(f".importing-{lesson}")
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir(parents=True)
    try:
        seconds = _fill(look_at(source), beside, lesson, title, started_at)
        beside.rename(folder)
        return Imported(seconds=seconds)
    except av.FFmpegError as error:
        full = isinstance(error, OSError) and error.errno == errno.ENOSPC
        raise BadFilm("disk_full" if full else "damaged") from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _fill(film: Film, folder: Path, lesson: str, title: str, started_at: str) -> float:
    """Its streams are gone once the film is closed: that comes last."""
    try:
        made = _tracks(film, folder)
    finally:
        film.container.close()
    seconds = round(max(track.seconds for track in made), 3)
    renditions = [
        Rendition(track.name, track.kind == "audio", track.playlist, _rfc6381(track.codec),
                  round(track.bytes * 8 / max(1.0, seconds)), track.width, track.height)
        for track in made
    ]  # fmt: skip
    write_whole(folder / layout.MULTIVARIANT, multivariant_playlist(renditions).encode(), durable=True)
    manifest = Manifest(
        lesson, title, started_at, RecordingState.READY, seconds=seconds,
        playlist=layout.MULTIVARIANT, tracks=made, bytes=sum(track.bytes for track in made),
    )  # fmt: skip
    write_manifest(folder, manifest, durable=True)
    return seconds


def _tracks(film: Film, folder: Path) -> list[Track]:
    camera = HlsTrack(folder, "camera", film.pictures, film.start_s)
    tracks = {film.pictures.index: camera}
    streams: list[VideoStream | AudioStream] = [film.pictures]
    if film.sound is not None:
        tracks[film.sound.index] = HlsTrack(folder, "voice", film.sound, film.start_s)
        streams.append(film.sound)
    for packet in film.container.demux(streams):
        tracks[packet.stream.index].write(packet)
    if not camera.samples:
        raise BadFilm("damaged")
    return [_track(film, track) for track in tracks.values() if track.samples]


def _rfc6381(codec: str) -> str:
    return "mp4a.40.2" if codec == "AAC" else "avc1.640028"


def _track(film: Film, track: HlsTrack) -> Track:
    _, size = track.close()
    pictures = track.name == "camera"
    names = (layout.media_file(track.name), layout.init_file(track.name))
    width, height = (film.pictures.width, film.pictures.height) if pictures else (0, 0)
    return Track(
        track.name, Subject.TEACHER if pictures else Subject.VOICE, "video" if pictures else "audio",
        "H264" if pictures else "AAC", playlist=layout.playlist_file(track.name), file=names[0],
        init=names[1], seconds=round(track.end_s, 3),
        sections=[Section(0.0, names[0], names[1], size, width, height)],
        bytes=size, samples=track.samples, width=width, height=height,
    )  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m recorder.importing")
    for name in ("source", "archive"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    for name in ("lesson", "title", "started-at"):
        parser.add_argument(f"--{name}", required=True)
    args = parser.parse_args()
    os.nice(LOWEST_PRIORITY)
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    try:
        told = bring_in(args.source, args.archive, args.lesson, args.title, args.started_at)
    except BadFilm as error:
        told = Imported(problem=error.code)
    sys.stdout.buffer.write(msgspec.json.encode(told))
    return 0


if __name__ == "__main__":
    sys.exit(main())

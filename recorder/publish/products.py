"""From finished pieces to files for people: renditions, film, chapters, thumbnails, and the verdict."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import av
import msgspec
from av.audio.stream import AudioStream
from av.video.stream import VideoStream

from recorder.archive.layout import JOURNAL, derived_file
from recorder.archive.manifest import Manifest, Track, Verdict, write_manifest, write_whole
from recorder.archive.published import Chapter, Rendition, RenditionKind, Sprites, StepName
from recorder.assemble.samples import AUDIO_RATE, VIDEO_RATE
from recorder.contract import Subject
from recorder.publish.encoding import Piece
from recorder.publish.jobs import Sound
from recorder.publish.makers import read_thumbs, read_turns
from recorder.publish.packaging import (
    Made,
    StreamOf,
    Timed,
    add_stream,
    mux,
    pictures,
    sum_of,
    write_streamed,
)
from recorder.publish.passing import Count, pieces_made, tracks_of
from recorder.publish.problems import NothingToDo, StepFailed
from recorder.publish.sound import AAC_FRAME, trimmed
from recorder.publish.stills import remove_older, write_sprites
from recorder.publish.trimming import Trim
from recorder.verification import journal_may_go, judge, sums

RUNGS = {RenditionKind.HIGH: 720, RenditionKind.LOW: 360}


def _pieces(folder: Path, what: str) -> list[Path]:
    """The finished pieces in their order. StepFailed where there is none."""
    found = pieces_made(folder, what)
    if not found:
        raise StepFailed("unreadable", f"no piece of {what} was made")
    return found


def renditions(folder: Path, manifest: Manifest) -> list[Rendition]:
    """Each track in each size, with its playlist. NothingToDo, StepFailed, OSError."""
    made = []
    for track in tracks_of(manifest):
        for kind in RUNGS:
            paths = _pieces(folder, f"{track.name}.{kind}")
            first, stream, packets = pictures(paths, manifest.seconds)
            file, listed, _ = write_streamed(folder, track.name, kind, stream, packets)
            made.append(_picture(kind, track.name, file, listed, first, manifest.seconds, "H264"))
    if not made:
        raise NothingToDo("no picture")
    return made


def _picture(
    kind: RenditionKind, track: str, file: Made, listed: str, first: Piece, seconds: float, codec: str
) -> Rendition:
    return Rendition(
        kind, file.file, track=track, playlist=listed, codec=codec, seconds=round(seconds, 3),
        bytes=file.bytes, width=first.width, height=first.height, sha256=file.sha256,
    )  # fmt: skip


def film(folder: Path, manifest: Manifest, trim: Trim) -> Rendition:
    """One MP4 of picture and sound. NothingToDo, StepFailed, OSError."""
    if not tracks_of(manifest):
        raise NothingToDo("no picture")
    first, stream, packets = pictures(_pieces(folder, StepName.FILM + trim.name), trim.seconds)
    heard = trimmed(folder, trim)
    name = derived_file("lesson", "film.mp4")
    join(folder / name, stream, packets, heard, manifest.title)
    codec = "H264+AAC" if heard is not None else "H264"
    return _picture(RenditionKind.FILM, "", sum_of(folder / name), "", first, trim.seconds, codec)


class Lead(NamedTuple):
    """What is heard before the sound: `samples` long, encoded frames with their places."""

    samples: int
    frames: list[tuple[int, bytes]]


def join(
    path: Path,
    stream: StreamOf,
    packets: Iterable[Timed],
    sound: Path | None,
    title: str,
    lead: Lead | None = None,
) -> None:
    """Pictures and a finished sound file into one plain MP4 that begins to play at once. OSError."""
    beside = path.with_name(f".{path.name}.new")
    with av.open(str(beside), "w", format="mp4", options={"movflags": "faststart"}) as container:
        container.metadata["title"] = title
        video = add_stream(container, stream)
        source = av.open(str(sound)) if sound is not None else None
        try:
            audio = _like(container, source)
            container.start_encoding()
            sounds = _sounds(source, audio, lead) if source is not None else iter(())
            _interleave(container, video, packets, sounds)
        finally:
            if source is not None:
                source.close()
    beside.replace(path)


def _like(
    container: av.container.OutputContainer, source: av.container.InputContainer | None
) -> AudioStream | None:
    if source is None or not source.streams.audio:
        return None
    return container.add_stream_from_template(source.streams.audio[0])


def _sounds(
    source: av.container.InputContainer, audio: AudioStream | None, lead: Lead | None
) -> Iterator[av.Packet[AudioStream]]:
    """The sound's packets for the new file, behind what leads."""
    if audio is None:
        return
    base = source.streams.audio[0].time_base
    for at, data in lead.frames if lead is not None else ():
        made = av.Packet(data)
        made.time_base, made.pts, made.dts, made.duration = Fraction(1, AUDIO_RATE), at, at, AAC_FRAME
        made.is_keyframe = True
        made.stream = audio
        yield made  # type: ignore[misc]
    shift = round(lead.samples / (AUDIO_RATE * base)) if lead is not None and base is not None else 0
    for packet in source.demux(source.streams.audio[0]):
        if packet.dts is not None and packet.pts is not None:
            packet.dts, packet.pts = packet.dts + shift, packet.pts + shift
            packet.stream = audio
            yield packet


def _interleave(
    container: av.container.OutputContainer,
    video: VideoStream | AudioStream,
    packets: Iterable[Timed],
    sounds: Iterator[av.Packet[AudioStream]],
) -> None:
    waiting = next(sounds, None)
    for timed in packets:
        while waiting is not None and _at_s(waiting) <= timed.at / VIDEO_RATE:
            container.mux(waiting)
            waiting = next(sounds, None)
        mux(container, video, timed, VIDEO_RATE)
    while waiting is not None:
        container.mux(waiting)
        waiting = next(sounds, None)


def _at_s(packet: av.Packet[AudioStream]) -> float:
    return float((packet.dts or 0) * packet.time_base)


def screen_of(manifest: Manifest) -> Track | None:
    """The track whose pages are the chapters."""
    return next((track for track in tracks_of(manifest) if track.subject is Subject.SCREEN), None)


def chapters(folder: Path, manifest: Manifest) -> list[Chapter]:
    """The courseware's pages. NothingToDo without courseware, StepFailed, OSError."""
    if screen_of(manifest) is None:
        raise NothingToDo("no courseware")
    held = [read_turns(path) for path in _pieces(folder, StepName.CHAPTERS)]
    remove_older(folder, "lesson", "chapter-")
    turns = sorted({round(at, 3) for piece in held for at in piece.turns})
    shots = {number: shot for piece in held for number, shot in piece.pictures.items()}
    made = []
    for k, at in enumerate(turns):
        end = turns[k + 1] if k + 1 < len(turns) else manifest.seconds
        name = ""
        if k in shots:
            name = derived_file("lesson", f"chapter-{k + 1}.jpg")
            write_whole(folder / name, shots[k], durable=True)
        made.append(Chapter(at, round(max(end, at), 3), picture=name))
    if not made:
        raise NothingToDo("the courseware was never shown")
    return made


def sprites(folder: Path, manifest: Manifest) -> list[Sprites]:
    """Hover thumbnails of each track. NothingToDo, StepFailed, OSError."""
    made = []
    for track in tracks_of(manifest):
        paths = _pieces(folder, f"{track.name}.sprites")
        thumbs = [thumb for path in paths for thumb in read_thumbs(path)]
        if thumbs:
            remove_older(folder, track.name, "sprites-")
            made.append(Sprites(track.name, write_sprites(folder, track.name, thumbs, manifest.seconds)))
    if not made:
        raise NothingToDo("no picture")
    return made


def verdict(folder: Path, manifest: Manifest, sound: Sound, *, keep_journal: bool) -> Verdict:
    """What the decode found, with every file's sum, into the manifest; where all is well the journal goes.
    StepFailed, OSError. The caller holds the folder."""
    decoder = msgspec.json.Decoder(Count)
    try:
        paths = _pieces(folder, "count") if tracks_of(manifest) else []
        counts = [decoder.decode(path.read_bytes()) for path in paths]
    except msgspec.MsgspecError as error:
        raise StepFailed("pieces_differ", str(error)) from error
    decoded = dict(sound.sounds)
    for count in counts:
        for name, pictures_found in count.pictures.items():
            decoded[name] = decoded.get(name, 0) + pictures_found
    broken = {file for count in counts for file in count.broken} | set(sound.broken)
    files, problems = sums(folder, manifest)
    found = judge(manifest, decoded, broken, problems)
    known = manifest.files or (files if found.whole else [])  # a broken file's sum is no truth
    manifest = msgspec.structs.replace(manifest, files=known, verdict=found)
    write_manifest(folder, manifest, durable=True)
    if not keep_journal and journal_may_go(manifest):
        shutil.rmtree(folder / JOURNAL, ignore_errors=True)
        write_manifest(folder, msgspec.structs.replace(manifest, journal_bytes=0), durable=True)
    return found

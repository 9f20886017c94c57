"""Pictures that came as VP8, VP9 or AV1 -> H.264 of the same size, out of the journal: then the recording
plays as any other.

The assembler goes over the journal once more, this time with every picture; what it gives of other codecs is
decoded and encoded, and the track's files are written as the recorder writes them. Nothing is replaced before
all is made; the track's holes are then those of what came, not of what could be copied.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import av
import msgspec

from recorder.archive.layout import JOURNAL, MULTIVARIANT
from recorder.archive.manifest import Manifest, Track, sync_folder, write_manifest
from recorder.archive.reading import foreign_tracks
from recorder.assemble.foreign import FOREIGN
from recorder.assemble.samples import VIDEO_RATE, Closed, Output, Sample, Section
from recorder.making import Making
from recorder.publish.encoding import Packet, PictureEncoder, Quality, fit
from recorder.publish.problems import NothingToDo, StepFailed

TRANSCODED = ".transcoded"
DECODERS = {"VP8": "vp8", "VP9": "vp9", "AV1": "libdav1d"}
CRF, MOST_KBPS, MOST_HEIGHT = 21.0, 6000, 1080

Progress = Callable[[float], None]


def transcode(folder: Path, manifest: Manifest, preset: str, threads: int, progress: Progress) -> Manifest:
    """The manifest with these tracks as H.264; written, and their files in place. The caller holds the
    folder. NothingToDo, StepFailed, OSError."""
    names = {track.name for track in foreign_tracks(manifest)}
    if not names:
        raise NothingToDo("every picture is H.264")
    if not any((folder / JOURNAL).glob("*.lkj")):
        raise StepFailed("no_journal")
    into = folder / TRANSCODED
    shutil.rmtree(into, ignore_errors=True)
    into.mkdir()
    try:
        transcoder = Transcoder(preset, threads)
        tracks = _make(folder, into, manifest, transcoder, progress)
        made = [transcoder.told(track) if track.name in names else track for track in tracks]
        if transcoder.undecoded:
            raise StepFailed("unreadable", ", ".join(transcoder.undecoded))
        _take_over(folder, into, names)
        return _written(folder, manifest, made, names)
    finally:
        shutil.rmtree(into, ignore_errors=True)


def _make(
    folder: Path, into: Path, manifest: Manifest, transcoder: Transcoder, progress: Progress
) -> list[Track]:
    making = Making(folder, manifest.lesson, checkpoints=False, into=into, through=transcoder.take)
    try:
        while making.step(None):
            progress(min(1.0, making.recorded_s / manifest.seconds) if manifest.seconds else 0.0)
        if not making.ended:
            making.close()
        making.publish()
        return making.tracks()
    finally:
        making.abandon()


def _take_over(folder: Path, into: Path, names: set[str]) -> None:
    """The new files of these tracks, and the playlist over all."""
    for path in sorted(into.iterdir()):
        track = path.name.split(".", 1)[0].removesuffix("-init")
        if track in names or path.name == MULTIVARIANT:
            os.replace(path, folder / path.name)  # noqa: PTH105
    sync_folder(folder)


def _written(folder: Path, manifest: Manifest, made: list[Track], names: set[str]) -> Manifest:
    before = {track.name: track for track in manifest.tracks}
    tracks = [track if track.name in names else before.get(track.name, track) for track in made]
    manifest = msgspec.structs.replace(
        manifest,
        tracks=tracks,
        seconds=max(track.seconds for track in tracks),
        bytes=sum(track.bytes for track in tracks),
        playlist=MULTIVARIANT,
        files=[],
        verdict=None,
    )
    write_manifest(folder, manifest, durable=True)
    return manifest


class Transcoder:
    """What the assembler gives, every picture as H.264: `take` it all, in order."""

    def __init__(self, preset: str, threads: int) -> None:
        self._preset, self._threads = preset, threads
        self._codec: dict[str, str] = {}
        self._was: dict[str, str] = {}
        self._samples: dict[str, int] = {}
        self._working: dict[str, _Transcoding] = {}

    def take(self, output: Output) -> Iterator[Output]:
        """The same, or what was made of it: later, as encoders do. StepFailed."""
        track = output.track
        match output:
            case Section(codec=codec):
                yield from self._end(track)
                self._codec[track] = codec
                if codec in FOREIGN:
                    self._was[track] = codec
                    self._working[track] = _Transcoding(track, codec, self._preset, self._threads)
                else:
                    yield output
            case Sample():
                working = self._working.get(track)
                for made in (output,) if working is None else working.take(output):
                    yield self._counted(made)
            case Closed():
                yield from self._end(track)
                yield output

    def told(self, track: Track) -> Track:
        """The track's facts as they are in the files."""
        samples, was = self._samples.get(track.name, 0), self._was.get(track.name, "")
        return msgspec.structs.replace(track, codec="H264", samples=samples, came_as=was)

    @property
    def undecoded(self) -> list[str]:
        """Tracks that brought pictures and gave none."""
        return sorted(name for name in self._was if not self._samples.get(name))

    def _end(self, track: str) -> Iterator[Output]:
        working = self._working.pop(track, None)
        if working is not None:
            for made in working.finish():
                yield self._counted(made)

    def _counted(self, made: Output) -> Output:
        if isinstance(made, Sample):
            self._samples[made.track] = self._samples.get(made.track, 0) + 1
        return made


class _Transcoding:
    """One track's pictures of one codec, from a keyframe on."""

    def __init__(self, track: str, codec: str, preset: str, threads: int) -> None:
        self._track, self._preset, self._threads = track, preset, threads
        decoder = av.CodecContext.create(DECODERS[codec], "r")
        assert isinstance(decoder, av.VideoCodecContext)
        decoder.thread_count = 1  # a picture in, a picture out
        self._decoder = decoder
        self._encoder: PictureEncoder | None = None
        self._size = (0, 0)
        self._begun = False

    def take(self, sample: Sample) -> Iterator[Output]:
        packet: av.Packet[Any] = av.Packet(sample.data)
        packet.pts = packet.dts = sample.at
        yield from self._decode(packet)

    def finish(self) -> Iterator[Output]:
        yield from self._decode(None)
        yield from self._end()

    def _decode(self, packet: av.Packet[Any] | None) -> Iterator[Output]:
        try:
            frames = self._decoder.decode(packet)
        except av.FFmpegError:
            return  # a damaged picture: the one before stands
        for frame in frames:
            if frame.pts is not None and not frame.is_corrupt:
                yield from self._encode(frame.pts, frame)

    def _encode(self, at: int, frame: av.VideoFrame) -> Iterator[Output]:
        size = fit(frame.width, frame.height, MOST_HEIGHT)
        if size != self._size:
            yield from self._end()
            self._size, self._begun = size, False
            self._encoder = PictureEncoder(Quality(*size, CRF, MOST_KBPS, self._preset, self._threads))
        assert self._encoder is not None
        self._encoder.take(at / VIDEO_RATE, frame.reformat(*size, format="yuv420p"))
        yield from self._given(self._encoder, self._encoder.ready())

    def _end(self) -> Iterator[Output]:
        encoder, self._encoder, self._size = self._encoder, None, (0, 0)
        if encoder is not None:
            yield from self._given(encoder, encoder.finish().packets)

    def _given(self, encoder: PictureEncoder, packets: list[Packet]) -> Iterator[Output]:
        for packet in packets:
            if not self._begun:
                self._begun = True
                yield Section(self._track, packet.at, encoder.head + packet.data)
            yield Sample(self._track, packet.at, packet.data, packet.key)

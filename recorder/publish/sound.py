"""Voices decoded; all in one, its loudness measured and evened (EBU R 128)."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import av

from recorder.archive.layout import PIECES, BadName, derived_file, served_file
from recorder.archive.manifest import Manifest, Track
from recorder.archive.published import Rendition, RenditionKind
from recorder.assemble.samples import AUDIO_RATE
from recorder.publish.packaging import sum_of
from recorder.publish.problems import NothingToDo, StepFailed
from recorder.publish.trimming import Trim

TARGET_LUFS = -16.0
MOST_GAIN_DB = 24.0
LIMIT = 0.84  # -1.5 dB: room for what the encoder adds between samples
SILENT_LUFS = -60.0
AAC_FRAME = 1024
SOUND_BPS = 128_000
TICK = Fraction(1, AUDIO_RATE)

Progress = Callable[[float], None]


class Measured(NamedTuple):
    """What pass one found. `lufs` None: silence. `sounds`: packets decoded by track; `broken`: files."""

    lufs: float | None
    sounds: dict[str, int]
    broken: list[str]


def voices(manifest: Manifest) -> list[Track]:
    """The tracks with sound, the teacher's first."""
    return [track for track in manifest.tracks if track.kind == "audio" and track.sections]


class SoundReader:
    """A voice decoded once: stereo, 48 kHz, back to back from the lesson's zero."""

    def __init__(self, folder: Path, track: Track) -> None:
        self.decoded = 0
        self.broken: set[str] = set()
        self._folder = folder
        self._track = track

    def frames(self) -> Iterator[av.AudioFrame]:
        at = 0
        for section in self._track.sections:
            try:
                with av.open(str(served_file(self._folder, section.file))) as container:
                    for frame in self._decode(container, section.file):
                        frame.pts, frame.time_base = at, TICK
                        at += frame.samples
                        yield frame
            except (av.FFmpegError, OSError, BadName, IndexError):
                self.broken.add(section.file)

    def _decode(self, container: av.container.InputContainer, name: str) -> Iterator[av.AudioFrame]:
        stream = container.streams.audio[0]
        stream.codec_context.options = {"err_detect": "explode"}
        for packet in container.demux(stream):
            try:
                frames = packet.decode()
            except av.FFmpegError:
                self.broken.add(name)
                continue
            for frame in frames:
                if isinstance(frame, av.AudioFrame) and not frame.is_corrupt:
                    self.decoded += 1
                    yield frame


def measure(folder: Path, manifest: Manifest, progress: Progress) -> Measured:
    """Pass one: the loudness of all voices together. NothingToDo without a voice."""
    tracks = voices(manifest)
    if not tracks:
        raise NothingToDo("no voice")
    readers = {track.name: SoundReader(folder, track) for track in tracks}
    lufs = -math.inf
    for frame in _filtered(list(readers.values()), "ebur128=metadata=1:peak=none:framelog=quiet"):
        lufs = float(frame.metadata.get("lavfi.r128.I", lufs))
        _tell(progress, frame, manifest.seconds)
    broken = sorted(name for reader in readers.values() for name in reader.broken)
    sounds = {name: reader.decoded for name, reader in readers.items()}
    return Measured(round(lufs, 1) if lufs > SILENT_LUFS else None, sounds, broken)


def even(folder: Path, manifest: Manifest, measured: Measured, progress: Progress) -> Rendition:
    """Pass two: one AAC file of all voices at TARGET_LUFS. StepFailed, OSError."""
    if not any(measured.sounds.values()):
        raise StepFailed("unreadable", ", ".join(measured.broken))
    gain = 0.0 if measured.lufs is None else TARGET_LUFS - measured.lufs
    gain = max(-MOST_GAIN_DB, min(MOST_GAIN_DB, gain))
    chain = f"volume={gain:.2f}dB,alimiter=limit={LIMIT}:level=disabled:attack=2:release=50"
    readers = [SoundReader(folder, track) for track in voices(manifest)]
    name = derived_file("lesson", "sound.m4a")
    beside = folder / f".{name}.new"
    with av.open(str(beside), "w", format="mp4", options={"movflags": "faststart"}) as container:
        stream = container.add_stream("aac", rate=AUDIO_RATE, layout="stereo")
        stream.bit_rate = SOUND_BPS
        for frame in in_blocks(_filtered(readers, chain), blocks_of(manifest.seconds)):
            container.mux(stream.encode(frame))
            _tell(progress, frame, manifest.seconds)
        container.mux(stream.encode(None))
    beside.replace(folder / name)
    file = sum_of(folder / name)
    return Rendition(
        RenditionKind.SOUND, file.file, codec="AAC", seconds=round(manifest.seconds, 3), bytes=file.bytes,
        sha256=file.sha256,
    )  # fmt: skip


def trimmed(folder: Path, trim: Trim) -> Path | None:
    """The evened sound of what is kept, to the sample; None where there is no sound. OSError."""
    whole = folder / derived_file("lesson", "sound.m4a")
    if not whole.exists():
        return None
    if trim.whole:
        return whole
    made = folder / PIECES / f"sound{trim.name}.m4a"
    made.parent.mkdir(exist_ok=True)
    with av.open(str(whole)) as source, av.open(str(made), "w", format="mp4") as container:
        stream = container.add_stream("aac", rate=AUDIO_RATE, layout="stereo")
        stream.bit_rate = SOUND_BPS
        for frame in in_blocks(_kept(source.decode(source.streams.audio[0]), trim), blocks_of(trim.seconds)):
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return made


def _kept(frames: Iterable[av.AudioFrame], trim: Trim) -> Iterator[av.AudioFrame]:
    for frame in frames:
        at = round((frame.time or 0.0) * AUDIO_RATE)
        for begin, end in trim.parts(at, frame.samples, AUDIO_RATE):
            if (begin, end) == (0, frame.samples):
                yield frame
                continue
            fifo = av.AudioFifo()
            frame.pts = None
            fifo.write(frame)
            if begin:
                fifo.read(begin)
            if (part := fifo.read(end - begin)) is not None:
                yield part


def _filtered(readers: list[SoundReader], chain: str) -> Iterator[av.AudioFrame]:
    """The readers mixed as they are, through a chain of filters. StepFailed."""
    graph = av.filter.Graph()
    sources = [
        graph.add_abuffer(sample_rate=AUDIO_RATE, format="fltp", layout="stereo", time_base=TICK)
        for _ in readers
    ]
    last: av.filter.FilterContext = sources[0]
    if len(readers) > 1:
        last = graph.add("amix", f"inputs={len(readers)}:normalize=0:duration=longest")
        for k, source in enumerate(sources):
            source.link_to(last, 0, k)
    for link in chain.split(","):
        name, _, options = link.partition("=")
        link_made = graph.add(name, options)
        last.link_to(link_made)
        last = link_made
    sink = graph.add("abuffersink")
    last.link_to(sink)
    graph.configure()
    resamplers = [av.AudioResampler(format="fltp", layout="stereo", rate=AUDIO_RATE) for _ in readers]
    streams = [reader.frames() for reader in readers]
    open_ones = set(range(len(readers)))
    while open_ones:
        for k in sorted(open_ones):
            frame = next(streams[k], None)
            if frame is None:
                open_ones.discard(k)
                sources[k].push(None)
                continue
            for shaped in resamplers[k].resample(frame):
                sources[k].push(shaped)
        yield from _pulled(sink)


def _pulled(sink: av.filter.FilterContext) -> Iterator[av.AudioFrame]:
    while True:
        try:
            frame = sink.pull()
        except (BlockingIOError, EOFError):
            return
        if isinstance(frame, av.AudioFrame):
            yield frame


def blocks_of(seconds: float) -> int:
    """How many of the encoder's blocks that is."""
    return math.ceil(round(seconds * AUDIO_RATE) / AAC_FRAME)


def in_blocks(frames: Iterable[av.AudioFrame], most: int) -> Iterator[av.AudioFrame]:
    """In the encoder's blocks, at most so many."""
    fifo = av.AudioFifo()
    at, end = 0, most * AAC_FRAME
    layouted = None
    for frame in frames:
        if layouted is None:
            layouted = av.AudioResampler(format="fltp", layout=frame.layout.name, rate=AUDIO_RATE)
        for shaped in layouted.resample(frame):
            shaped.pts = None
            fifo.write(shaped)
        while at < end and (block := fifo.read(AAC_FRAME)) is not None:
            block.pts, block.time_base = at, TICK
            at += AAC_FRAME
            yield block
    rest = fifo.read(0, partial=True) if at < end else None
    if rest is not None:
        rest.pts, rest.time_base = at, TICK
        yield rest


def _tell(progress: Progress, frame: av.AudioFrame, seconds: float) -> None:
    if frame.time is not None and seconds > 0 and int(frame.time) % 10 == 0:
        progress(min(1.0, frame.time / seconds))

"""Streams whose every sample says when it was captured: cheap enough for lessons of hours.

They hold no picture and no sound, only what the assembler looks at.
"""

from __future__ import annotations

import itertools
import struct
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from recorder.assemble.assembler import Assembler
from recorder.assemble.opus import SILENCE
from recorder.assemble.samples import AUDIO_RATE, VIDEO_RATE, Closed, Output, Sample, Section
from recorder.contract import TrackNote
from tests.fakes.recorded_lesson import CAMERA, FPS, VOICE, Sender, Sent, in_order, span_of

SPS = b"\x67\x42\xe0\x1f\x00"
PPS = b"\x68\xce\x3c\x80"
_AT = struct.Struct(">d")


def pictures(
    sender: Sender, seconds: float, start_s: float = 0.0, gop: int = 100, packets: int = 1, sps: bytes = SPS
) -> Iterator[Sent]:
    """A picture each 1/FPS; a keyframe has `packets` more."""
    sets = b"\x78" + b"".join(struct.pack(">H", len(unit)) + unit for unit in (sps, PPS))
    for number in range(round(seconds * FPS)):
        at = start_s + number / FPS
        stamp = _AT.pack(at).replace(b"\x00", b"\x01") + _AT.pack(at)
        key = number % gop == 0
        slices = [bytes([0x65 if key else 0x41]) + stamp]
        if key:
            slices += [b"\x65" + bytes([k % 250 + 1]) * 900 for k in range(packets - 1)]
        yield from sender.unit(at, [sets, *slices] if key else slices, number)


def sounds(
    sender: Sender, seconds: float, start_s: float = 0.0, quiet: Callable[[int], bool] = lambda _: False
) -> Iterator[Sent]:
    """A packet each 20 ms of the sender's own clock; a quiet one is small."""
    every_s = 0.02 / (1 + sender.ppm / 1e6)
    for number in range(round(seconds / every_s)):
        at = start_s + number * every_s
        yield from sender.unit(at, [b"\xf8" + _AT.pack(at) + b"x" * (0 if quiet(number) else 40)], number)


@dataclass(frozen=True, slots=True)
class Made:
    """What came out, and when each sample that is one was captured."""

    outputs: list[Output]
    assembler: Assembler

    def shown(self, track: str) -> list[tuple[float, float]]:
        """(time in the recording, time of capture) of each real sample."""
        rate = VIDEO_RATE if track != VOICE.name else AUDIO_RATE
        return [
            (output.at / rate, _captured(output.data, track == VOICE.name))
            for output in self.outputs
            if isinstance(output, Sample) and output.track == track and output.data != SILENCE
        ]

    def late(self, track: str, window: tuple[float, float] = (0.0, 1e9)) -> list[float]:
        """How late each sample stands against its capture, captured within the window."""
        return [at - captured for at, captured in self.shown(track) if window[0] <= captured <= window[1]]

    def offset_ms(self, window: tuple[float, float] = (0.0, 1e9)) -> float:
        """The worst distance between sound and picture that were captured together."""
        pictures, sounds = self.late(CAMERA.name, window), self.late(VOICE.name, window)
        high = max(max(pictures) - min(sounds), max(sounds) - min(pictures))
        return 1000 * high

    def closed(self, track: str) -> int:
        return next(o.at for o in self.outputs if isinstance(o, Closed) and o.track == track)

    def sections(self, track: str) -> list[Section]:
        return [o for o in self.outputs if isinstance(o, Section) and o.track == track]

    def gaps(self, track: str) -> list[tuple[float, float, str]]:
        return [(g.start_s, g.end_s, str(g.cause)) for g in self.assembler.tracks[track].gaps.holes]


def _captured(data: bytes, audio: bool) -> float:
    at = 1 if audio else 13
    return float(_AT.unpack_from(data, at)[0])


def assemble(
    *streams: Iterable[Sent],
    end_s: float | None = None,
    pieces: int = 1,
    notes: Sequence[TrackNote] = (CAMERA, VOICE),
) -> Made:
    """Records in order of arrival through an assembler; and what must hold for any of them, asserted."""
    span = span_of(in_order(*streams), notes, end_s)
    assembler = Assembler()
    assembler.opened(b"r" * 16, b"boot", 0)
    for piece in cut(span, pieces):
        assembler.feed(piece)
    if end_s is None:
        assembler.finish()
    made = Made(assembler.take(), assembler)
    assert_contiguous(made)
    return made


def cut(span: bytes, pieces: int) -> Iterator[bytes]:
    """The span in pieces of whole records."""
    edges = [0]
    while edges[-1] < len(span):
        edges.append(edges[-1] + ((struct.unpack_from("<I", span, edges[-1])[0] + 7) & ~7))
    step = max(len(edges) // pieces, 1)
    chosen = [*edges[:-1:step], len(span)]
    for start, end in itertools.pairwise(chosen):
        yield span[start:end]


def assert_contiguous(made: Made) -> None:
    """Times rise; sound has no hole: each packet begins where the one before ends."""
    last: dict[str, int] = {}
    for output in made.outputs:
        if isinstance(output, Sample):
            if output.track in last:
                assert output.at > last[output.track]
                if output.track == VOICE.name:
                    assert output.at - last[output.track] == 960
            last[output.track] = output.at
        elif isinstance(output, Closed):
            assert output.at >= last[output.track]

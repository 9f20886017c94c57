"""A lesson as RTP, made by real encoders from numbered pictures and a voice with sync tones, in lesson time.

`sent_packets` gives what publishers put on the wire; tests delay, lose, shift it and write it into a ring.
"""

from __future__ import annotations

import functools
import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction

import av
import numpy as np

from recorder.contract import RecordKind, Subject, TrackNote
from server.drill.lessonkit.media import Camera, Voice, plan_lesson
from tests.fakes.ring_writer import RingWriter

FPS = 25
MTU = 1100
NTP_ZERO_S = 3_900_000_000.0
CAMERA = TrackNote(number=1, name="camera", subject=Subject.TEACHER, kind="video", codec="H264")
SCREEN = TrackNote(number=2, name="screen", subject=Subject.SCREEN, kind="video", codec="H264")
VOICE = TrackNote(number=3, name="voice", subject=Subject.VOICE, kind="audio", codec="opus")


@dataclass(frozen=True, slots=True)
class Sent:
    """A record to be: when it leaves (lesson seconds) and what it is."""

    at_s: float
    track: int
    data: bytes
    kind: RecordKind = RecordKind.RTP
    frame: int = -1


@functools.cache
def camera_units(seconds: float, width: int = 320, height: int = 180, gop: int = 50) -> tuple[bytes, ...]:
    """One Annex B access unit a frame, a keyframe every `gop`."""
    camera = Camera(plan_lesson(1, seconds), width, height, FPS)
    encoder = av.CodecContext.create("libx264", "w")
    assert isinstance(encoder, av.VideoCodecContext)
    encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuv420p"
    encoder.time_base, encoder.framerate = Fraction(1, FPS), Fraction(FPS)
    encoder.options = {
        "preset": "ultrafast", "tune": "zerolatency", "profile": "baseline", "crf": "30",
        "x264-params": f"keyint={gop}:min-keyint={gop}:scenecut=0:repeat-headers=1:threads=1",
    }  # fmt: skip
    units = []
    for number in range(int(seconds * FPS)):
        frame = av.VideoFrame.from_ndarray(camera.frame(number), format="bgr24")
        frame.pts = number
        units += [bytes(packet) for packet in encoder.encode(frame)]
    units += [bytes(packet) for packet in encoder.encode(None)]
    return tuple(units)


@functools.cache
def voice_packets(seconds: float) -> tuple[bytes, ...]:
    """One Opus packet for each 20 ms."""
    voice = Voice(plan_lesson(1, seconds), speech=False)
    encoder = av.CodecContext.create("libopus", "w")
    assert isinstance(encoder, av.AudioCodecContext)
    encoder.sample_rate, encoder.format, encoder.layout = 48_000, "s16", "mono"
    encoder.bit_rate = 32_000
    packets = []
    for number in range(int(seconds * 50)):
        pcm = (np.clip(voice.samples(number * 960, 960), -1, 1) * 32767).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(pcm[None], format="s16", layout="mono")
        frame.sample_rate, frame.pts = 48_000, number * 960
        packets += [bytes(packet) for packet in encoder.encode(frame)]
    packets += [bytes(packet) for packet in encoder.encode(None)]
    return tuple(packets)


@dataclass(slots=True)
class Sender:
    """One RTP stream. `ppm`: how much its media clock is too fast; `delay_s`: encoding."""

    note: TrackNote
    ssrc: int
    payload_type: int
    rate: int
    sequence: int = 0
    timestamp: int = 0
    ppm: float = 0.0
    delay_s: float = 0.0
    spread_s: float = 0.0002  # between two packets of a frame
    report_every_s: float = 1.0
    _reported_s: float = field(default=-1.0)

    def time(self, at_s: float) -> int:
        return (self.timestamp + round(at_s * self.rate * (1 + self.ppm / 1e6))) & 0xFFFFFFFF

    def packet(self, at_s: float, payload: bytes, marker: bool) -> bytes:
        header = struct.pack(
            ">BBHII",
            0x80,
            (marker << 7) | self.payload_type,
            self.sequence & 0xFFFF,
            self.time(at_s),
            self.ssrc,
        )
        self.sequence += 1
        return header + payload

    def report(self, at_s: float, step_s: float = 0.0) -> bytes:
        ntp = int((NTP_ZERO_S + at_s + step_s) * (1 << 32))
        return struct.pack(">IQI", self.ssrc, ntp, self.time(at_s))

    def unit(self, at_s: float, payloads: Sequence[bytes], frame: int) -> Iterator[Sent]:
        """A picture or a sound captured at `at_s`."""
        for k, payload in enumerate(payloads):
            data = self.packet(at_s, payload, k == len(payloads) - 1)
            yield Sent(at_s + self.delay_s + k * self.spread_s, self.note.number, data, frame=frame)
        if self.report_every_s and at_s - self._reported_s >= self.report_every_s:
            self._reported_s = at_s
            yield Sent(at_s + self.delay_s, self.note.number, self.report(at_s), RecordKind.SENDER_REPORT)


def camera_sender(note: TrackNote = CAMERA, ssrc: int = 0x1111, **rest: object) -> Sender:
    return replace(
        Sender(note, ssrc, 96, 90_000, sequence=65_500, timestamp=0xFFFF0000, delay_s=0.03), **rest
    )  # type: ignore[arg-type]


def voice_sender(note: TrackNote = VOICE, ssrc: int = 0x2222, **rest: object) -> Sender:
    return replace(
        Sender(note, ssrc, 111, 48_000, sequence=65_400, timestamp=0xFFFFF000, delay_s=0.005), **rest
    )  # type: ignore[arg-type]


def camera_packets(sender: Sender, seconds: float, start_s: float = 0.0, **made: int) -> Iterator[Sent]:
    for number, unit in enumerate(camera_units(seconds, **made)):
        yield from sender.unit(start_s + number / FPS, h264_payloads(unit), number)


def voice_packets_sent(sender: Sender, seconds: float, start_s: float = 0.0) -> Iterator[Sent]:
    for number, packet in enumerate(voice_packets(seconds)):
        yield from sender.unit(start_s + number / 50, [packet], number)


def lesson(seconds: float, camera: Sender | None = None, voice: Sender | None = None) -> list[Sent]:
    """Camera and voice from the lesson's start, as they leave."""
    return in_order(
        camera_packets(camera or camera_sender(), seconds),
        voice_packets_sent(voice or voice_sender(), seconds),
    )


def in_order(*streams: Iterable[Sent]) -> list[Sent]:
    return sorted((sent for stream in streams for sent in stream), key=lambda sent: sent.at_s)


def h264_payloads(unit: bytes) -> list[bytes]:
    """RFC 6184, packetization mode 1: parameter sets in a STAP-A, large units in FU-As."""
    payloads, sets = [], []
    for nal in split_annex_b(unit):
        if nal[0] & 0x1F in (7, 8):
            sets.append(nal)
            continue
        if sets:
            payloads.append(b"\x78" + b"".join(struct.pack(">H", len(s)) + s for s in sets))
            sets = []
        if len(nal) <= MTU:
            payloads.append(nal)
            continue
        pieces = [nal[at : at + MTU] for at in range(1, len(nal), MTU)]
        for k, piece in enumerate(pieces):
            edge = (0x80 if k == 0 else 0) | (0x40 if k == len(pieces) - 1 else 0)
            payloads.append(bytes([(nal[0] & 0xE0) | 28, edge | (nal[0] & 0x1F)]) + piece)
    return payloads


def split_annex_b(unit: bytes) -> list[bytes]:
    parts = unit.replace(b"\x00\x00\x00\x01", b"\x00\x00\x01").split(b"\x00\x00\x01")
    return [part for part in parts if part]


def write_sent(ring: RingWriter, sent: Iterable[Sent], base_ns: int) -> None:
    """Into the ring, as arrived the moment it left."""
    for one in sent:
        ring.write(one.kind, one.track, one.data, base_ns + round(one.at_s * 1e9))


def span_of(
    sent: Iterable[Sent], notes: Sequence[TrackNote] = (CAMERA, VOICE), end_s: float | None = None
) -> bytes:
    """The ring's bytes of a whole lesson, for tests that need no ring."""
    records = list(sent)
    ring = RingWriter(sum(len(r.data) + 40 for r in records) + 65_536)
    for note in notes:
        ring.note(note, 10**12)
    write_sent(ring, records, 10**12)
    if end_s is not None:
        ring.write(RecordKind.END, 0, b"", 10**12 + round(end_s * 1e9))
    span = ring.contents()
    ring.close()
    return span

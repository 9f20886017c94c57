"""The numbered camera as VP8, VP9 or AV1, by real encoders, and as RTP."""

from __future__ import annotations

import functools
import os
import struct
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction

import av
import msgspec

from recorder.contract import PAYLOAD_TYPES, TrackNote
from server.drill.lessonkit.media import Camera, plan_lesson
from tests.fakes.recorded_lesson import CAMERA, FPS, MTU, Sender, Sent, camera_sender

REALTIME = {"deadline": "realtime", "cpu-used": "8", "lag-in-frames": "0", "auto-alt-ref": "0"}
ENCODERS = {
    "VP8": ("libvpx", REALTIME),
    "VP9": ("libvpx-vp9", {**REALTIME, "row-mt": "0"}),
    "AV1": ("libsvtav1", {"preset": "12", "svtav1-params": "pred-struct=1:lp=1", "crf": "35"}),
}
GOP = 50


@functools.cache
def foreign_pictures(codec: str, seconds: float, width: int = 320, height: int = 180) -> tuple[bytes, ...]:
    """One picture a frame, a keyframe every GOP."""
    policy, priority = os.sched_getscheduler(0), os.sched_getparam(0)
    try:
        return tuple(_encoded(codec, seconds, width, height))
    finally:
        # SVT-AV1 gives the thread of a superuser real-time priority, and never takes it back: every process
        # started from it would inherit that and starve the machine.
        os.sched_setscheduler(0, policy, priority)


def _encoded(codec: str, seconds: float, width: int, height: int) -> Iterator[bytes]:
    camera = Camera(plan_lesson(1, seconds), width, height, FPS)
    name, options = ENCODERS[codec]
    encoder = av.CodecContext.create(name, "w")
    assert isinstance(encoder, av.VideoCodecContext)
    encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuv420p"
    encoder.time_base, encoder.framerate = Fraction(1, FPS), Fraction(FPS)
    encoder.gop_size, encoder.options = GOP, options
    if codec != "AV1":
        encoder.bit_rate = 800_000
    for number in range(int(seconds * FPS)):
        frame = av.VideoFrame.from_ndarray(camera.frame(number), format="bgr24").reformat(format="yuv420p")
        frame.pts = number
        yield from map(bytes, encoder.encode(frame))
    yield from map(bytes, encoder.encode(None))


def foreign_packets(
    codec: str, seconds: float, start_s: float = 0.0, sender: Sender | None = None, **made: int
) -> Iterator[Sent]:
    """The camera in another codec, as it leaves."""
    number = next(number for number, name in PAYLOAD_TYPES.items() if name == codec)
    sender = replace(sender or camera_sender(), note=camera_in(codec), payload_type=number)
    for k, picture in enumerate(foreign_pictures(codec, seconds, **made)):
        yield from sender.unit(start_s + k / FPS, payloads(codec, picture, k), k)


def camera_in(codec: str) -> TrackNote:
    """The camera's note."""
    return msgspec.structs.replace(CAMERA, codec=codec)


def payloads(codec: str, picture: bytes, number: int) -> list[bytes]:
    """What a browser makes of a picture."""
    if codec == "AV1":
        return _av1(picture, key=number % GOP == 0)
    cut = [picture[at : at + MTU] for at in range(0, len(picture), MTU)]
    found = []
    for k, piece in enumerate(cut):
        name = struct.pack(">H", 0x8000 | (number & 0x7FFF))
        if codec == "VP8":
            head = bytes((0x90 if k == 0 else 0x80, 0x80)) + name
        else:
            inter = 0x40 if number % GOP else 0
            head = (
                bytes((0x80 | inter | (0x08 if k == 0 else 0) | (0x04 if k == len(cut) - 1 else 0),)) + name
            )
        found.append(head + piece)
    return found


def _av1(unit: bytes, *, key: bool) -> list[bytes]:
    """OBUs without sizes, cut at the packet's end (Z and Y), each with its length (W = 0)."""
    pieces: list[tuple[bytes, bool, bool]] = []
    for obu in _obus(unit):
        cuts = [obu[at : at + MTU] for at in range(0, len(obu), MTU)]
        pieces += [(cut, k > 0, k < len(cuts) - 1) for k, cut in enumerate(cuts)]
    packets: list[bytes] = []
    at = 0
    while at < len(pieces):
        body, first, size = b"", pieces[at], 0
        last = first
        while at < len(pieces) and size + len(pieces[at][0]) <= MTU + 10:
            last = pieces[at]
            body += _leb128(len(last[0])) + last[0]
            size += len(last[0])
            at += 1
        head = (0x80 if first[1] else 0) | (0x40 if last[2] else 0) | (0x08 if key and not packets else 0)
        packets.append(bytes((head,)) + body)
    return packets


def _obus(unit: bytes) -> Iterator[bytes]:
    at = 0
    while at < len(unit):
        head = unit[at]
        body = at + (2 if head & 4 else 1)
        size, shift = 0, 0
        while True:
            byte = unit[body]
            body += 1
            size |= (byte & 0x7F) << shift
            shift += 7
            if not byte & 0x80:
                break
        if (head >> 3) & 15 != 2:
            extension = unit[at + 1 : at + 2] if head & 4 else b""
            yield bytes((head & ~2,)) + extension + unit[body : body + size]
        at = body + size


def _leb128(value: int) -> bytes:
    out = b""
    while value > 0x7F:
        out, value = out + bytes(((value & 0x7F) | 0x80,)), value >> 7
    return out + bytes((value,))

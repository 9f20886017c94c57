"""Pictures -> H.264 in pieces that are finished by themselves: a kill loses the piece at hand alone.

No B-pictures: decoding order is showing order, and pieces join without a seam; every piece begins with a
keyframe.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import av
import msgspec
from av.video.frame import PictureType

from recorder.archive.manifest import write_whole
from recorder.assemble.samples import VIDEO_RATE
from recorder.publish.problems import StepFailed

KEYFRAME_S = 4.0
TICK = Fraction(1, VIDEO_RATE)


class Packet(msgspec.Struct, frozen=True, array_like=True):
    """An encoded picture: its place in ticks of the lesson's clock."""

    at: int
    key: bool
    data: bytes


class Piece(msgspec.Struct, frozen=True):
    """A finished stretch. `head`: the decoder's parameters (avcC's parameter sets in Annex B form)."""

    width: int
    height: int
    head: bytes
    packets: list[Packet]


class Quality(NamedTuple):
    """x264's settings. `most_kbps`: the decoder's model never needs more; `crf` 0: that rate on average."""

    width: int
    height: int
    crf: float
    most_kbps: int
    preset: str
    threads: int


class PictureEncoder:
    """One piece of one derived picture. `take` pictures of the right size in order, then `finish`."""

    def __init__(self, quality: Quality) -> None:
        self._quality = quality
        self._packets: list[Packet] = []
        self._keyed_at: float | None = None
        self._last = -1
        made = av.CodecContext.create("libx264", "w")
        assert isinstance(made, av.VideoCodecContext)
        made.width, made.height, made.pix_fmt = quality.width, quality.height, "yuv420p"
        made.time_base, made.framerate = TICK, Fraction(25)
        made.thread_count = quality.threads
        made.flags |= av.codec.context.Flags.global_header
        made.options = {
            "preset": quality.preset, "bf": "0", "g": "1000", "forced-idr": "1",
            "maxrate": f"{quality.most_kbps}k", "bufsize": f"{2 * quality.most_kbps}k",
        }  # fmt: skip
        if quality.crf:
            made.options = {**made.options, "crf": str(quality.crf)}
        else:
            made.bit_rate = quality.most_kbps * 1000
        self._encoder = made

    def take(self, at_s: float, frame: av.VideoFrame) -> None:
        """A picture that is shown from `at_s` on. StepFailed."""
        due = self._keyed_at is None or at_s - self._keyed_at >= KEYFRAME_S
        if due:
            self._keyed_at = at_s
        frame.pict_type = PictureType.I if due else PictureType.NONE
        self._last = frame.pts = max(round(at_s * VIDEO_RATE), self._last + 1)
        frame.time_base = TICK
        try:
            self._keep(self._encoder.encode(frame))
        except av.FFmpegError as error:
            raise StepFailed("encoder", str(error)) from error

    def ready(self) -> list[Packet]:
        """What is encoded so far, once."""
        taken, self._packets = self._packets, []
        return taken

    @property
    def head(self) -> bytes:
        """The parameter sets, Annex B; there once a packet is."""
        return bytes(self._encoder.extradata or b"")

    def finish(self) -> Piece:
        """StepFailed."""
        try:
            if self._last >= 0:
                self._keep(self._encoder.encode(None))
        except av.FFmpegError as error:
            raise StepFailed("encoder", str(error)) from error
        return Piece(self._quality.width, self._quality.height, self.head, self._packets)

    def _keep(self, packets: Iterable[av.Packet[av.VideoStream]]) -> None:
        for packet in packets:
            assert packet.pts is not None
            self._packets.append(Packet(packet.pts, packet.is_keyframe, bytes(packet)))


_decoder = msgspec.msgpack.Decoder(Piece)


def write_piece(path: Path, piece: Piece) -> None:
    """Whole or not at all. OSError."""
    write_whole(path, msgspec.msgpack.encode(piece), durable=True)


def read_piece(path: Path) -> Piece:
    """StepFailed "pieces_differ" for a file that is none; OSError."""
    try:
        return _decoder.decode(path.read_bytes())
    except msgspec.MsgspecError as error:
        raise StepFailed("pieces_differ", str(error)) from error


def fit(width: int, height: int, most_height: int) -> tuple[int, int]:
    """The size of a rendition: even numbers, the same shape, never enlarged."""
    if height <= most_height:
        return width & ~1, height & ~1
    return round(width * most_height / height / 2) * 2, most_height & ~1

"""A voice as AAC in pieces of half a minute, each made by itself, most of them while the lesson is still on.

A piece is `FRAMES` AAC frames, which are a whole number of Opus packets. It is encoded with some sound
before and behind it, so that pieces join without a seam, and says what it was made of: one that was made of
other bytes (the recording was made again) is made anew.
"""

from __future__ import annotations

import hashlib
import io
import struct
from collections.abc import Iterable, Iterator
from itertools import chain, groupby, islice
from pathlib import Path
from typing import NamedTuple

import av
import msgspec

from recorder.archive.layout import PIECES, playlist_file, served_file
from recorder.archive.manifest import write_whole
from recorder.assemble.samples import AUDIO_RATE
from recorder.playlist import ListedRange, listed_ranges
from recorder.publish.packaging import StreamOf, Timed, add_stream, mux
from recorder.publish.passing import piece_file
from recorder.publish.sound import AAC_FRAME, TICK, in_blocks

OPUS_PACKET = 960
FRAMES = 1410
"""Of a piece: 30.08 s, 1,504 Opus packets, six segments."""
PACKETS = FRAMES * AAC_FRAME // OPUS_PACKET
SEGMENT_FRAMES = 235
LEAD_PACKETS = 16
"""Heard before a piece, 15 frames: 80 ms for the decoder to settle, the rest for the encoder."""
TRAIL_PACKETS = 6
"""Heard behind it: the encoder looks ahead."""
AHEAD_FRAMES = 2
VOICE_BPS = {"mono": 64_000, "stereo": 112_000}
MOVFLAGS = "empty_moov+default_base_moof+skip_trailer"


class Piece(msgspec.Struct, frozen=True, array_like=True):
    """`source`: SHA-256 of the bytes it was made of; `stereo`: whether one of their packets is; `segments`:
    frames and bytes of each, in `data` one after the other."""

    source: str
    layout: str
    stereo: bool
    sounds: int
    head: bytes
    segments: list[tuple[int, int]]
    data: bytes


class Sounds(NamedTuple):
    """Decoded sound back to back. `decoded`: packets that came out whole."""

    frames: list[av.AudioFrame]
    decoded: int
    stereo: bool


_decoder = msgspec.msgpack.Decoder(Piece)


class Voice:
    """One recorded voice of Opus packets, as far as its playlist tells; it may still grow. OSError."""

    def __init__(self, folder: Path, track: str) -> None:
        self._folder = folder
        self._track = track
        text = (folder / playlist_file(track)).read_text("utf-8")
        self._ranges = list(listed_ranges(text))
        self.packets = sum(_packets(one) for one in self._ranges)

    @property
    def seconds(self) -> float:
        return self.packets * OPUS_PACKET / AUDIO_RATE

    @property
    def finished(self) -> int:
        """How many pieces all is there for, whatever is still to come."""
        return max(0, self.packets - TRAIL_PACKETS) // PACKETS

    def missing(self) -> list[int]:
        """Finished pieces that nobody has made yet."""
        return [number for number in range(self.finished) if not self._file(number).exists()]

    def all(self, frames: int) -> list[Piece]:
        """Every piece of the first `frames` AAC frames, those made before where they still hold.
        OSError, BadName."""
        pieces = [self._whole(number, "") for number in range(-(-frames // FRAMES))]
        layout = "stereo" if any(piece.stereo for piece in pieces) else "mono"
        return [
            piece if piece.layout == layout else self.make(number, layout)
            for number, piece in enumerate(pieces)
        ]

    def make(self, number: int, layout: str = "") -> Piece:
        """One piece, kept; its layout, where none is asked for, is that of its packets. OSError, BadName."""
        first, begin, media = number * PACKETS, self._begin(number), self._media(number)
        sounds = _decode(media, first - begin)
        layout = layout or ("stereo" if sounds.stereo else "mono")
        lead = (first - begin) * OPUS_PACKET // AAC_FRAME
        count = min(FRAMES, -(-(self.packets - first) * OPUS_PACKET // AAC_FRAME))
        timed = encoded(sounds.frames, layout, lead + count + AHEAD_FRAMES)
        frames = [one.data for one in timed][lead : lead + count]
        head, segments, data = _muxed(frames, layout, number * FRAMES)
        piece = Piece(_digest(media), layout, sounds.stereo, sounds.decoded, head, segments, data)
        (self._folder / PIECES).mkdir(exist_ok=True)
        write_whole(self._file(number), msgspec.msgpack.encode(piece))
        return piece

    def _whole(self, number: int, layout: str) -> Piece:
        try:
            piece = _decoder.decode(self._file(number).read_bytes())
        except (FileNotFoundError, msgspec.MsgspecError):
            return self.make(number, layout)
        last = number >= self.finished  # more has come since, or less
        return self.make(number, layout) if last or piece.source != _digest(self._media(number)) else piece

    def _file(self, number: int) -> Path:
        return piece_file(self._folder, f"{self._track}.aac", number)

    def _begin(self, number: int) -> int:
        return max(0, number * PACKETS - LEAD_PACKETS)

    def _media(self, number: int) -> list[_Media]:
        """The bytes of the segments that a piece is heard in. OSError, BadName."""
        begin, end = self._begin(number), (number + 1) * PACKETS + TRAIL_PACKETS
        wanted, at = [], 0
        for one in self._ranges:
            packets = _packets(one)
            if at < end and at + packets > begin:
                wanted.append((at, one))
            at += packets
        found = []
        for file, group in groupby(wanted, lambda pair: pair[1].file):
            parts = list(group)
            first, last = parts[0][1], parts[-1][1]
            path = served_file(self._folder, file)
            with path.open("rb") as opened:
                opened.seek(first.offset)
                body = opened.read(last.offset + last.length - first.offset)
            init = served_file(self._folder, first.init).read_bytes()
            heard_from, heard_to = max(begin, parts[0][0]), min(end, parts[-1][0] + _packets(last))
            found.append(_Media(init + body, heard_from - parts[0][0], heard_to - heard_from))
        return found


class _Media(NamedTuple):
    """A file's init and segments. Of its packets `skip` are passed over, then `heard` are heard."""

    data: bytes
    skip: int
    heard: int


def _packets(listed: ListedRange) -> int:
    return round(listed.seconds * AUDIO_RATE / OPUS_PACKET)


def _digest(media: Iterable[_Media]) -> str:
    digest = hashlib.sha256()
    for one in media:
        digest.update(one.data)
    return digest.hexdigest()


def _decode(media: Iterable[_Media], lead: int) -> Sounds:
    """Stereo, 48 kHz. What cannot be decoded is silence; `lead` packets are not counted."""
    frames, decoded, stereo = list[av.AudioFrame](), -lead, False
    for one in media:
        missing = one.heard
        try:
            with av.open(io.BytesIO(one.data), "r") as container:
                stream = container.streams.audio[0]
                stream.codec_context.options = {"err_detect": "explode"}
                for packet in islice(container.demux(stream), one.skip, one.skip + one.heard):
                    stereo = stereo or bool(packet.size and memoryview(packet)[0] & 4)  # RFC 6716, 3.1
                    made = _decoded(packet)
                    decoded, missing = decoded + bool(made), missing - 1
                    frames += made or [_silence()]
        except (av.FFmpegError, IndexError):
            pass
        frames += [_silence() for _ in range(missing)]
    return Sounds(frames, max(0, decoded), stereo)


def _decoded(packet: av.Packet[av.AudioStream]) -> list[av.AudioFrame]:
    try:
        return [frame for frame in packet.decode() if not frame.is_corrupt]
    except av.FFmpegError:
        return []


def _silence() -> av.AudioFrame:
    frame = av.AudioFrame(format="fltp", layout="stereo", samples=OPUS_PACKET)
    frame.sample_rate = AUDIO_RATE
    for plane in frame.planes:
        plane.update(bytes(plane.buffer_size))
    return frame


def encoded(frames: Iterable[av.AudioFrame], layout: str, most: int) -> Iterator[Timed]:
    """At most so many AAC frames. The encoder's delay, which holds nothing, is left out."""
    encoder = av.CodecContext.create("aac", "w")
    assert isinstance(encoder, av.AudioCodecContext)
    encoder.sample_rate, encoder.format, encoder.layout = AUDIO_RATE, "fltp", layout
    encoder.bit_rate, encoder.time_base = VOICE_BPS[layout], TICK
    encoder.options = {"aac_coder": "fast"}
    shaper = av.AudioResampler(format="fltp", layout=layout, rate=AUDIO_RATE)
    shaped = (made for frame in frames for made in shaper.resample(frame))
    for block in chain(in_blocks(shaped, most), (None,)):
        for packet in encoder.encode(block):
            if packet.pts is not None and packet.pts >= 0:
                yield Timed(packet.pts, AAC_FRAME, True, bytes(packet))


def _muxed(frames: list[bytes], layout: str, first: int) -> tuple[bytes, list[tuple[int, int]], bytes]:
    """The init, and fragments that follow those of the pieces before."""
    out = io.BytesIO()
    number = str(first // SEGMENT_FRAMES + 1)
    options = {"movflags": MOVFLAGS, "fragment_index": number, "frag_duration": "5000000"}
    with av.open(out, "w", format="mp4", options=options) as container:
        stream = add_stream(container, StreamOf("aac", AUDIO_RATE, layout=layout))
        container.start_encoding()
        for at, data in enumerate(frames, first):
            mux(container, stream, Timed(at * AAC_FRAME, AAC_FRAME, True, data), AUDIO_RATE)
    return _parted(out.getvalue(), len(frames), first * AAC_FRAME)


def _parted(muxed: bytes, frames: int, begin: int) -> tuple[bytes, list[tuple[int, int]], bytes]:
    """What stands before the first fragment, the fragments' frames and lengths, the fragments. Their decode
    times, which count from the piece, count from `begin` afterwards."""
    made, begins, at = bytearray(muxed), list[int](), 0
    while at + 8 <= len(made):
        size, kind = struct.unpack_from(">I4s", made, at)
        if kind == b"moof":
            begins.append(at)
            place = made.index(b"tfdt\x01", at, at + size) + 8  # 64 bits (ISO/IEC 14496-12, 8.8.12)
            struct.pack_into(">Q", made, place, struct.unpack_from(">Q", made, place)[0] + begin)
        at += size
    ends = [*begins[1:], len(made)]
    held = [min(SEGMENT_FRAMES, frames - k * SEGMENT_FRAMES) for k in range(len(begins))]
    segments = [(count, end - begin) for count, begin, end in zip(held, begins, ends, strict=True)]
    return bytes(made[: begins[0]]), segments, bytes(made[begins[0] :])

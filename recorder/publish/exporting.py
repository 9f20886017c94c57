"""The "excellent lesson" export: the film as competitions want it, behind a title card.

1080p25, H.264 about 8 Mbit/s, AAC 128 kbit/s, at most 1 GB: a long lesson gets the rate that fits.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import av
import msgspec
import numpy as np

from recorder.archive.layout import derived_file
from recorder.archive.manifest import Manifest
from recorder.archive.published import Rendition, RenditionKind, StepName
from recorder.assemble.samples import AUDIO_RATE, VIDEO_RATE
from recorder.publish import titlecard
from recorder.publish.contract import Card
from recorder.publish.encoding import PictureEncoder, Piece, Quality
from recorder.publish.packaging import Timed, pictures, sum_of
from recorder.publish.passing import pieces_made
from recorder.publish.problems import StepFailed
from recorder.publish.products import Lead, join
from recorder.publish.sound import AAC_FRAME, SOUND_BPS, trimmed
from recorder.publish.trimming import Trim

WIDTH, HEIGHT, FPS = 1920, 1080, 25
KBPS = 8000
MOST_BYTES = 1_000_000_000
SPARE = 0.92  # of the bytes are planned: what the encoder's buffer lets it go over, and the container
CARD_FRAMES = 240  # AAC frames: 5.12 s, 128 pictures, to the sample
CARD_S = CARD_FRAMES * AAC_FRAME / AUDIO_RATE


def quality(seconds: float, preset: str, threads: int) -> Quality:
    """As many bits a second as the limit leaves a film of this length."""
    planned = MOST_BYTES * SPARE * 8 / (seconds + CARD_S) / 1000 - SOUND_BPS / 1000
    return Quality(WIDTH, HEIGHT, 0.0, max(200, min(KBPS, int(planned))), preset, threads)


def export(folder: Path, manifest: Manifest, trim: Trim, card: Card, made_with: Quality) -> Rendition:
    """Title card, film and sound as one file. StepFailed, OSError."""
    if not card.title:
        card = msgspec.structs.replace(card, title=manifest.title)
    first, stream, packets = pictures(pieces_made(folder, StepName.EXPORT + trim.name), trim.seconds)
    title = _title(card, made_with)
    if title.head != first.head:
        raise StepFailed("pieces_differ", "title card")
    stream = stream._replace(head=title.head + title.packets[0].data)
    shift = round(CARD_S * VIDEO_RATE)
    lead = [Timed(p.at, VIDEO_RATE // FPS, p.key, p.data) for p in title.packets]
    shifted = (timed._replace(at=timed.at + shift) for timed in packets)
    name = derived_file("lesson", "export.mp4")
    heard = trimmed(folder, trim)
    silence = Lead(CARD_FRAMES * AAC_FRAME, list(_silence()))
    join(folder / name, stream, chain(lead, shifted), heard, manifest.title, silence)
    made = sum_of(folder / name)
    if made.bytes > MOST_BYTES:
        (folder / name).unlink()
        raise StepFailed("too_large", f"{made.bytes} bytes")
    return Rendition(
        RenditionKind.EXPORT, made.file, codec="H264+AAC" if heard else "H264",
        seconds=round(trim.seconds + CARD_S, 3), bytes=made.bytes, width=WIDTH, height=HEIGHT,
        sha256=made.sha256,
    )  # fmt: skip


def _title(card: Card, made_with: Quality) -> Piece:
    encoder, picture = PictureEncoder(made_with), titlecard.frame(card, WIDTH, HEIGHT)
    for number in range(round(CARD_S * FPS)):
        encoder.take(number / FPS, picture)
    return encoder.finish()


def _silence() -> Iterator[tuple[int, bytes]]:
    """AAC frames for the time of the card, in the encoder's order, from before its beginning."""
    encoder = av.CodecContext.create("aac", "w")
    assert isinstance(encoder, av.AudioCodecContext)
    encoder.sample_rate, encoder.format, encoder.layout = AUDIO_RATE, "fltp", "stereo"
    encoder.bit_rate = SOUND_BPS
    for number in range(CARD_FRAMES + 2):
        frame = av.AudioFrame.from_ndarray(
            np.zeros((2, AAC_FRAME), np.float32), format="fltp", layout="stereo"
        )
        frame.sample_rate, frame.pts = AUDIO_RATE, number * AAC_FRAME
        for packet in encoder.encode(frame):
            if packet.pts is not None and packet.pts < (CARD_FRAMES - 1) * AAC_FRAME:
                yield packet.pts, bytes(packet)

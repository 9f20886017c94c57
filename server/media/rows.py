"""Typed parameters -> the relay's rows. Pure."""

from __future__ import annotations

from server.media.relay.tables import CodecNumber, CodecRow, DownRow, UpRow
from server.protocol.parameters import Codec, CodecName, DownSlot, Kind, Source, UpTrack

NUMBERS = {
    CodecName.OPUS: CodecNumber.OPUS,
    CodecName.RED: CodecNumber.RED,
    CodecName.H264: CodecNumber.H264,
    CodecName.VP8: CodecNumber.VP8,
    CodecName.VP9: CodecNumber.VP9,
    CodecName.AV1: CodecNumber.AV1,
}
NAMES = {number: name for name, number in NUMBERS.items()}

RING_S = 2.0
MARGIN = 1.25
AUDIO_RING_BYTES = 128 << 10
LEAST_VIDEO_RING_BYTES = 768 << 10
LEAST_LAYER_RING_BYTES = 256 << 10
SCREEN_RING_BYTES = 8 << 20
MOST_RING_BYTES = 8 << 20


def up_row(track: UpTrack) -> UpRow:
    """The row of an up track; its ring holds 2 s and a quarter, a screen's its whole GOP."""
    extensions = track.extensions
    layers = tuple(rid.encode() for rid in track.rids) or (b"",)
    return UpRow(
        video=track.kind is Kind.VIDEO,
        mid=track.mid.encode(),
        codecs=_codec_rows(track.codecs),
        layers=layers,
        ssrcs=tuple((0, media, rtx) for media, rtx in track.ssrcs.items()) if len(layers) == 1 else (),
        ring_bytes=ring_bytes(track),
        keep_gop=track.source is Source.SCREEN,
        mid_id=extensions.mid,
        rid_id=extensions.rid,
        repaired_rid_id=extensions.repaired_rid,
        audio_level_id=extensions.audio_level,
        transport_cc_id=extensions.transport_cc,
        abs_send_time_id=extensions.abs_send_time,
    )


def ring_bytes(track: UpTrack) -> tuple[int, ...]:
    """Of each layer: the highest as for the track alone, those below it a half of the one above each."""
    if track.kind is Kind.AUDIO:
        return (AUDIO_RING_BYTES,)
    if track.source is Source.SCREEN:
        top, least = SCREEN_RING_BYTES, SCREEN_RING_BYTES // 2
    else:
        wanted = int(track.max_bitrate_bps / 8 * RING_S * MARGIN)
        top = max(LEAST_VIDEO_RING_BYTES, min(wanted, MOST_RING_BYTES))
        least = LEAST_LAYER_RING_BYTES
    above = max(1, len(track.rids)) - 1
    return tuple(max(least, top >> (above - layer)) for layer in range(above + 1))


def down_row(slot: DownSlot) -> DownRow:
    return DownRow(
        video=slot.kind is Kind.VIDEO,
        mid=slot.mid.encode(),
        codecs=_codec_rows(slot.codecs),
        ssrc=slot.ssrc,
        rtx_ssrc=slot.rtx_ssrc,
        mid_id=slot.extensions.mid,
        audio_level_id=slot.extensions.audio_level,
        transport_cc_id=slot.extensions.transport_cc,
        abs_send_time_id=slot.extensions.abs_send_time,
    )


def _codec_rows(codecs: list[Codec]) -> tuple[CodecRow, ...]:
    """RED is asked for again where the Opus in it is: they are one stream."""
    opus = any(codec.nack for codec in codecs if codec.name is CodecName.OPUS)
    return tuple(
        CodecRow(
            NUMBERS[codec.name],
            codec.payload_type,
            codec.rtx or 0,
            codec.nack or (opus and codec.name is CodecName.RED),
        )
        for codec in codecs
    )

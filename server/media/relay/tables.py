"""Values that pass the relay's door: what Python writes into its tables and what it tells back."""

from __future__ import annotations

import struct
from enum import IntEnum
from typing import NamedTuple

Address = tuple[str, int]  # numeric IPv4 or IPv6 address and port


class EventKind(IntEnum):
    """What `Relay.receive` and `Relay.tick` tell Python."""

    STUN = 1  # data: a STUN message whose USERNAME begins with a known ufrag; handle: peer; value: socket
    DTLS = 2  # data: a DTLS record from a validated address; handle: peer
    RTCP = 3  # data: decrypted RTCP blocks the relay does not handle itself (REMB, BYE, XR); handle: peer
    UP_LIVE = 4  # first media packet of an up track; handle: up; value: codec number
    KEYFRAME_WANTED = (
        5  # a viewer sent PLI or FIR, or a ring could not serve a join; handle: up; value: layer
    )
    KEYFRAME_SEEN = 6  # handle: up; value: layer
    SLOT_STARTED = 7  # the first packet after `point` left; handle: down


class Event(NamedTuple):
    kind: EventKind
    handle: int
    data: bytes = b""
    address: Address | None = None
    value: int = 0


class CodecNumber(IntEnum):
    """Codecs as the relay's tables know them."""

    NONE = 0
    OPUS = 1
    RED = 2
    H264 = 3
    VP8 = 4
    VP9 = 5
    AV1 = 6


class Join(IntEnum):
    """How a slot begins on video."""

    LIVE = 0  # at the next keyframe (the relay tells KEYFRAME_WANTED at once)
    RING = 1  # from the newest complete GOP in the ring, paced; falls back to LIVE where it has a hole


class CodecRow(NamedTuple):
    """One payload type; `rtx` is 0 where there is none."""

    codec: CodecNumber
    payload_type: int
    rtx: int = 0
    nack: bool = False


class UpRow(NamedTuple):
    """An up track. `layers`: RIDs, lowest first, or ("",). Extension ids: 0 = not negotiated.

    `ssrcs`: (layer, media SSRC, RTX SSRC or 0) as announced in SDP; others are learnt from the MID
    and RID extensions of their first packets.
    """

    video: bool
    mid: bytes
    codecs: tuple[CodecRow, ...]
    layers: tuple[bytes, ...] = (b"",)
    ssrcs: tuple[tuple[int, int, int], ...] = ()
    ring_bytes: tuple[int, ...] = (1 << 20,)  # of each layer; the last counts for those that follow
    keep_gop: bool = False  # a screen: the ring keeps its whole GOP, up to ring_bytes
    mid_id: int = 0
    rid_id: int = 0
    repaired_rid_id: int = 0
    audio_level_id: int = 0
    transport_cc_id: int = 0
    abs_send_time_id: int = 0


class DownRow(NamedTuple):
    """A down slot: SSRC and RTX SSRC are its own for the life of the DTLS association."""

    video: bool
    mid: bytes
    codecs: tuple[CodecRow, ...]
    ssrc: int
    rtx_ssrc: int = 0
    mid_id: int = 0
    audio_level_id: int = 0
    transport_cc_id: int = 0
    abs_send_time_id: int = 0


class LayerFigures(NamedTuple):
    """One layer of an up track, totals since its start (`level_dbov`: loudest since last asked)."""

    ssrc: int
    codec: int
    packets: int
    octets: int
    lost: int
    recovered: int
    keyframes: int
    jitter: int  # RTP clock units, RFC 3550
    highest_sequence: int  # extended
    sr_ntp_mid: int  # middle 32 bits of the last sender report, 0 = none
    sr_age_us: int
    keyframe_age_us: int  # -1: none in the ring
    gop_packets: int
    gop_complete: bool
    last_packet_age_us: int
    level_dbov: int
    red_recovered: int = 0


class DownFigures(NamedTuple):
    """One slot, totals since its start."""

    packets: int
    octets: int
    resent: int
    nacked: int
    dropped: int
    sequence: int  # last sent, extended
    timestamp: int
    sr_ntp_mid: int
    sr_sent_us_ago: int
    loss: float = 0.0  # the viewer's word: share lost between its last two reports
    round_trip_us: int = -1  # by its newest report on a sender report of ours


BURST = struct.Struct("=qqiiii")
"""One burst of `Relay.take_bursts`: packets sent within 5 ms. sent_us, of the last that came, by our clock;
arrival_us, by the viewer's clock, -1: none came; octets that came; packets that came; packets lost (below 0:
some told as lost before came late); us between the first arrival and the last."""


class PeerFigures(NamedTuple):
    """One peer: ages in us since the last packet of any kind that authenticated (-1: none)."""

    last_heard_us: int
    received: int
    sent: int
    srtp_failures: int
    replayed: int
    sent_octets: int = 0

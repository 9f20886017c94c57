"""Typed media parameters: what SDP text says, as values (ORTC's words).

Campus turns SDP into these (`protocol.sdp`) and sends them to a media worker (`media.contract`);
the worker never parses SDP. Every struct is frozen; header extension ids are 1 to 14 (RFC 8285,
one-byte form), 0 means "not negotiated"; payload types are 0 to 127.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Kind(StrEnum):
    """What a track carries."""

    AUDIO = "audio"
    VIDEO = "video"


class Source(StrEnum):
    """Which device of a room a track comes from; a room sends each at most once."""

    CAMERA = "camera"
    CAMERA2 = "camera2"
    SCREEN = "screen"
    VOICE = "voice"


class CodecName(StrEnum):
    """Codecs the relay knows how to forward."""

    H264 = "H264"
    VP8 = "VP8"
    VP9 = "VP9"
    AV1 = "AV1"
    OPUS = "opus"
    RED = "red"  # RFC 2198, around Opus


class DtlsRole(StrEnum):
    """The role *we* take in the DTLS handshake (RFC 8842)."""

    SERVER = "server"
    CLIENT = "client"


class Fingerprint(msgspec.Struct, frozen=True):
    """A certificate's digest (RFC 8122): algorithm such as "sha-256", value as "AA:BB:...\""""

    algorithm: str
    value: str


class Candidate(msgspec.Struct, frozen=True):
    """One of the worker's host candidates (RFC 8839); `tcp` is passive ICE-TCP (RFC 6544)."""

    address: str
    port: int
    tcp: bool = False


class LocalTransport(msgspec.Struct, frozen=True):
    """The worker's side of one connection. We are ICE-lite and offer every candidate at once."""

    ufrag: str
    pwd: str
    fingerprints: list[Fingerprint]
    candidates: list[Candidate]


class RemoteTransport(msgspec.Struct, frozen=True):
    """The peer's side of one connection, and the DTLS role that leaves for us."""

    ufrag: str
    pwd: str
    fingerprints: list[Fingerprint]
    our_role: DtlsRole = DtlsRole.SERVER


class Codec(msgspec.Struct, frozen=True):
    """One negotiated payload type. `rtx` is the payload type of its RTX stream (RFC 4588) or None."""

    name: CodecName
    payload_type: int
    clock_rate: int
    rtx: int | None = None
    fmtp: str = ""
    nack: bool = False
    pli: bool = False


class Extensions(msgspec.Struct, frozen=True):
    """Negotiated header extension ids (RFC 8285); 0 where not negotiated."""

    mid: int = 0
    rid: int = 0
    repaired_rid: int = 0
    audio_level: int = 0  # RFC 6464
    abs_send_time: int = 0
    transport_cc: int = 0


class UpTrack(msgspec.Struct, frozen=True):
    """A track a peer sends. `ssrcs` maps each announced media SSRC to its RTX SSRC (0: none).

    `rids` are the simulcast layers, lowest first; empty for a single encoding.
    """

    mid: str
    source: Source
    kind: Kind
    codecs: list[Codec]
    extensions: Extensions
    ssrcs: dict[int, int] = {}
    rids: list[str] = []
    max_bitrate_bps: int = 2_500_000


class DownSlot(msgspec.Struct, frozen=True):
    """A fixed slot of a down connection: one m-line, one SSRC for life, re-pointed without SDP.

    `name` is the slot's meaning to the page ("stage", "screen", "main", "called", "tile1", ...).
    """

    name: str
    mid: str
    kind: Kind
    codecs: list[Codec]
    extensions: Extensions
    ssrc: int
    rtx_ssrc: int = 0


class Road(StrEnum):
    """How the main room's media reaches a page: each is tried after the one above it."""

    UDP = "udp"
    TCP = "tcp"  # ICE-TCP, on the worker's own port
    TURN = "turn"  # through the TURN server, over TLS where it is so configured
    HLS = "hls"  # the live recording, some seconds late


class IceServer(msgspec.Struct, frozen=True):
    """A TURN server and this session's credentials for it, as `RTCIceServer` wants them."""

    urls: list[str]
    username: str
    credential: str

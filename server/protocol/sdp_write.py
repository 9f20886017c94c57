"""SDP lines from typed parameters. Pure; every value written was checked by who made it."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

from server.protocol.parameters import Codec, CodecName, DtlsRole, Extensions, Kind, LocalTransport
from server.protocol.sdp_codecs import EXTENSION_URIS
from server.protocol.sdp_simulcast import simulcast_lines
from server.protocol.sdp_text import Section

Line = str


def session_head(bundled: Sequence[str], version: int) -> list[Line]:
    """Everything before the first m-line. `bundled`: MIDs of the accepted sections."""
    lines = ["v=0", f"o=lianke 1 {version} IN IP4 127.0.0.1", "s=-", "t=0 0"]
    if bundled:
        lines.append(f"a=group:BUNDLE {' '.join(bundled)}")
    return [*lines, "a=extmap-allow-mixed", "a=msid-semantic: WMS *", "a=ice-lite"]


def rejected_section(section: Section) -> list[Line]:
    """The same section with port 0 (RFC 3264, 6)."""
    formats = " ".join(section.formats) or "0"
    return [
        f"m={section.kind} 0 {section.protocol} {formats}",
        "c=IN IP4 0.0.0.0",
        "a=inactive",
        f"a=mid:{section.mid}",
    ]


def media_section(
    local: LocalTransport,
    *,
    kind: Kind,
    mid: str,
    codecs: Sequence[Codec],
    extensions: Extensions,
    direction: str,
    our_role: DtlsRole | None,
    transport_cc: bool = False,
    remb: bool = False,
    ssrcs: tuple[int, int] | None = None,
    stream: tuple[str, str] | None = None,
    rids: Sequence[str] = (),
    protocol: str = "UDP/TLS/RTP/SAVPF",
) -> list[Line]:
    """One m-section of ours. `our_role` None: we offer and leave the choice (actpass)."""
    formats = [str(t) for c in codecs for t in (c.payload_type, c.rtx) if t is not None]
    setup = {None: "actpass", DtlsRole.SERVER: "passive", DtlsRole.CLIENT: "active"}[our_role]
    lines = [
        f"m={kind} {_port(local)} {protocol} {' '.join(formats)}",
        f"c={_connection(local)}",
        f"a=rtcp:{_port(local)} {_connection(local)}",
        *ice_lines(local),
        *(f"a=fingerprint:{each.algorithm} {each.value}" for each in local.fingerprints),
        f"a=setup:{setup}",
        f"a=mid:{mid}",
        *_extension_lines(extensions),
        f"a={direction}",
    ]
    if stream is not None:
        lines.append(f"a=msid:{stream[0]} {stream[1]}")
    lines += ["a=rtcp-mux", "a=rtcp-rsize"]
    for codec in codecs:
        lines += _codec_lines(kind, codec, transport_cc=transport_cc, remb=remb)
    lines += simulcast_lines(rids)
    if ssrcs is not None:
        lines += _ssrc_lines(ssrcs, (stream or ("lianke", ""))[0])
    return [*lines, *candidate_lines(local)]


def ice_lines(local: LocalTransport) -> list[Line]:
    return [f"a=ice-ufrag:{local.ufrag}", f"a=ice-pwd:{local.pwd}"]


def candidate_lines(local: LocalTransport) -> list[Line]:
    """Host candidates (RFC 8839), UDP before TCP, and the end of them."""
    lines = []
    for place, candidate in enumerate(local.candidates):
        # RFC 8445, 5.1.2.1: type preference 126 for host; TCP below every UDP candidate.
        preference = 65_535 - place - (32_768 if candidate.tcp else 0)
        priority = (126 << 24) | (preference << 8) | 255
        tail = " tcptype passive" if candidate.tcp else ""
        protocol = "tcp" if candidate.tcp else "udp"
        where = f"{candidate.address} {candidate.port}"
        lines.append(f"a=candidate:{place + 1} 1 {protocol} {priority} {where} typ host{tail}")
    return [*lines, "a=end-of-candidates"]


def _port(local: LocalTransport) -> int:
    return local.candidates[0].port if local.candidates else 9


def _connection(local: LocalTransport) -> str:
    address = local.candidates[0].address if local.candidates else "0.0.0.0"
    return f"IN IP{ipaddress.ip_address(address).version} {address}"


def _extension_lines(extensions: Extensions) -> list[Line]:
    ids = {name: getattr(extensions, name) for name in EXTENSION_URIS}
    named = sorted((number, name) for name, number in ids.items() if number)
    return [f"a=extmap:{number} {EXTENSION_URIS[name]}" for number, name in named]


def _codec_lines(kind: Kind, codec: Codec, *, transport_cc: bool, remb: bool) -> list[Line]:
    number = codec.payload_type
    channels = "/2" if kind is Kind.AUDIO else ""
    lines = [f"a=rtpmap:{number} {codec.name}/{codec.clock_rate}{channels}"]
    feedback = []
    if remb:
        feedback.append("goog-remb")
    if transport_cc and codec.name is not CodecName.RED:
        feedback.append("transport-cc")
    if codec.pli:
        feedback.append("ccm fir")
    if codec.nack:
        feedback.append("nack")
    if codec.pli:
        feedback.append("nack pli")
    lines += [f"a=rtcp-fb:{number} {each}" for each in feedback]
    if codec.fmtp:
        lines.append(f"a=fmtp:{number} {codec.fmtp}")
    if codec.rtx is not None:
        lines += [f"a=rtpmap:{codec.rtx} rtx/{codec.clock_rate}", f"a=fmtp:{codec.rtx} apt={number}"]
    return lines


def _ssrc_lines(ssrcs: tuple[int, int], cname: str) -> list[Line]:
    media, rtx = ssrcs
    lines = [f"a=ssrc-group:FID {media} {rtx}"] if rtx else []
    return [*lines, *(f"a=ssrc:{ssrc} cname:{cname}" for ssrc in ssrcs if ssrc)]

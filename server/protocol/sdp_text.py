"""SDP text read into plain values, with every bound checked. Pure; knows no codec policy.

The line grammar is `aiortc.sdp`'s. That parser trusts its input, so whatever it raises is turned
into `BadSdp` here, and what it lets through is checked again before anything uses it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from aiortc import RTCRtpCodecParameters
from aiortc import sdp as aiortc_sdp

from server.errors import PeerFault
from server.protocol.parameters import DtlsRole, Fingerprint, RemoteTransport
from server.protocol.sdp_simulcast import read_simulcast

MAX_TEXT = 64 * 1024
MAX_SECTIONS = 32
MAX_SSRCS = 16
MAX_CODECS = 64
MAX_LINES_OF_A_NAME = 256

_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+\-.^_`{|}~]{1,16}")
_ICE = re.compile(r"[A-Za-z0-9+/]{4,256}")
_DIGEST = re.compile(r"[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2}){15,63}")
_DIGEST_BYTES = {"sha-256": 32, "sha-384": 48, "sha-512": 64}
_BUNDLE_ONLY = re.compile(r"^a=bundle-only\r?$", re.MULTILINE)
_LINE = re.compile(r"[a-z]=[^\x00-\x08\x0b\x0c\x0e-\x1f]*")


class BadSdp(PeerFault):
    """SDP that cannot be read, or that asks for what we never do. `code` is stable."""

    def __init__(self, code: str, en: str) -> None:
        super().__init__(code, zh=f"对方的 SDP 无法使用：{en}", en=en)


@dataclass(frozen=True, slots=True)
class OfferedCodec:
    """One payload type as the other side wrote it. `name` is in lower case."""

    name: str
    payload_type: int
    clock_rate: int
    channels: int | None
    parameters: Mapping[str, str | int | None]
    feedback: frozenset[str]


@dataclass(frozen=True, slots=True)
class Section:
    """One m-section. `ssrcs` maps media SSRC to its RTX SSRC (0: none); `port` 0 means rejected."""

    mid: str
    kind: str
    port: int
    protocol: str
    formats: tuple[str, ...]
    direction: str
    codecs: tuple[OfferedCodec, ...]
    extensions: Mapping[str, int]
    ssrcs: Mapping[int, int]
    remote: RemoteTransport | None
    rids: tuple[str, ...] = ()
    """What it offers to send as simulcast (RFC 8853), in its order."""

    @property
    def sends(self) -> bool:
        return self.port != 0 and self.direction in ("sendonly", "sendrecv")

    @property
    def receives(self) -> bool:
        return self.port != 0 and self.direction in ("recvonly", "sendrecv")

    @property
    def is_media(self) -> bool:
        return self.kind in ("audio", "video")


@dataclass(frozen=True, slots=True)
class Description:
    """A whole session description. `bundle`: the MIDs of the BUNDLE group, in its order."""

    sections: tuple[Section, ...]
    bundle: tuple[str, ...]


def read_description(text: str) -> Description:
    """Parse and bound one SDP. BadSdp for anything we would not dare to work with."""
    if len(text) > MAX_TEXT or len(text.encode("utf-8", "surrogatepass")) > MAX_TEXT:
        raise BadSdp("sdp_too_long", f"over {MAX_TEXT} bytes")
    _check_lines(text)
    try:
        parsed = aiortc_sdp.SessionDescription.parse(_with_bundled_ports(text))
    except (ValueError, AssertionError, LookupError, StopIteration, AttributeError, TypeError) as error:
        raise BadSdp("sdp_unreadable", f"not readable ({type(error).__name__})") from None
    rids = read_simulcast(text)
    sections = tuple(_section(media, rids.get(place, ())) for place, media in enumerate(parsed.media))
    _check_unique(sections)
    groups = [group.items for group in parsed.group if group.semantic == "BUNDLE"]
    bundle = tuple(str(item) for item in groups[0]) if groups else ()
    known = {section.mid for section in sections}
    if not set(bundle) <= known:
        raise BadSdp("bundle_unknown_mid", "the BUNDLE group names an m-section that is not there")
    return Description(sections, bundle)


def _with_bundled_ports(text: str) -> str:
    """Port 9 for `a=bundle-only` sections: their port 0 rejects nothing (RFC 9143, 6), and aiortc forgets
    the attribute. Firefox writes it for every section but the first."""
    blocks = re.split(r"^(?=m=)", text, flags=re.MULTILINE)
    return "".join(
        re.sub(r"^(m=\S+) 0 ", r"\1 9 ", block, count=1) if _BUNDLE_ONLY.search(block) else block
        for block in blocks
    )


def _check_lines(text: str) -> None:
    """Bounds that keep the parser, which is quadratic in some lines, cheap."""
    lines = text.splitlines()
    if not lines or not lines[0].startswith("v=0"):
        raise BadSdp("sdp_unreadable", "it does not begin with v=0")
    sections, seen = 0, Counter[str]()
    for line in lines:
        if line and not _LINE.fullmatch(line):
            raise BadSdp("sdp_unreadable", "a line that is no SDP line")
        if line.startswith("m="):
            sections += 1
            seen.clear()
        name = line.partition(":")[0]
        seen[name] += 1
        if seen[name] > MAX_LINES_OF_A_NAME:
            raise BadSdp("too_many_lines", f"over {MAX_LINES_OF_A_NAME} lines of one name in one m-section")
    if sections == 0:
        raise BadSdp("no_sections", "no m-section")
    if sections > MAX_SECTIONS:
        raise BadSdp("too_many_sections", f"over {MAX_SECTIONS} m-sections")


def _check_unique(sections: tuple[Section, ...]) -> None:
    mids = [section.mid for section in sections]
    if len(set(mids)) != len(mids):
        raise BadSdp("duplicate_mid", "two m-sections with one MID")
    seen: set[int] = set()
    for section in sections:
        for media, rtx in section.ssrcs.items():
            for ssrc in (media, rtx) if rtx else (media,):
                if ssrc in seen:
                    raise BadSdp("ssrc_collision", "one SSRC announced twice")
                seen.add(ssrc)


def _section(media: aiortc_sdp.MediaDescription, rids: tuple[str, ...]) -> Section:
    mid = media.rtp.muxId
    if not mid or not _TOKEN.fullmatch(mid):
        raise BadSdp("bad_mid", "an m-section without a usable MID")
    in_use = media.port != 0
    is_media = media.kind in ("audio", "video")
    if in_use and is_media and not media.rtcp_mux:
        raise BadSdp("rtcp_mux_required", "an m-section without rtcp-mux")
    if in_use and is_media and not media.profile.endswith("RTP/SAVPF"):
        raise BadSdp("profile_unsupported", "an m-section that is not RTP/SAVPF over DTLS")
    if len(media.rtp.codecs) > MAX_CODECS:
        raise BadSdp("too_many_codecs", f"over {MAX_CODECS} payload types in one m-section")
    return Section(
        mid=mid,
        kind=media.kind if re.fullmatch(r"[a-z]{1,16}", media.kind) else "application",
        port=media.port,
        protocol=media.profile,
        formats=tuple(str(each) for each in media.fmt[:MAX_CODECS]),
        direction=media.direction or "sendrecv",
        codecs=tuple(_codec(codec) for codec in media.rtp.codecs),
        extensions=_extensions(media),
        ssrcs=_ssrcs(media) if is_media and in_use else {},
        remote=_remote(media) if in_use else None,
        rids=rids if media.kind == "video" and in_use else (),
    )


def _codec(codec: RTCRtpCodecParameters) -> OfferedCodec:
    payload_type = codec.payloadType or 0
    if not 0 <= payload_type <= 127:
        raise BadSdp("bad_payload_type", "a payload type over 127")
    return OfferedCodec(
        name=codec.mimeType.partition("/")[2].lower(),
        payload_type=payload_type,
        clock_rate=codec.clockRate,
        channels=codec.channels,
        parameters={key.strip(): value for key, value in codec.parameters.items()},
        feedback=frozenset(f"{each.type} {each.parameter or ''}".strip() for each in codec.rtcpFeedback),
    )


def _extensions(media: aiortc_sdp.MediaDescription) -> dict[str, int]:
    """Usable header extensions; ids above 14 need the two-byte form, which we do not speak."""
    found: dict[str, int] = {}
    for extension in media.rtp.headerExtensions:
        if 1 <= extension.id <= 14 and extension.id not in found.values():
            found.setdefault(extension.uri, extension.id)
    return found


def _ssrcs(media: aiortc_sdp.MediaDescription) -> dict[int, int]:
    named = [each.ssrc for each in media.ssrc]
    if len(named) > MAX_SSRCS:
        raise BadSdp("too_many_ssrcs", f"over {MAX_SSRCS} SSRCs in one m-section")
    pairs: dict[int, int] = {}
    for group in media.ssrc_group:
        items = [int(item) for item in group.items]
        if group.semantic == "FID" and len(items) == 2 and set(items) <= set(named):
            pairs[items[0]] = items[1]
    repairs = set(pairs.values())
    found = {ssrc: pairs.get(ssrc, 0) for ssrc in named if ssrc not in repairs}
    if any(not 0 < ssrc < 1 << 32 for ssrc in (*found, *repairs)):
        raise BadSdp("bad_ssrc", "an SSRC that is no 32-bit number")
    return found


def _remote(media: aiortc_sdp.MediaDescription) -> RemoteTransport | None:
    """None where the section brings no transport of its own (a bundled one may not)."""
    ice, dtls = media.ice, media.dtls
    if ice is None or (ice.usernameFragment is None and ice.password is None):
        return None
    check_ice(ice.usernameFragment, ice.password)
    if dtls is None:
        raise BadSdp("setup_required", "no a=setup")
    prints = _fingerprints([(each.algorithm.lower(), each.value) for each in dtls.fingerprints])
    # a=setup:passive leaves us no choice; actpass and active make us the DTLS server.
    role = DtlsRole.CLIENT if dtls.role == "server" else DtlsRole.SERVER
    return RemoteTransport(ice.usernameFragment or "", ice.password or "", prints, role)


def check_ice(ufrag: str | None, pwd: str | None) -> None:
    """BadSdp unless both are as RFC 8839 wants them (ufrag 4 to 256, pwd 22 to 256 characters)."""
    if not ufrag or not pwd or not _ICE.fullmatch(ufrag) or not _ICE.fullmatch(pwd) or len(pwd) < 22:
        raise BadSdp("bad_ice", "ICE user fragment or password missing or malformed")


def _fingerprints(offered: list[tuple[str, str]]) -> list[Fingerprint]:
    prints = [
        Fingerprint(algorithm, value.upper())
        for algorithm, value in offered[:8]
        if _DIGEST_BYTES.get(algorithm, 0) * 3 - 1 == len(value) and _DIGEST.fullmatch(value)
    ]
    if not prints:
        raise BadSdp("fingerprint_required", "no fingerprint of SHA-256, SHA-384 or SHA-512")
    return list(dict.fromkeys(prints))

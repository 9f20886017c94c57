"""Which codecs and header extensions we take and offer. Pure policy over offered values.

H.264 (packetization mode 1) comes before VP8, VP9 and AV1, RED before Opus; a video payload type is taken
with its RTX. A down line has transport-cc where the viewer has it, else goog-remb with abs-send-time, never
both: our own offers say transport-cc, which every browser we serve has.
"""

from __future__ import annotations

import msgspec

from server.protocol.parameters import Codec, CodecName, Extensions, Kind, Source
from server.protocol.sdp_text import OfferedCodec, Section

UP_BITRATES_BPS = {
    Source.CAMERA: 2_500_000,
    Source.CAMERA2: 1_500_000,
    Source.SCREEN: 2_500_000,
    Source.VOICE: 64_000,
}

MID = "urn:ietf:params:rtp-hdrext:sdes:mid"
RID = "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id"
REPAIRED_RID = "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id"
AUDIO_LEVEL = "urn:ietf:params:rtp-hdrext:ssrc-audio-level"
ABS_SEND_TIME = "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time"
TRANSPORT_CC = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"

EXTENSION_URIS = {
    "mid": MID,
    "rid": RID,
    "repaired_rid": REPAIRED_RID,
    "audio_level": AUDIO_LEVEL,
    "abs_send_time": ABS_SEND_TIME,
    "transport_cc": TRANSPORT_CC,
}

_PROFILES = ("42e0", "42c0", "4200", "4d00", "640c", "6400")  # of H.264, best known first
_OTHER_VIDEO = {CodecName.VP8: "", CodecName.VP9: "profile-id", CodecName.AV1: "profile"}
"""Name -> the format parameter that names its profile."""
_VOICE_FMTP = "minptime=10;useinbandfec=1"
_MUSIC_FMTP = "minptime=10;useinbandfec=1;stereo=1;sprop-stereo=1;maxaveragebitrate=128000"

_DOWN_VIDEO = (
    Codec(
        CodecName.H264,
        102,
        90_000,
        rtx=103,
        fmtp="level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f",
        nack=True,
        pli=True,
    ),
    Codec(CodecName.VP8, 96, 90_000, rtx=97, nack=True, pli=True),
    Codec(CodecName.VP9, 98, 90_000, rtx=99, fmtp="profile-id=0", nack=True, pli=True),
    Codec(CodecName.AV1, 45, 90_000, rtx=46, nack=True, pli=True),
)
_DOWN_AUDIO = (
    Codec(CodecName.RED, 63, 48_000, fmtp="111/111"),
    Codec(CodecName.OPUS, 111, 48_000, fmtp="minptime=10;useinbandfec=1;stereo=1", nack=True),
)


def choose_video(section: Section) -> list[Codec]:
    """At most one payload type each of H.264, VP8, VP9 and AV1 (their 8-bit profiles), in that order."""
    h264 = [codec for codec in section.codecs if _is_usable_h264(codec)]
    picked = [(CodecName.H264, min(h264, key=_profile_rank))] if h264 else []
    for name, profile in _OTHER_VIDEO.items():
        fitting = [
            codec
            for codec in section.codecs
            if codec.name == name.lower()
            and codec.clock_rate == 90_000
            and str(codec.parameters.get(profile, "0")) == "0"
        ]
        picked += [(name, fitting[0])] if fitting else []
    return [_video_codec(section, name, codec) for name, codec in picked]


def choose_audio(section: Section, *, music: bool) -> list[Codec]:
    """Opus, with RED before it where the section has RED around that Opus."""
    opus = next((c for c in section.codecs if c.name == "opus" and c.clock_rate == 48_000), None)
    if opus is None:
        return []
    around = f"{opus.payload_type}/{opus.payload_type}"
    red = next((c for c in section.codecs if c.name == "red" and around in c.parameters), None)
    fmtp = _MUSIC_FMTP if music else _VOICE_FMTP
    found = [Codec(CodecName.OPUS, opus.payload_type, 48_000, fmtp=fmtp, nack=True)]
    if red is not None:
        found.insert(0, Codec(CodecName.RED, red.payload_type, 48_000, fmtp=around))
    return found


def down_codecs(kind: Kind, *, rtx: bool) -> list[Codec]:
    """What our own offers of down slots contain, with fixed payload types."""
    if kind is Kind.AUDIO:
        return list(_DOWN_AUDIO)
    if rtx:
        return list(_DOWN_VIDEO)
    return [msgspec.structs.replace(codec, rtx=None) for codec in _DOWN_VIDEO]


def offered_down_extensions(kind: Kind) -> Extensions:
    """Header extension ids of our own offers: the same id for the same extension in each section."""
    if kind is Kind.AUDIO:
        return Extensions(mid=4, audio_level=1, transport_cc=3)
    return Extensions(mid=4, transport_cc=3)


def kept_extensions(section: Section, *, up: bool) -> Extensions:
    """Those of the other side's that we use on a line we receive (`up`) or send."""
    wanted = ["mid"]
    if section.kind == Kind.AUDIO:
        wanted.append("audio_level")
    if has_transport_cc(section) or (up and TRANSPORT_CC in section.extensions):
        wanted.append("transport_cc")
    elif section.kind == Kind.VIDEO:
        wanted.append("abs_send_time")
    if up and section.rids:
        wanted += ["rid", "repaired_rid"]
    return Extensions(**{name: section.extensions.get(EXTENSION_URIS[name], 0) for name in wanted})


def has_transport_cc(section: Section) -> bool:
    """Whether the other side numbers packets transport-wide and tells when they came."""
    return TRANSPORT_CC in section.extensions and any("transport-cc" in c.feedback for c in section.codecs)


def _is_usable_h264(codec: OfferedCodec) -> bool:
    return (
        codec.name == "h264"
        and codec.clock_rate == 90_000
        and str(codec.parameters.get("packetization-mode", "0")) == "1"
        and _profile_rank(codec) < len(_PROFILES)
    )


def _profile_rank(codec: OfferedCodec) -> int:
    profile = str(codec.parameters.get("profile-level-id") or "420010").lower()
    if len(profile) != 6 or not all(digit in "0123456789abcdef" for digit in profile):
        return len(_PROFILES)
    return _PROFILES.index(profile[:4]) if profile[:4] in _PROFILES else len(_PROFILES)


def _video_codec(section: Section, name: CodecName, codec: OfferedCodec) -> Codec:
    rtx = next(
        (
            c.payload_type
            for c in section.codecs
            if c.name == "rtx" and c.parameters.get("apt") == codec.payload_type
        ),
        None,
    )
    fmtp = ""
    if name is CodecName.H264:
        profile = str(codec.parameters.get("profile-level-id") or "420010").lower()
        fmtp = f"level-asymmetry-allowed=1;packetization-mode=1;profile-level-id={profile}"
    elif name is CodecName.VP9:
        fmtp = "profile-id=0"
    return Codec(
        name,
        codec.payload_type,
        90_000,
        rtx=rtx,
        fmtp=fmtp,
        nack="nack" in codec.feedback,
        pli="nack pli" in codec.feedback,
    )

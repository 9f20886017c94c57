"""SDP of browsers and of aiortc, read and answered; what must be refused is refused by code."""

from __future__ import annotations

import pytest

from server.protocol.parameters import (
    Candidate,
    CodecName,
    DtlsRole,
    Fingerprint,
    Kind,
    LocalTransport,
    Source,
    UpTrack,
)
from server.protocol.sdp import (
    BadSdp,
    SlotPlan,
    answer_up,
    answer_whep,
    offer_down,
    read_down_answer,
    read_fragment,
    read_offer,
    write_fragment,
)
from tests.unit.protocol.offers import CHROME_79_UP, CHROMIUM_UP, FIREFOX_UP, SIMULCAST_UP

LOCAL = LocalTransport(
    "worker01",
    "p" * 24,
    [Fingerprint("sha-256", ":".join(["AB"] * 32))],
    [Candidate("192.0.2.7", 40000), Candidate("192.0.2.7", 40000, tcp=True)],
)
SOURCES = {"0": Source.VOICE, "1": Source.CAMERA}
PLAN = [
    SlotPlan("stage", "0", Kind.VIDEO, 1001, 1002, "main"),
    SlotPlan("main", "1", Kind.AUDIO, 1003, 0, "main"),
]


def section(sdp: str, mid: str) -> list[str]:
    """The lines of one m-section of an SDP."""
    blocks = sdp.split("\r\nm=")
    return next(block for block in blocks if f"a=mid:{mid}" in block.split("\r\n")).split("\r\n")


@pytest.mark.parametrize("offer", [CHROMIUM_UP, CHROME_79_UP, FIREFOX_UP])
def test_every_browser_is_answered_with_h264_first(offer: str) -> None:
    answer = answer_up(read_offer(offer), SOURCES, LOCAL, version=1)
    camera = next(track for track in answer.tracks if track.source is Source.CAMERA)
    assert [codec.name for codec in camera.codecs][:2] == [CodecName.H264, CodecName.VP8]
    assert section(answer.sdp, "1")[0].split()[3] == str(camera.codecs[0].payload_type)
    assert "packetization-mode=1" in camera.codecs[0].fmtp


@pytest.mark.parametrize("offer", [CHROMIUM_UP, CHROME_79_UP, FIREFOX_UP])
def test_our_answer_says_ice_lite_passive_recvonly_mux_and_the_end_of_candidates(offer: str) -> None:
    sdp = answer_up(read_offer(offer), SOURCES, LOCAL, version=3).sdp
    assert "a=ice-lite\r\n" in sdp
    assert "o=lianke 1 3 " in sdp
    assert "a=group:BUNDLE 0 1\r\n" in sdp
    for mid in SOURCES:
        lines = section(sdp, mid)
        for wanted in ("a=setup:passive", "a=recvonly", "a=rtcp-mux", "a=end-of-candidates"):
            assert wanted in lines, wanted
        assert "a=candidate:2 1 tcp 2122317567 192.0.2.7 40000 typ host tcptype passive" in lines


def test_a_bundle_only_section_is_not_rejected_for_its_port_zero() -> None:
    """Firefox with bundlePolicy max-bundle; RFC 9143, 6."""
    rejected = FIREFOX_UP.replace("m=video 9 ", "m=video 0 ")
    bundled = rejected.replace("a=mid:1\r\n", "a=mid:1\r\na=bundle-only\r\n")
    answer = answer_up(read_offer(bundled), SOURCES, LOCAL, version=1)
    assert {track.source for track in answer.tracks} == {Source.VOICE, Source.CAMERA}
    assert section(answer.sdp, "1")[0].split()[1] == "40000"
    assert "a=group:BUNDLE 0 1\r\n" in answer.sdp
    only = answer_up(read_offer(rejected), SOURCES, LOCAL, version=1)
    assert {track.source for track in only.tracks} == {Source.VOICE}


def test_red_comes_before_opus_and_the_audio_line_has_nack() -> None:
    answer = answer_up(read_offer(CHROMIUM_UP), SOURCES, LOCAL, version=1)
    voice = next(track for track in answer.tracks if track.source is Source.VOICE)
    assert [codec.name for codec in voice.codecs] == [CodecName.RED, CodecName.OPUS]
    lines = section(answer.sdp, "0")
    assert lines[0].endswith(" 63 111")
    assert "a=rtcp-fb:111 nack" in lines


def test_music_asks_for_stereo_at_128_kilobits() -> None:
    answer = answer_up(read_offer(CHROMIUM_UP), SOURCES, LOCAL, version=1, music=True)
    assert "stereo=1;sprop-stereo=1;maxaveragebitrate=128000" in answer.sdp
    assert answer.bitrates["0"] == 128_000


def test_video_is_told_its_start_bitrate_and_transport_wide_feedback() -> None:
    lines = section(answer_up(read_offer(CHROMIUM_UP), SOURCES, LOCAL, version=1).sdp, "1")
    assert any("x-google-start-bitrate=2000" in line for line in lines)
    feedback = {line.split(" ", 1)[1] for line in lines if line.startswith("a=rtcp-fb:")}
    assert {"transport-cc", "nack", "nack pli", "ccm fir"} <= feedback


def test_ssrcs_and_their_rtx_are_told() -> None:
    answer = answer_up(read_offer(CHROMIUM_UP), SOURCES, LOCAL, version=1)
    camera = next(track for track in answer.tracks if track.source is Source.CAMERA)
    assert camera.ssrcs == {2231627014: 632943048}


def test_a_section_without_a_source_is_rejected_with_port_zero() -> None:
    answer = answer_up(read_offer(CHROMIUM_UP), {"1": Source.CAMERA}, LOCAL, version=1)
    assert section(answer.sdp, "0")[0].startswith("audio 0 ")
    assert "a=group:BUNDLE 1\r\n" in answer.sdp
    assert [track.mid for track in answer.tracks] == ["1"]


def test_a_section_that_stopped_sending_is_answered_inactive_and_makes_no_track() -> None:
    offer = CHROMIUM_UP.replace("a=sendonly\r\na=msid:s v", "a=inactive\r\na=msid:s v")
    answer = answer_up(read_offer(offer), SOURCES, LOCAL, version=2)
    assert "a=inactive" in section(answer.sdp, "1")
    assert [track.mid for track in answer.tracks] == ["0"]


@pytest.mark.parametrize(
    ("setup", "role", "ours"),
    [
        ("actpass", DtlsRole.SERVER, "a=setup:passive"),
        ("active", DtlsRole.SERVER, "a=setup:passive"),
        ("passive", DtlsRole.CLIENT, "a=setup:active"),
    ],
)
def test_our_dtls_role_is_server_unless_the_offer_is_passive(setup: str, role: DtlsRole, ours: str) -> None:
    answer = answer_up(
        read_offer(CHROMIUM_UP.replace("a=setup:actpass", f"a=setup:{setup}")), SOURCES, LOCAL, version=1
    )
    assert answer.remote.our_role is role
    assert ours in section(answer.sdp, "0")


def test_the_transport_is_that_of_the_first_accepted_section() -> None:
    offer = CHROMIUM_UP.replace("a=ice-ufrag:Ei52", "a=ice-ufrag:AAAA", 1)
    assert read_offer(offer).sections[0].remote is not None
    answer = answer_up(read_offer(offer), {"1": Source.CAMERA}, LOCAL, version=1)
    assert answer.remote.ufrag == "Ei52"


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("v=0", "v=1", "sdp_unreadable"),
        ("a=mid:1", "a=mid:0", "duplicate_mid"),
        ("a=mid:1\r\n", "", "bundle_unknown_mid"),
        ("a=group:BUNDLE 0 1", "a=group:BUNDLE 0", "bundle_required"),
        ("a=rtcp-mux\r\n", "", "rtcp_mux_required"),
        ("a=ice-pwd:", "a=ice-pwd:kurz ", "bad_ice"),
        ("a=fingerprint:sha-256", "a=fingerprint:md5", "fingerprint_required"),
        ("a=ssrc:3570614608 ", "a=ssrc:2231627014 ", "ssrc_collision"),
        ("UDP/TLS/RTP/SAVPF", "RTP/AVP", "profile_unsupported"),
        ("a=rtpmap:111 opus/48000/2", "a=rtpmap:111", "sdp_unreadable"),
    ],
)
def test_a_broken_offer_is_refused_by_code(old: str, new: str, code: str) -> None:
    assert old in CHROMIUM_UP
    with pytest.raises(BadSdp) as caught:
        answer_up(read_offer(CHROMIUM_UP.replace(old, new)), SOURCES, LOCAL, version=1)
    if code == "bundle_unknown_mid":
        assert caught.value.code in ("bad_mid", code)
    else:
        assert caught.value.code == code


def test_five_hundred_sections_and_a_long_text_are_refused() -> None:
    head, _, first = CHROMIUM_UP.partition("m=")
    with pytest.raises(BadSdp, match="too_many_sections"):
        read_offer(head + "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n" * 500)
    with pytest.raises(BadSdp, match="sdp_too_long"):
        read_offer(CHROMIUM_UP + "a=x:" + "y" * 70_000 + first[:0])


def test_a_source_on_the_wrong_kind_of_section_is_refused() -> None:
    with pytest.raises(BadSdp, match="source_mismatch"):
        answer_up(read_offer(CHROMIUM_UP), {"0": Source.CAMERA}, LOCAL, version=1)


def test_our_down_offer_has_transport_wide_feedback_and_never_remb() -> None:
    sdp = offer_down(PLAN, LOCAL, version=1)
    assert "goog-remb" not in sdp
    assert "abs-send-time" not in sdp
    assert sdp.count("transport-wide-cc-extensions") == len(PLAN)
    assert "a=rtcp-fb:111 transport-cc" in sdp
    video = section(sdp, "0")
    assert "a=ssrc-group:FID 1001 1002" in video
    assert "a=msid:main stage" in video
    assert "a=setup:actpass" in video


def test_a_down_answer_gives_the_slots_it_took() -> None:
    slots = read_down_answer(_viewer_answer(), PLAN).slots
    assert [slot.name for slot in slots] == ["stage", "main"]
    assert [codec.name for codec in slots[0].codecs] == [CodecName.VP8, CodecName.VP9, CodecName.AV1]
    assert slots[0].codecs[0].rtx == 97
    assert slots[0].rtx_ssrc == 1002
    assert [codec.name for codec in slots[1].codecs] == [CodecName.OPUS]


def test_a_down_answer_may_reject_a_slot() -> None:
    answer = _viewer_answer().replace("m=audio 9 ", "m=audio 0 ")
    assert [slot.name for slot in read_down_answer(answer, PLAN).slots] == ["stage"]


def test_an_answer_to_another_plan_is_refused() -> None:
    with pytest.raises(BadSdp, match="answer_mismatch"):
        read_down_answer(_viewer_answer(), PLAN[:1])


def test_a_viewer_without_transport_wide_feedback_gets_remb() -> None:
    text = CHROMIUM_UP.replace("a=sendonly", "a=recvonly").replace("transport-cc", "other-fb")
    answer = answer_whep(read_offer(text), PLAN, LOCAL, version=1)
    video = next(slot for slot in answer.slots if slot.kind is Kind.VIDEO)
    assert (video.extensions.transport_cc, video.extensions.abs_send_time != 0) == (0, True)
    assert "goog-remb" in answer.sdp
    assert "transport-wide-cc" not in answer.sdp


def test_a_whep_offer_gets_one_video_and_one_audio_under_its_own_payload_types() -> None:
    offer = read_offer(CHROMIUM_UP.replace("a=sendonly", "a=recvonly"))
    answer = answer_whep(offer, PLAN, LOCAL, version=1)
    assert {slot.name: slot.mid for slot in answer.slots} == {"main": "0", "stage": "1"}
    video = next(slot for slot in answer.slots if slot.kind is Kind.VIDEO)
    assert video.codecs[0].payload_type == 109
    assert "transport-cc" in answer.sdp
    assert "goog-remb" not in answer.sdp
    assert "abs-send-time" not in answer.sdp
    assert (video.extensions.transport_cc != 0, video.extensions.abs_send_time) == (True, 0)
    assert answer.sdp.count("a=sendonly") == 2


def test_an_ice_fragment_is_read_and_written() -> None:
    fragment = read_fragment(
        "a=ice-ufrag:EsAw\r\na=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1\r\nm=audio 9 RTP/AVP 0\r\na=mid:0\r\n"
        "a=candidate:1 1 UDP 2130706431 198.51.100.1 39132 typ host\r\na=end-of-candidates\r\n"
    )
    assert (fragment.ufrag, fragment.candidates, fragment.complete) == ("EsAw", 1, True)
    written = write_fragment(LOCAL, ["0"])
    assert read_fragment(written).ufrag == LOCAL.ufrag
    with pytest.raises(BadSdp, match="bad_ice"):
        read_fragment("a=ice-ufrag:EsAw\r\n")


def _viewer_answer() -> str:
    """An old browser's: no H.264, no RED."""
    offered = offer_down(PLAN, LOCAL, version=1)
    kept = [
        line
        for line in offered.split("\r\n")
        if not any(f":{number} " in line for number in (102, 103, 63)) and not line.startswith("a=ssrc")
    ]
    text = "\r\n".join(kept).replace("a=sendonly", "a=recvonly").replace("a=setup:actpass", "a=setup:active")
    text = text.replace("SAVPF 102 103 96 97", "SAVPF 96 97").replace("SAVPF 63 111", "SAVPF 111")
    return text.replace("video 40000", "video 9").replace("audio 40000", "audio 9")


def _camera(offer: str) -> UpTrack:
    answer = answer_up(read_offer(offer), SOURCES, LOCAL, version=1)
    return next(track for track in answer.tracks if track.source is Source.CAMERA)


def test_simulcast_is_taken_layer_by_layer_with_the_extensions_that_name_them() -> None:
    answer = answer_up(read_offer(SIMULCAST_UP), SOURCES, LOCAL, version=1)
    camera = _camera(SIMULCAST_UP)
    assert camera.rids == ["l", "m", "h"]
    assert camera.ssrcs == {}
    assert (camera.extensions.rid, camera.extensions.repaired_rid) == (10, 11)
    lines = section(answer.sdp, "1")
    assert [line for line in lines if line.startswith("a=rid")] == [
        "a=rid:l recv",
        "a=rid:m recv",
        "a=rid:h recv",
    ]
    assert "a=simulcast:recv l;m;h" in lines
    assert not [line for line in section(answer.sdp, "0") if "rid" in line and "simulcast" in line]


@pytest.mark.parametrize(
    ("sent", "rids"),
    [
        ("send h;m;l", ["l", "m", "h"]),  # names whose order is known
        ("recv x;y send l;~m", ["l", "m"]),
        ("send l,m;h", ["l", "h"]),
        ("send l", []),
        ("send l;l", []),
        ("send l;unknown", []),
        ("send", []),
        ("", []),
        ("send l;m;h;l;m;h", []),
    ],
)
def test_only_what_the_simulcast_line_says_soundly_becomes_layers(sent: str, rids: list[str]) -> None:
    camera = _camera(SIMULCAST_UP.replace("a=simulcast:send l;m;h", f"a=simulcast:{sent}"))
    assert camera.rids == rids
    assert camera.extensions.rid == (10 if rids else 0)


def test_layers_without_the_extension_that_names_them_are_not_taken() -> None:
    offer = SIMULCAST_UP.replace("a=extmap:10 urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id\r\n", "")
    answer = answer_up(read_offer(offer), SOURCES, LOCAL, version=1)
    assert "a=simulcast" not in answer.sdp
    assert _camera(offer).rids == []


def test_vp9_and_av1_are_taken_after_h264_and_vp8_in_their_eight_bit_profiles() -> None:
    names = [codec.name for codec in _camera(CHROMIUM_UP).codecs]
    assert names == [CodecName.H264, CodecName.VP8, CodecName.VP9, CodecName.AV1]
    deep = CHROMIUM_UP.replace("a=rtpmap:98 VP9/90000", "a=rtpmap:98 VP9/90000\r\na=fmtp:98 profile-id=2")
    assert CodecName.VP9 not in [codec.name for codec in _camera(deep).codecs]

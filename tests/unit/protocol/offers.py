"""Offers as browsers write them (addresses and keys replaced): an up connection, voice then camera."""

_FINGERPRINT = ":".join(["3C"] * 32)


def _video(number: int, rtx: int, name: str, profile: str = "", mode: int = 1) -> list[str]:
    lines = [f"a=rtpmap:{number} {name}/90000"]
    feedback = ("goog-remb", "transport-cc", "ccm fir", "nack", "nack pli")
    lines += [f"a=rtcp-fb:{number} {each}" for each in feedback]
    if profile:
        fmtp = f"level-asymmetry-allowed=1;packetization-mode={mode};profile-level-id={profile}"
        lines.append(f"a=fmtp:{number} {fmtp}")
    return [*lines, f"a=rtpmap:{rtx} rtx/90000", f"a=fmtp:{rtx} apt={number}"]


CHROMIUM_UP = "\r\n".join(
    [
        "v=0",
        "o=- 3547019466410023114 2 IN IP4 127.0.0.1",
        "s=-",
        "t=0 0",
        "a=group:BUNDLE 0 1",
        "a=extmap-allow-mixed",
        "a=msid-semantic: WMS s",
        "m=audio 9 UDP/TLS/RTP/SAVPF 111 63 9 0 8 13 110 126",
        "c=IN IP4 0.0.0.0",
        "a=rtcp:9 IN IP4 0.0.0.0",
        "a=ice-ufrag:Ei52",
        "a=ice-pwd:6cMXo1YUx8qD1c1cVxHKnUBq",
        "a=ice-options:trickle",
        f"a=fingerprint:sha-256 {_FINGERPRINT}",
        "a=setup:actpass",
        "a=mid:0",
        "a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level",
        "a=extmap:2 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time",
        "a=extmap:3 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01",
        "a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid",
        "a=sendonly",
        "a=msid:s a",
        "a=rtcp-mux",
        "a=rtcp-rsize",
        "a=rtpmap:111 opus/48000/2",
        "a=rtcp-fb:111 transport-cc",
        "a=fmtp:111 minptime=10;useinbandfec=1",
        "a=rtpmap:63 red/48000/2",
        "a=fmtp:63 111/111",
        "a=rtpmap:9 G722/8000",
        "a=rtpmap:0 PCMU/8000",
        "a=rtpmap:8 PCMA/8000",
        "a=rtpmap:13 CN/8000",
        "a=rtpmap:110 telephone-event/48000",
        "a=rtpmap:126 telephone-event/8000",
        "a=ssrc:3570614608 cname:X2fVHGnQPOzXgTLu",
        "a=ssrc:3570614608 msid:s a",
        "m=video 9 UDP/TLS/RTP/SAVPF 96 97 103 104 107 108 109 114 45 46 98 99 100 101 116 117 118",
        "c=IN IP4 0.0.0.0",
        "a=rtcp:9 IN IP4 0.0.0.0",
        "a=ice-ufrag:Ei52",
        "a=ice-pwd:6cMXo1YUx8qD1c1cVxHKnUBq",
        "a=ice-options:trickle",
        f"a=fingerprint:sha-256 {_FINGERPRINT}",
        "a=setup:actpass",
        "a=mid:1",
        "a=extmap:14 urn:ietf:params:rtp-hdrext:toffset",
        "a=extmap:2 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time",
        "a=extmap:13 urn:3gpp:video-orientation",
        "a=extmap:3 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01",
        "a=extmap:5 http://www.webrtc.org/experiments/rtp-hdrext/playout-delay",
        "a=extmap:6 http://www.webrtc.org/experiments/rtp-hdrext/video-content-type",
        "a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid",
        "a=extmap:10 urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id",
        "a=extmap:11 urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id",
        "a=sendonly",
        "a=msid:s v",
        "a=rtcp-mux",
        "a=rtcp-rsize",
        *_video(96, 97, "VP8"),
        *_video(103, 104, "H264", "42001f", 1),
        *_video(107, 108, "H264", "42001f", 0),
        *_video(109, 114, "H264", "42e01f", 1),
        *_video(45, 46, "AV1"),
        *_video(98, 99, "VP9"),
        "a=rtpmap:100 H264/90000",
        "a=fmtp:100 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=4d001f",
        "a=rtpmap:101 rtx/90000",
        "a=fmtp:101 apt=100",
        "a=rtpmap:116 red/90000",
        "a=rtpmap:117 rtx/90000",
        "a=fmtp:117 apt=116",
        "a=rtpmap:118 ulpfec/90000",
        "a=ssrc-group:FID 2231627014 632943048",
        "a=ssrc:2231627014 cname:X2fVHGnQPOzXgTLu",
        "a=ssrc:2231627014 msid:s v",
        "a=ssrc:632943048 cname:X2fVHGnQPOzXgTLu",
        "a=ssrc:632943048 msid:s v",
        "",
    ]
)
"""Chromium 156."""

SIMULCAST_UP = CHROMIUM_UP.replace(
    "\r\n".join(
        [
            "a=ssrc-group:FID 2231627014 632943048",
            "a=ssrc:2231627014 cname:X2fVHGnQPOzXgTLu",
            "a=ssrc:2231627014 msid:s v",
            "a=ssrc:632943048 cname:X2fVHGnQPOzXgTLu",
            "a=ssrc:632943048 msid:s v",
        ]
    ),
    "a=rid:l send\r\na=rid:m send\r\na=rid:h send\r\na=simulcast:send l;m;h",
)
"""Chromium 156 with three encodings: no SSRC is announced."""

_NOT_IN_79 = ("a=extmap-allow-mixed", "a=rtpmap:63 ", "a=fmtp:63 ", "a=rtpmap:45 ", "a=rtpmap:46 ")
CHROME_79_UP = "\r\n".join(
    line
    for line in CHROMIUM_UP.replace("SAVPF 111 63 9", "SAVPF 111 103 104 9")
    .replace(" 45 46 ", " ")
    .split("\r\n")
    if not line.startswith(_NOT_IN_79) and ":45 " not in line and ":46 " not in line
).replace(
    "a=rtpmap:9 G722/8000", "a=rtpmap:103 ISAC/16000\r\na=rtpmap:104 ISAC/32000\r\na=rtpmap:9 G722/8000"
)
"""Chrome 79: no RED around Opus, no AV1, ISAC still there."""

FIREFOX_UP = "\r\n".join(
    [
        "v=0",
        "o=mozilla...THIS_IS_SDPARTA-99.0 5391612013563921210 0 IN IP4 0.0.0.0",
        "s=-",
        "t=0 0",
        f"a=fingerprint:sha-256 {_FINGERPRINT}",
        "a=group:BUNDLE 0 1",
        "a=ice-options:trickle",
        "a=msid-semantic:WMS *",
        "m=audio 9 UDP/TLS/RTP/SAVPF 109 9 0 8 101",
        "c=IN IP4 0.0.0.0",
        "a=sendonly",
        "a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level",
        "a=extmap:2/recvonly urn:ietf:params:rtp-hdrext:csrc-audio-level",
        "a=extmap:3 urn:ietf:params:rtp-hdrext:sdes:mid",
        "a=fmtp:109 maxplaybackrate=48000;stereo=1;useinbandfec=1",
        "a=fmtp:101 0-15",
        "a=ice-pwd:91f68fb6d7a8af9c2d7a7c2e8a4f1d20",
        "a=ice-ufrag:5b1f6a44",
        "a=mid:0",
        "a=msid:{7c1d} {a1}",
        "a=rtcp-mux",
        "a=rtpmap:109 opus/48000/2",
        "a=rtpmap:9 G722/8000/1",
        "a=rtpmap:0 PCMU/8000",
        "a=rtpmap:8 PCMA/8000",
        "a=rtpmap:101 telephone-event/8000/1",
        "a=setup:actpass",
        "a=ssrc:3104564931 cname:{2bd0}",
        "m=video 9 UDP/TLS/RTP/SAVPF 120 124 126 127 97 98",
        "c=IN IP4 0.0.0.0",
        "a=sendonly",
        "a=extmap:3 urn:ietf:params:rtp-hdrext:sdes:mid",
        "a=extmap:4 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time",
        "a=extmap:5 urn:ietf:params:rtp-hdrext:toffset",
        "a=extmap:6/recvonly http://www.webrtc.org/experiments/rtp-hdrext/playout-delay",
        "a=extmap:7 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01",
        "a=fmtp:126 profile-level-id=42e01f;level-asymmetry-allowed=1;packetization-mode=1",
        "a=fmtp:97 profile-level-id=42e01f;level-asymmetry-allowed=1",
        "a=fmtp:120 max-fs=12288;max-fr=60",
        "a=fmtp:124 apt=120",
        "a=fmtp:127 apt=126",
        "a=fmtp:98 apt=97",
        "a=ice-pwd:91f68fb6d7a8af9c2d7a7c2e8a4f1d20",
        "a=ice-ufrag:5b1f6a44",
        "a=mid:1",
        "a=msid:{7c1d} {v1}",
        "a=rtcp-fb:120 nack",
        "a=rtcp-fb:120 nack pli",
        "a=rtcp-fb:120 ccm fir",
        "a=rtcp-fb:120 goog-remb",
        "a=rtcp-fb:120 transport-cc",
        "a=rtcp-fb:126 nack",
        "a=rtcp-fb:126 nack pli",
        "a=rtcp-fb:126 ccm fir",
        "a=rtcp-fb:126 goog-remb",
        "a=rtcp-fb:126 transport-cc",
        "a=rtcp-mux",
        "a=rtcp-rsize",
        "a=rtpmap:120 VP8/90000",
        "a=rtpmap:124 rtx/90000",
        "a=rtpmap:126 H264/90000",
        "a=rtpmap:127 rtx/90000",
        "a=rtpmap:97 H264/90000",
        "a=rtpmap:98 rtx/90000",
        "a=setup:actpass",
        "a=ssrc:1872931064 cname:{2bd0}",
        "a=ssrc:2951304877 cname:{2bd0}",
        "a=ssrc-group:FID 1872931064 2951304877",
        "",
    ]
)
"""Firefox."""

import { describe, expect, it } from "vitest";

import { preferredCodecs, withAudioNack } from "./sdp";

const VIDEO = [
  { mimeType: "video/VP8", clockRate: 90000 },
  { mimeType: "video/rtx", clockRate: 90000 },
  { mimeType: "video/AV1", clockRate: 90000, sdpFmtpLine: "level-idx=5;profile=0;tier=0" },
  { mimeType: "video/AV1", clockRate: 90000, sdpFmtpLine: "level-idx=5;profile=1;tier=0" },
  { mimeType: "video/VP9", clockRate: 90000, sdpFmtpLine: "profile-id=2" },
  { mimeType: "video/VP9", clockRate: 90000, sdpFmtpLine: "profile-id=0" },
  {
    mimeType: "video/H264",
    clockRate: 90000,
    sdpFmtpLine: "level-asymmetry-allowed=1;packetization-mode=0;profile-level-id=42e01f",
  },
  {
    mimeType: "video/H264",
    clockRate: 90000,
    sdpFmtpLine: "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=4d001f",
  },
  {
    mimeType: "video/H264",
    clockRate: 90000,
    sdpFmtpLine: "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f",
  },
  { mimeType: "video/AV1", clockRate: 90000 },
  { mimeType: "video/red", clockRate: 90000 },
];

const SDP = [
  "v=0",
  "m=audio 9 UDP/TLS/RTP/SAVPF 63 111",
  "a=rtpmap:63 red/48000/2",
  "a=rtpmap:111 opus/48000/2",
  "a=rtcp-fb:111 transport-cc",
  "m=video 9 UDP/TLS/RTP/SAVPF 96",
  "a=rtpmap:96 H264/90000",
  "",
].join("\r\n");

describe("codecs", () => {
  it("puts constrained baseline H.264 first, then VP8, VP9 and AV1 of eight bits, and leaves out what is not forwarded", () => {
    expect(preferredCodecs("video", VIDEO).map((codec) => codec.sdpFmtpLine?.slice(-6) ?? codec.mimeType)).toEqual([
      "42e01f",
      "4d001f",
      "video/VP8",
      "e-id=0",
      "tier=0",
      "video/AV1",
      "video/rtx",
    ]);
  });

  it("prefers redundant sound to plain Opus", () => {
    const audio = [
      { mimeType: "audio/opus", clockRate: 48000 },
      { mimeType: "audio/G722", clockRate: 8000 },
      { mimeType: "audio/red", clockRate: 48000 },
    ];
    expect(preferredCodecs("audio", audio).map((codec) => codec.mimeType)).toEqual(["audio/red", "audio/opus"]);
  });
});

describe("NACK on the audio line", () => {
  it("is added once, to Opus only", () => {
    const once = withAudioNack(SDP);
    expect(once.match(/a=rtcp-fb:111 nack\r\n/g)).toHaveLength(1);
    expect(once).not.toContain("a=rtcp-fb:96 nack");
    expect(withAudioNack(once)).toBe(once);
  });

  it("leaves line ends and everything else as they were", () => {
    expect(withAudioNack(SDP).replace("a=rtcp-fb:111 nack\r\n", "")).toBe(SDP);
  });
});

/** The few things about SDP and codecs that a page must decide itself (pure). */

/** Order of preference: a wall panel decodes H.264 in hardware; baseline is what every one of them can. */
const VIDEO_ORDER: readonly RegExp[] = [
  /^video\/H264;.*packetization-mode=1.*profile-level-id=42e0/i,
  /^video\/H264;.*packetization-mode=1.*profile-level-id=4200/i,
  /^video\/H264;.*packetization-mode=1/i,
  /^video\/VP8/i,
  /^video\/VP9;(?!.*profile-id=[1-9])/i,
  /^video\/AV1;(?!.*profile=[1-9])/i,
  /^video\/rtx/i,
];
/** RED (RFC 2198) first: it repairs single losses without waiting. */
const AUDIO_ORDER: readonly RegExp[] = [/^audio\/red/i, /^audio\/opus/i];

interface CodecCapability {
  mimeType: string;
  clockRate: number;
  channels?: number;
  sdpFmtpLine?: string;
}

/** The codecs Lianke forwards, best first; what it cannot forward is left out of the offer. */
export function preferredCodecs<C extends CodecCapability>(kind: string, offered: readonly C[]): C[] {
  const order = kind === "video" ? VIDEO_ORDER : AUDIO_ORDER;
  const rank = (codec: C): number => {
    const sorted = (codec.sdpFmtpLine ?? "").split(";").sort().join(";");
    return order.findIndex((pattern) => pattern.test(`${codec.mimeType};${sorted}`));
  };
  return offered
    .map((codec) => ({ codec, rank: rank(codec) }))
    .filter((entry) => entry.rank >= 0)
    .sort((a, b) => a.rank - b.rank)
    .map((entry) => entry.codec);
}

/** The SDP with `a=rtcp-fb:PT nack` on every Opus line of audio, which browsers do but do not offer. */
export function withAudioNack(sdp: string): string {
  const sections = sdp.split(/^(?=m=)/m);
  return sections
    .map((section) => {
      if (!section.startsWith("m=audio")) return section;
      const opus = /^a=rtpmap:(\d+) opus\/48000\/2\r?$/im.exec(section)?.[1];
      if (opus === undefined || section.includes(`a=rtcp-fb:${opus} nack`)) return section;
      return section.replace(/^(a=rtpmap:\d+ opus\/48000\/2)(\r?)$/im, `$1\r\na=rtcp-fb:${opus} nack$2`);
    })
    .join("");
}

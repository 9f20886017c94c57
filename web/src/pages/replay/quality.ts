/** Which files a recording is played from: as it came, smaller pictures, or sound alone. Pure. */
import type { ReplayRendition, ReplayTrack } from "@/protocol/messages";

export const QUALITIES = ["original", "720p", "360p", "sound"] as const;
export type Quality = (typeof QUALITIES)[number];

/** The choices that make sense for what was made. */
export function qualitiesOf(tracks: readonly ReplayTrack[], made: readonly ReplayRendition[]): Quality[] {
  const pictures = tracks.filter((track) => track.kind === "video");
  const sounds = tracks.some((track) => track.kind === "audio");
  return QUALITIES.filter((quality) => {
    if (quality === "original") return true;
    if (pictures.length === 0) return false;
    if (quality === "sound") return sounds;
    return pictures.some((track) => made.some((one) => one.kind === quality && one.track === track.name));
  });
}

/** The tracks as they are played; `opus`: whether the browser plays it. */
export function playedFrom(
  tracks: readonly ReplayTrack[],
  made: readonly ReplayRendition[],
  quality: Quality,
  opus: boolean,
): ReplayTrack[] {
  const kindOf = (track: ReplayTrack): string => {
    if (track.kind === "video") return quality;
    return opus || track.codec !== "opus" ? "" : "aac";
  };
  return tracks
    .filter((track) => quality !== "sound" || track.kind === "audio")
    .map((track) => {
      const other = made.find((one) => one.kind === kindOf(track) && one.track === track.name);
      return other === undefined ? track : { ...track, playlist: other.playlist, codec: other.codec };
    });
}

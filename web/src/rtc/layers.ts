/** What each source sends: its layers (simulcast), their bit rates and sizes, and which of them are switched on (pure). */
import type { Source } from "@/protocol/messages";

/** One encoding of a source. `scale`: how much smaller than the source; RIDs go up from "l". */
export interface Layer {
  rid: string;
  maxBitrate: number;
  scale: number;
  maxFramerate?: number;
}

export interface SourceSettings {
  maxBitrate: number;
  priority: RTCPriorityType;
  degradation: "maintain-framerate" | "maintain-resolution" | "balanced";
}

/** Sound before all, then the teacher's face, then the slides, then the second camera. */
export const SETTINGS: Record<Source, SourceSettings> = {
  voice: { maxBitrate: 64_000, priority: "high", degradation: "balanced" },
  camera: { maxBitrate: 2_500_000, priority: "medium", degradation: "balanced" },
  screen: { maxBitrate: 1_500_000, priority: "medium", degradation: "maintain-resolution" },
  camera2: { maxBitrate: 1_200_000, priority: "low", degradation: "balanced" },
};
/** A receiving room's uplink is the thinner one; its camera is big only while it is called. */
export const ROOM_CAMERA_BITRATE = 1_500_000;

const SMALL: readonly { rid: string; height: number; maxBitrate: number }[] = [
  { rid: "l", height: 180, maxBitrate: 150_000 },
  { rid: "m", height: 360, maxBitrate: 600_000 },
];
/** A size this much below the source's is worth a layer of its own. */
const WORTH = 1.5;

/** A camera in up to three sizes: 180 lines, 360 lines, its own. */
function cameraLayers(height: number, most: number): Layer[] {
  const small = SMALL.filter((layer) => height >= WORTH * layer.height && layer.maxBitrate < most);
  return [
    ...small.map(({ rid, height: lines, maxBitrate }) => ({ rid, maxBitrate, scale: height / lines })),
    { rid: "h", maxBitrate: most, scale: 1 },
  ];
}

/** Slides keep their size, so that text stays sharp: what a thin line gets is fewer pictures. */
const SCREEN_LAYERS: readonly Layer[] = [
  { rid: "l", maxBitrate: 500_000, scale: 1, maxFramerate: 5 },
  { rid: "h", maxBitrate: SETTINGS.screen.maxBitrate, scale: 1, maxFramerate: 15 },
];

/** Lowest first. `height`: the source's, in lines (unknown: 720); one layer is no simulcast. */
export function layersOf(source: Source, height: number | undefined, most = SETTINGS[source].maxBitrate): Layer[] {
  if (source === "screen") return [...SCREEN_LAYERS];
  if (source === "voice") return [{ rid: "", maxBitrate: most, scale: 1 }];
  return cameraLayers(height ?? 720, most);
}

/** As `addTransceiver` wants them. */
export function encodingsOf(source: Source, layers: readonly Layer[]): RTCRtpEncodingParameters[] {
  const { priority } = SETTINGS[source];
  return layers.map(({ rid, maxBitrate, scale, maxFramerate }) => ({
    maxBitrate,
    priority,
    networkPriority: priority,
    ...(layers.length > 1 ? { rid, scaleResolutionDownBy: scale } : {}),
    ...(maxFramerate === undefined ? {} : { maxFramerate }),
  }));
}

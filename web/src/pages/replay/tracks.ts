/** Which track leads, which pictures there are, and how they are laid out. Pure. */
import type { ReplayTrack } from "@/protocol/messages";

/** The one whose element is the clock: the teacher's voice, else any sound, else the first picture. */
export function masterOf(tracks: readonly ReplayTrack[]): ReplayTrack | null {
  return (
    tracks.find((track) => track.subject === "voice") ??
    tracks.find((track) => track.kind === "audio") ??
    tracks.find((track) => track.kind === "video") ??
    null
  );
}

export interface Pictures {
  courseware: ReplayTrack | null;
  /** Cameras, the teacher's first. */
  cameras: ReplayTrack[];
}

const ORDER = ["teacher", "board", "pupils"];

export function picturesOf(tracks: readonly ReplayTrack[]): Pictures {
  const rank = (track: ReplayTrack): number => (ORDER.indexOf(track.subject) + ORDER.length + 1) % 4;
  const videos = tracks.filter((track) => track.kind === "video");
  return {
    courseware: videos.find((track) => track.subject === "screen") ?? null,
    cameras: videos.filter((track) => track.subject !== "screen").sort((a, b) => rank(a) - rank(b)),
  };
}

export const LAYOUTS = ["inset", "side", "courseware", "teacher"] as const;
export type Layout = (typeof LAYOUTS)[number];
export type Place = "whole" | "inset" | "left" | "right" | "hidden";

/** The layouts that make sense for what was recorded. */
export function layoutsFor({ courseware, cameras }: Pictures): Layout[] {
  if (courseware !== null && cameras.length > 0) return [...LAYOUTS];
  return courseware !== null ? ["courseware"] : ["teacher"];
}

/** Where courseware and camera stand. `swapped` exchanges the two where both are shown. */
export function placesOf(layout: Layout, swapped: boolean): { courseware: Place; camera: Place } {
  switch (layout) {
    case "courseware":
      return { courseware: "whole", camera: "hidden" };
    case "teacher":
      return { courseware: "hidden", camera: "whole" };
    case "side":
      return swapped ? { courseware: "right", camera: "left" } : { courseware: "left", camera: "right" };
    case "inset":
      return swapped ? { courseware: "inset", camera: "whole" } : { courseware: "whole", camera: "inset" };
  }
}

/** The layout to begin with: the remembered one where it is possible. */
export function beginLayout(remembered: string | null, possible: readonly Layout[]): Layout {
  return possible.find((layout) => layout === remembered) ?? possible[0] ?? "teacher";
}

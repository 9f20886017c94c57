/** The room's own cameras and encoders, as far as the studio is concerned: what the browser need not give (pure). */
import type { Box, Boxes, Source } from "@/protocol/messages";
import type { Slot } from "@/rtc/down";

export const OWN_VOICE = "own_voice";

/** The box that supplies this; the teacher's voice comes with one of the pictures. */
export function boxOf(boxes: readonly Box[], source: Source): Box | null {
  return boxes.find((box) => (source === "voice" ? box.sound : box.source === source)) ?? null;
}

/** Its picture or sound, as the server sends it back to the studio; null while it does not come. */
export function boxTrack(slots: ReadonlyMap<string, Slot>, source: Source): MediaStreamTrack | null {
  const slot = slots.get(source === "voice" ? OWN_VOICE : `tile_${source}`);
  return slot?.carries?.source === source ? slot.track : null;
}

/** What is known now: while one is opened again, why it had to be still stands. */
export function carriedOn(before: readonly Box[], now: readonly Box[]): Box[] {
  return now.map((box) => {
    const known = before.find((each) => each.source === box.source);
    return box.state === "opening" && box.words === null ? { ...box, words: known?.words ?? null } : box;
  });
}

/** Which of these the browser is to be asked for. */
export function fromBrowser(told: Boxes, sources: readonly Source[]): Source[] {
  return sources.filter((source) => boxOf(told.boxes, source) === null);
}

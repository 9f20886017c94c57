/**
 * What is really seen and heard, from one report a second of the down connection. Pure.
 *
 * A frozen last frame without an error is the classic failure, so nothing here looks at connection
 * states: only decoded frames and received packets count.
 */
import type { SlotReport } from "@/protocol/messages";

export interface WatchedSlot {
  name: string;
  kind: string;
  /** The server points it at something. */
  assigned: boolean;
}

/** none: nothing is assigned. waiting: no frame yet. still: frames came and stopped. */
export type Motion = "none" | "waiting" | "moving" | "still";

export interface SlotVerdict {
  motion: Motion;
  /** When the last frame (or sound packet) came, or since when the first is waited for. */
  since: number;
  /** Packets arrive although nothing is decoded: the decoder is stuck, not the line. */
  arriving: boolean;
}

export type Verdicts = Record<string, SlotVerdict>;

interface Memory {
  alive: number | null;
  from: number;
}

/** A camera's picture that stands longer than this stands still. */
export const STILL_AFTER_MS = 2500;
/** A screen that does not change sends about one frame a second, sometimes fewer. */
export const SCREEN_STILL_AFTER_MS = 8000;

export class Watch {
  private memories = new Map<string, Memory>();

  /** Forget everything: the connection is a new one. */
  reset(): void {
    this.memories.clear();
  }

  /** Verdicts by slot at `now` (ms); `reports` say what happened since the last call. */
  sample(slots: Iterable<WatchedSlot>, reports: readonly SlotReport[], now: number): Verdicts {
    const verdicts: Verdicts = {};
    for (const slot of slots) {
      if (!slot.assigned) {
        this.memories.delete(slot.name);
        verdicts[slot.name] = { motion: "none", since: now, arriving: false };
        continue;
      }
      const report = reports.find((one) => one.slot === slot.name);
      const memory = this.memories.get(slot.name) ?? { alive: null, from: now };
      const alive = slot.kind === "video" ? report?.frames : report?.received;
      if ((alive ?? 0) > 0) memory.alive = now;
      this.memories.set(slot.name, memory);
      verdicts[slot.name] = {
        motion: motionOf(slot.name, memory, now),
        since: memory.alive ?? memory.from,
        arriving: (report?.received ?? 0) > 0,
      };
    }
    return verdicts;
  }
}

function motionOf(slot: string, memory: Memory, now: number): Motion {
  if (memory.alive === null) return "waiting";
  const limit_ms = slot === "screen" ? SCREEN_STILL_AFTER_MS : STILL_AFTER_MS;
  return now - memory.alive > limit_ms ? "still" : "moving";
}

/**
 * The reports with standing pictures told as frozen: browsers count a freeze only once it is over,
 * and old ones not at all. A screen may stand: its page did not change.
 */
export function withFreezes(
  reports: readonly SlotReport[],
  slots: readonly WatchedSlot[],
  interval_ms: number,
): SlotReport[] {
  return reports.map((report) => {
    const slot = slots.find((one) => one.name === report.slot);
    const stands =
      slot?.kind === "video" && slot.assigned && slot.name !== "screen" && (report.frames ?? 0) === 0;
    return stands ? { ...report, freeze_ms: Math.round(interval_ms) } : report;
  });
}

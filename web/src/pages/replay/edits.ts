/** What of a recording is shown: the stretches that are left of an edit list. Pure; as `server/domain/editing.py`. */
import type { Edited } from "@/protocol/messages";

export interface Stretch {
  start_s: number;
  end_s: number;
}

export type EditList = Pick<Edited, "in_s" | "out_s" | "cuts">;

/** The stretches that are shown, in order. */
export function keptOf(edit: EditList, seconds: number): Stretch[] {
  const end = edit.out_s === null ? seconds : Math.min(seconds, edit.out_s);
  const kept: Stretch[] = [];
  let at = Math.max(0, edit.in_s);
  for (const cut of [...edit.cuts].sort((a, b) => a.start_s - b.start_s)) {
    if (cut.start_s > at) kept.push({ start_s: at, end_s: Math.min(cut.start_s, end) });
    at = Math.max(at, cut.end_s);
    if (at >= end) break;
  }
  if (at < end) kept.push({ start_s: at, end_s: end });
  return kept.filter((stretch) => stretch.end_s > stretch.start_s);
}

/** What is left out, for the bar. */
export function leftOutOf(kept: readonly Stretch[], seconds: number): Stretch[] {
  const out: Stretch[] = [];
  let at = 0;
  for (const stretch of kept) {
    if (stretch.start_s > at) out.push({ start_s: at, end_s: stretch.start_s });
    at = stretch.end_s;
  }
  if (at < seconds) out.push({ start_s: at, end_s: seconds });
  return out;
}

const EDGE_S = 0.05;

/** Where to go on from here: the same moment where it is shown, else the next that is; null at the end. */
export function shownFrom(kept: readonly Stretch[], at_s: number): number | null {
  const next = kept.find((stretch) => at_s < stretch.end_s - EDGE_S);
  if (next === undefined) return null;
  return at_s < next.start_s - EDGE_S ? next.start_s : at_s;
}

export function isTrimmed(edit: EditList): boolean {
  return edit.in_s > 0 || edit.out_s !== null || edit.cuts.length > 0;
}

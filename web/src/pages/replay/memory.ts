/** What this browser remembers of a recording, and the moment the address asks for. */
import { parseRemembered, parseTime } from "./position";
import type { Remembered } from "./position";

const KEY = "lianke.replay.";

export function recall(lesson: string): Remembered | null {
  try {
    return parseRemembered(localStorage.getItem(KEY + lesson));
  } catch {
    return null; // storage forbidden: every visit begins anew
  }
}

export function remember(lesson: string, what: Remembered): void {
  try {
    localStorage.setItem(KEY + lesson, JSON.stringify(what));
  } catch {
    return; // full or forbidden
  }
}

export function askedMoment(search: string): number | null {
  return parseTime(new URLSearchParams(search).get("t"));
}

/** Times as people read them (pure), and one second hand for a page. */
import { onScopeDispose, ref } from "vue";
import type { Ref } from "vue";

import { zonedDay, zonedTime } from "./zoned";

/** "0:07", "12:40", "1:02:03"; what is below zero counts as zero. */
export function duration(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const two = (n: number): string => String(n).padStart(2, "0");
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor(seconds / 60) % 60;
  return hours > 0 ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
}

/** "10:03", or "10:03:12" with seconds, in the county's zone. */
export function clockTime(atMs: number, withSeconds = false): string {
  return zonedTime(atMs, undefined, withSeconds);
}

/** "11-21 10:03", in other years "2025-11-21 10:03": enough to find a lesson in a list. */
export function dayTime(atMs: number): string {
  const day = zonedDay(atMs);
  const short = day.slice(0, 4) === zonedDay(Date.now()).slice(0, 4) ? day.slice(5) : day;
  return `${short} ${clockTime(atMs)}`;
}

/** The time by `read`, looked at four times a second for as long as the calling component lives. */
export function useNow(read: () => number): Ref<number> {
  const now = ref(read());
  const timer = setInterval(() => (now.value = read()), 250);
  onScopeDispose(() => clearInterval(timer));
  return now;
}

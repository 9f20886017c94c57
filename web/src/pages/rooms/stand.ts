/** How a room's row is drawn (pure). */
import type { Key } from "@/i18n/say";
import type { RoomStand } from "@/protocol/messages";
import type { Shape, Tone } from "@/state/seat";

const CLOCK_OFF_MS = 60_000;

export function markOf(stand: RoomStand): { shape: Shape; tone: Tone } {
  if (stand.online_since === null) return { shape: "ring", tone: "quiet" };
  return warningsOf(stand).length > 0 ? { shape: "triangle", tone: "look" } : { shape: "disc", tone: "well" };
}

export function warningsOf(stand: RoomStand): { key: Key; values: Record<string, number> }[] {
  const found: { key: Key; values: Record<string, number> }[] = [];
  if (stand.moved_at !== null) found.push({ key: "rooms.keyMoved", values: {} });
  if (stand.online_since === null) return found;
  if (stand.cameras === 0) found.push({ key: "rooms.noCamera", values: {} });
  if (stand.microphones === 0) found.push({ key: "rooms.noMicrophone", values: {} });
  const off = Math.abs(stand.clock_off_ms ?? 0);
  if (off > CLOCK_OFF_MS) found.push({ key: "rooms.clockOff", values: { minutes: Math.round(off / 60_000) } });
  return found;
}

const BROWSERS: [RegExp, string][] = [
  [/Edg\/(\d+)/, "Edge"],
  [/Firefox\/(\d+)/, "Firefox"],
  [/Chrome\/(\d+)/, "Chrome"],
  [/Version\/(\d+).*Safari/, "Safari"],
];

/** "Chrome 109" of a user agent; its beginning where it is none that is known. */
export function browserName(agent: string): string {
  for (const [pattern, name] of BROWSERS) {
    const found = pattern.exec(agent);
    if (found) return `${name} ${found[1] ?? ""}`;
  }
  return agent.slice(0, 24);
}

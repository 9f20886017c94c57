/** A receiving room's tile of which nothing is to be told: what tests change a little. */
import type { Seat } from "@/protocol/messages";

export function quietSeat(room: string, since: number, changes: Partial<Seat> = {}): Seat {
  return {
    room,
    name: { zh: room, en: room },
    state: "here",
    since,
    detail: "",
    hand_since: null,
    muted: false,
    heard: false,
    last_called: null,
    sends: [],
    recorded: false,
    road: null,
    heads: null,
    hear: "unknown",
    ...changes,
  };
}

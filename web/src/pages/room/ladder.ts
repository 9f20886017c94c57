/**
 * The ladder UDP, TCP, TURN, broadcast: when to step down to the broadcast, and when to look for a better road.
 * Pure.
 *
 * Between the first three ICE chooses by itself, the best that works. What is decided here: a room that no
 * connection reaches shows the live recording, some seconds late, and goes on trying; a room on TCP or TURN looks
 * now and then whether a better road is open, for a firewall's rule may have been a moment's fault. The pauses
 * double, with jitter, so that a county behind one router does not look in one instant.
 */
import type { Road } from "@/protocol/messages";

export interface RoadFacts {
  /** The signalling line is there. */
  linked: boolean;
  /** The teacher sends: something should come. */
  due: boolean;
  /** Picture or sound really comes over the connection. */
  moving: boolean;
  /** The connection's road; null: it has none yet. */
  road: Road | null;
}

/** restart: ask for an ICE restart, media goes on. renew: ask for a new connection, there is none to lose. */
export type Step = "stay" | "restart" | "renew";

export const BROADCAST_AFTER_MS = 7000;
export const FIRST_LOOK_MS = 60_000;
export const LONGEST_LOOK_MS = 10 * 60_000;
export const FIRST_TRY_MS = 12_000;
export const LONGEST_TRY_MS = 60_000;
const JITTER = 0.25;

export class Ladder {
  /** Show the live recording. */
  broadcast = false;
  private withoutSince: number | null = null;
  private tries = 0;
  private next: number | null = null;
  private before: Road | null = null;

  constructor(private readonly random: () => number) {}

  /** Another lesson, or none: nothing is known of the road. */
  reset(): void {
    this.broadcast = false;
    this.withoutSince = null;
    this.rest();
    this.before = null;
  }

  check(facts: RoadFacts, now: number): Step {
    if (facts.moving) return this.arrived(facts, now);
    if (!facts.linked || !facts.due) {
      this.withoutSince = null;
      return "stay";
    }
    this.withoutSince ??= now;
    if (!this.broadcast && now - this.withoutSince < BROADCAST_AFTER_MS) return "stay";
    if (!this.broadcast) this.rest();
    this.broadcast = true;
    return this.due(now, FIRST_TRY_MS, LONGEST_TRY_MS) ? "renew" : "stay";
  }

  private arrived({ road, linked }: RoadFacts, now: number): Step {
    this.withoutSince = null;
    if (this.broadcast || road !== this.before) this.rest();
    this.broadcast = false;
    this.before = road;
    if (road === null || road === "udp" || !linked) return "stay";
    return this.due(now, FIRST_LOOK_MS, LONGEST_LOOK_MS) ? "restart" : "stay";
  }

  private rest(): void {
    this.tries = 0;
    this.next = null;
  }

  /** Whether the next look is due; the pause after it is twice as long. */
  private due(now: number, first_ms: number, longest_ms: number): boolean {
    const pause_ms = Math.min(longest_ms, first_ms * 2 ** Math.min(this.tries, 10));
    this.next ??= now + pause_ms * (1 + JITTER * (2 * this.random() - 1));
    if (now < this.next) return false;
    this.tries += 1;
    this.next = null;
    return true;
  }
}

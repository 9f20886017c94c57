/**
 * When to ask for a new down connection because the old one shows nothing. Pure.
 *
 * A connection that the browser calls failed renews itself (rtc/down); this is for the picture that
 * stands still without an error. The pauses between two tries double and carry jitter, so that a hundred
 * rooms behind one broken line do not come back in one instant; there is no limit to the tries.
 */
import type { SlotVerdict } from "./watch";

export interface Condition {
  /** The signalling line is there: only then can anything be asked for. */
  linked: boolean;
  /** The picture that should move now; null: none should, or there is no connection yet. */
  picture: SlotVerdict | null;
  /** Sound arrives: the line works, and the server would have told what is wrong with the picture. */
  heard: boolean;
  /** The teacher's own line or camera is away: a standing picture is not ours to heal. */
  sourceAway: boolean;
}

export const FIRST_PAUSE_MS = 4000;
export const LONGEST_PAUSE_MS = 30_000;
const JITTER = 0.25;
/** A connection gets this long for its first frame before it counts as ill. */
const FIRST_FRAME_MS = 6000;
/** A picture that stands gets this long on top of what made it "still". */
const STILL_MS = 1500;
const STILL_BUT_HEARD_MS = 5000;
const WELL_FOR_MS = 10_000;

export class Healer {
  private tries = 0;
  private wellSince: number | null = null;
  private next: number | null = null;

  constructor(private readonly random: () => number) {}

  /** When the next try comes; null while all is well. */
  get retryAt(): number | null {
    return this.next;
  }

  /** True: ask for a new down connection now. */
  check(condition: Condition, now: number): boolean {
    const patience_ms = patienceFor(condition);
    if (patience_ms === null) {
      this.recovered(condition, now);
      return false;
    }
    this.wellSince = null;
    this.next ??= now + (this.tries === 0 ? patience_ms : this.pause());
    if (!condition.linked || now < this.next) return false;
    this.tries += 1;
    this.next = now + this.pause();
    return true;
  }

  private recovered(condition: Condition, now: number): void {
    this.next = null;
    if (condition.picture?.motion !== "moving") return;
    this.wellSince ??= now;
    if (now - this.wellSince >= WELL_FOR_MS) this.tries = 0;
  }

  private pause(): number {
    const base = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(this.tries, 10));
    return base * (1 + JITTER * (2 * this.random() - 1));
  }
}

/** How long this may last before it is acted on, in ms; null: nothing is wrong, or not ours to heal. */
function patienceFor({ picture, heard, sourceAway }: Condition): number | null {
  if (picture === null || sourceAway) return null;
  if (picture.motion === "still") return heard ? STILL_BUT_HEARD_MS : STILL_MS;
  if (picture.motion === "waiting") return FIRST_FRAME_MS;
  return null;
}

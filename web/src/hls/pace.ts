/**
 * How a player that watches a live lesson keeps its distance to the newest part. Pure.
 *
 * The master's element is judged against where it should stand: far off it seeks, a little behind it runs a
 * little faster, which nobody hears, and too close to the edge a little slower, so that it need not stop.
 */

export type Pace = { kind: "rate"; rate: number } | { kind: "seek"; to_s: number };

const SEEK_S = 4;
const BEHIND_S = 0.7;
const AHEAD_S = -0.7;
const CLOSE_S = 0.15;

export class LivePace {
  private rate = 1;

  /** `behind_s`: how far the picture is behind where it should stand. */
  step(at_s: number, due_s: number): Pace {
    const behind = due_s - at_s;
    if (behind > SEEK_S || behind < -SEEK_S) {
      this.rate = 1;
      return { kind: "seek", to_s: due_s };
    }
    if (behind > BEHIND_S) this.rate = 1.06;
    else if (behind < AHEAD_S) this.rate = 0.96;
    else if (Math.abs(behind) < CLOSE_S || this.rate > 1 !== behind > 0) this.rate = 1;
    return { kind: "rate", rate: this.rate };
  }

  reset(): void {
    this.rate = 1;
  }
}

/** How far behind the lesson the picture of this moment is; null where its time is not known. */
export function delayOf(shownAt: number | null, now: number): number | null {
  return shownAt === null ? null : Math.max(0, (now - shownAt) / 1000);
}

/** When a page that was cut may be offered what it missed. Pure; times are ms by the server's clock. */

export interface Missed {
  from: number;
  until: number;
}

/** Shorter is not worth it, longer is for the replay. */
const LEAST_MS = 10_000;
const MOST_MS = 300_000;
/** A second cut so soon after the first belongs to it. */
const JOINED_MS = 5_000;
/** An offer that nobody takes goes. */
export const OFFERED_MS = 30_000;

export class MissedStretch {
  private from: number | null = null;
  private until: number | null = null;

  /** `cut`: nothing of the lesson arrives now. What may be offered, or null. */
  update(cut: boolean, now: number): Missed | null {
    if (cut) {
      if (this.from === null || (this.until !== null && now - this.until > JOINED_MS)) this.from = now;
      this.until = null;
      return null;
    }
    if (this.from === null) return null;
    this.until ??= now;
    const lasted = this.until - this.from;
    const over = now - this.until > OFFERED_MS;
    if (over || (lasted < LEAST_MS && now - this.until > JOINED_MS) || lasted > MOST_MS) this.forget();
    if (this.from === null || lasted < LEAST_MS) return null;
    return { from: this.from, until: this.until ?? now };
  }

  /** Taken, or not wanted. */
  forget(): void {
    this.from = null;
    this.until = null;
  }
}

/**
 * Keeps a muted picture in step with the voice: one decision for one measured distance.
 *
 * Pure. The voice's element is the master clock and is never touched. A picture within `dead_s` is left
 * alone; below `seek_s` its rate changes by 3 to 5 %, which nobody sees; beyond that it seeks. A
 * correction that began goes on until the picture is within `close_s`, else it would hover at the edge.
 */

export interface SyncRule {
  /** Nothing is done below this distance, in seconds. */
  dead_s: number;
  /** A correction by rate ends below this distance. */
  close_s: number;
  /** Below it 3 %, above it 5 %. */
  gentle_s: number;
  /** From here on the picture seeks. */
  seek_s: number;
  /** After a seek nothing is judged for this long: the element is still landing. */
  settle_ms: number;
}

export const RULE: SyncRule = { dead_s: 0.02, close_s: 0.006, gentle_s: 0.15, seek_s: 0.5, settle_ms: 700 };

/** Safari changes its rate audibly and late: there a picture only ever seeks. */
export const SEEK_ONLY: SyncRule = { ...RULE, dead_s: 0.25, seek_s: 0.25 };

/** `agent`: the browser's own name for itself, e.g. `navigator.userAgent`. */
export function ruleFor(agent: string): SyncRule {
  return /^((?!chrome|android).)*safari/i.test(agent) ? SEEK_ONLY : RULE;
}

const GENTLE = 0.03;
const FIRM = 0.05;
const MOST_LEAD_S = 0.4;
/** The voice's clock moves in steps of some 10 ms: small distances are judged by their running mean. */
const NEW_SHARE = 0.35;
const JUMP_S = 0.08;

export type Step =
  { kind: "keep"; rate: number } | { kind: "rate"; rate: number } | { kind: "seek"; to_s: number };

/** One picture following the master. `late` is positive where the picture is behind the voice. */
export class Follower {
  private correcting = false;
  private settleUntil = 0;
  private seeked = false;
  private lead_s = 0.05;
  private mean_s: number | null = null;

  constructor(private readonly rule: SyncRule = RULE) {}

  /** The next step at `now` (ms, monotonic), while playing at `rate`. */
  step(master_s: number, own_s: number, rate: number, now: number): Step {
    if (now < this.settleUntil) return { kind: "keep", rate };
    const late = master_s - own_s;
    this.learn(late);
    if (Math.abs(late) >= this.rule.seek_s) return this.seek(master_s, rate, now);
    const mean = this.average(late);
    const distance = Math.abs(mean);
    if (distance <= this.rule.close_s) this.correcting = false;
    else if (distance > this.rule.dead_s) this.correcting = true;
    if (!this.correcting) return { kind: "keep", rate };
    const share = distance < this.rule.gentle_s ? GENTLE : FIRM;
    return { kind: "rate", rate: rate * (1 + Math.sign(mean) * share) };
  }

  /** The user jumped or the picture was reloaded: judge nothing until it has landed. */
  reset(now: number): void {
    this.correcting = false;
    this.seeked = false;
    this.mean_s = null;
    this.settleUntil = now + this.rule.settle_ms;
  }

  private average(late: number): number {
    const before = this.mean_s ?? late;
    this.mean_s = Math.abs(late - before) > JUMP_S ? late : before + NEW_SHARE * (late - before);
    return this.mean_s;
  }

  private seek(master_s: number, rate: number, now: number): Step {
    this.correcting = false;
    this.seeked = true;
    this.mean_s = null;
    this.settleUntil = now + this.rule.settle_ms;
    return { kind: "seek", to_s: Math.max(0, master_s + this.lead_s * rate) };
  }

  /** A seek takes a moment in which the voice goes on: aim that much ahead the next time. */
  private learn(late: number): void {
    if (!this.seeked) return;
    this.seeked = false;
    this.lead_s = Math.min(MOST_LEAD_S, Math.max(0, this.lead_s + late / 2));
  }
}

export interface Readiness {
  name: string;
  /** The element has the data to go on from here. */
  ready: boolean;
  /** The voice: nothing goes on without it. */
  master: boolean;
}

/**
 * Stalls are coupled: where one track waits for data all wait, so that nobody hears a sentence whose
 * picture comes later. But sound comes first: a picture alone holds the others up for `patience_ms` only.
 */
export class Coupling {
  private since: number | null = null;
  private gaveUp = new Set<string>();

  constructor(
    private readonly grace_ms = 250,
    private readonly patience_ms = 6000,
  ) {}

  /** True: hold every track now. */
  hold(tracks: Readiness[], now: number): boolean {
    for (const track of tracks) if (track.ready) this.gaveUp.delete(track.name);
    const waiting = tracks.filter((track) => !track.ready && !this.gaveUp.has(track.name));
    if (waiting.length === 0) {
      this.since = null;
      return false;
    }
    this.since ??= now;
    const waited = now - this.since;
    if (waited < this.grace_ms) return false;
    if (waited >= this.patience_ms) {
      for (const track of waiting) if (!track.master) this.gaveUp.add(track.name);
      return waiting.some((track) => track.master);
    }
    return true;
  }

  /** The pictures that are so late that the sound went on without them. */
  get left(): string[] {
    return [...this.gaveUp];
  }
}

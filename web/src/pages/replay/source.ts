/**
 * Where the recording's description comes from: asked for until it is ready, then renewed before its
 * signatures end. Knows no element.
 */
import { CampusProblem } from "@/api/campus";
import { library } from "@/api/library";
import { renewIn, signatureOf } from "@/hls/signed";
import type { Replay, Words } from "@/protocol/messages";

export type Finding =
  | { kind: "loading" }
  /** The lesson is on, or its recording is being closed. */
  | { kind: "processing"; live: boolean; since: number }
  | { kind: "ready"; replay: Replay }
  | { kind: "empty"; replay: Replay }
  | { kind: "failed"; words: Words | null; retrying: boolean };

const ASK_AGAIN_MS = 500;
const LIVE_AGAIN_MS = 3000;
const AWAY_AGAIN_MS = 3000;
/** A new recording is verified in the background: look a few times, then only with each renewal. */
const VERDICT_MS = [5_000, 15_000, 45_000];
/** A recording that is not there by then takes longer: ask less often. */
const SOON_MS = 20_000;

export class Source {
  private timer: ReturnType<typeof setTimeout> | null = null;
  private replay: Replay | null = null;
  private closed = false;
  private since: number | null = null;
  private renewing: Promise<void> | null = null;
  private verdictAsked = 0;
  private renewed: string | null = null;

  constructor(
    private readonly lesson: string,
    private readonly onFinding: (finding: Finding) => void,
  ) {}

  start(): void {
    void this.ask();
  }

  close(): void {
    this.closed = true;
    if (this.timer !== null) clearTimeout(this.timer);
  }

  /** Whether there is more to play by now: pictures that had to be converted first. */
  async again(): Promise<void> {
    const found = await library.replay(this.lesson).catch(() => null);
    if (found !== null && found.converting.length < (this.replay?.converting.length ?? 0)) this.found(found);
  }

  /** The newest signature, for requests that go out now. */
  signature(): string | null {
    if (this.renewed !== null) return this.renewed;
    const track = this.replay?.tracks.find((one) => one.playlist !== "");
    return track === undefined ? null : signatureOf(track.playlist);
  }

  /** Get new signatures; several callers share one request. */
  renew(): Promise<void> {
    this.renewing ??= this.fetchAgain().finally(() => (this.renewing = null));
    return this.renewing;
  }

  private async fetchAgain(): Promise<void> {
    try {
      const { signature, expires_at, truth } = await library.renewal(this.lesson);
      if (this.closed || this.replay === null) return;
      this.renewed = signature;
      this.replay = { ...this.replay, expires_at, truth };
      this.onFinding({ kind: "ready", replay: this.replay });
      this.planRenewal();
    } catch (problem) {
      if (!(problem instanceof CampusProblem)) throw problem;
      this.later(AWAY_AGAIN_MS, () => void this.renew());
    }
  }

  private planRenewal(): void {
    if (this.replay === null) return;
    const signatures = renewIn(this.replay.expires_at, Date.now());
    const verdict = this.replay.truth === null ? (VERDICT_MS[this.verdictAsked++] ?? signatures) : signatures;
    this.later(Math.min(signatures, verdict), () => void this.renew());
  }

  private async ask(): Promise<void> {
    try {
      this.found(await library.replay(this.lesson));
    } catch (problem) {
      if (!(problem instanceof CampusProblem)) throw problem;
      this.refused(problem);
    }
  }

  private found(replay: Replay): void {
    if (this.closed) return;
    if (replay.state === "ready") {
      this.replay = replay;
      const playable = replay.tracks.some((track) => track.playlist !== "") && replay.seconds > 0;
      this.onFinding({ kind: playable ? "ready" : "empty", replay });
      if (playable) this.planRenewal();
      return;
    }
    if (replay.state === "failed") {
      this.onFinding({ kind: "failed", words: null, retrying: false });
      return;
    }
    this.processing(replay.state === "recording");
  }

  private processing(live: boolean): void {
    this.since = live ? null : (this.since ?? Date.now());
    this.onFinding({ kind: "processing", live, since: this.since ?? Date.now() });
    const soon = this.since !== null && Date.now() - this.since < SOON_MS;
    this.later(soon ? ASK_AGAIN_MS : LIVE_AGAIN_MS, () => void this.ask());
  }

  private refused(problem: CampusProblem): void {
    if (this.closed) return;
    if (problem.code === "not_ready") {
      this.processing(false);
      return;
    }
    const retrying = problem.status === 0 || problem.status >= 500;
    this.onFinding({ kind: "failed", words: problem.words, retrying });
    if (retrying) this.later(AWAY_AGAIN_MS, () => void this.ask());
  }

  private later(ms: number, what: () => void): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = this.closed ? null : setTimeout(what, ms);
  }
}

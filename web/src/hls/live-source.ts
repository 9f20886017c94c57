/** Where a live lesson's playlists come from: asked for until there are some, then again and again, as tracks
 * come and signatures end. Knows no element. */
import { campus, CampusProblem } from "@/api/campus";
import { signatureOf } from "@/hls/signed";
import type { LiveReplay, Words } from "@/protocol/messages";

const AGAIN_MS = 5000;
const SOON_MS = 1500;

export interface LiveFinding {
  replay: LiveReplay | null;
  /** Why there is nothing (yet); null while there is something. */
  words: Words | null;
  /** This page may not watch. */
  refused: boolean;
}

export class LiveSource {
  private timer: ReturnType<typeof setTimeout> | null = null;
  private closed = false;
  private replay: LiveReplay | null = null;
  private asking: Promise<void> | null = null;
  private ahead_ms = 0;

  /** `token`: of a room, an observer or a studio; null where the browser's own cookie counts. */
  constructor(
    private readonly lesson: string,
    private readonly token: () => string | null,
    private readonly onFinding: (finding: LiveFinding) => void,
  ) {}

  start(): void {
    void this.renew();
  }

  close(): void {
    this.closed = true;
    if (this.timer !== null) clearTimeout(this.timer);
  }

  signature(): string | null {
    const track = this.replay?.tracks[0];
    return track === undefined ? null : signatureOf(track.playlist);
  }

  /** The server's clock, ms since 1970. */
  now(): number {
    return Date.now() + this.ahead_ms;
  }

  /** Ask now; several callers share one request. */
  renew(): Promise<void> {
    this.asking ??= this.ask().finally(() => (this.asking = null));
    return this.asking;
  }

  private async ask(): Promise<void> {
    const asked = Date.now();
    try {
      const replay = await campus.liveReplay(this.lesson, this.token());
      this.ahead_ms = replay.now - (asked + Date.now()) / 2;
      this.replay = replay;
      this.tell({ replay, words: null, refused: false });
      this.later(AGAIN_MS);
    } catch (problem) {
      if (!(problem instanceof CampusProblem)) throw problem;
      const refused = problem.status === 404 || problem.status === 403;
      this.tell({ replay: this.replay, words: this.replay === null ? problem.words : null, refused });
      this.later(refused ? AGAIN_MS : SOON_MS);
    }
  }

  private tell(finding: LiveFinding): void {
    if (!this.closed) this.onFinding(finding);
  }

  private later(ms: number): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = this.closed ? null : setTimeout(() => void this.renew(), ms);
  }
}

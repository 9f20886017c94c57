/**
 * Plays a live lesson's separate tracks as one: the voice's element is the clock, the pictures follow it, and it
 * keeps its distance to the newest part for as long as nobody goes back.
 */
import { Coupling, Follower, ruleFor } from "@/pages/replay/sync";
import type { ReplayTrack } from "@/protocol/messages";

import { LiveFeed } from "./live-feed";
import type { FeedHost } from "./feed";
import { delayOf, LivePace } from "./pace";

export interface LiveView {
  at_s: number;
  /** Where the newest part ends. */
  edge_s: number;
  /** Follows the lesson; false after going back or a pause. */
  live: boolean;
  playing: boolean;
  /** Wants to play and waits for data. */
  waiting: boolean;
  /** The lesson is over, and this is its recording. */
  over: boolean;
  /** The end of that recording is reached. */
  ended: boolean;
  delay_s: number | null;
  rate: number;
  /** The browser plays no sound before a touch. */
  silenced: boolean;
  failed: string[];
  /** Pictures that have nothing for this moment: their source is away. */
  away: string[];
}

interface Part {
  track: ReplayTrack;
  feed: LiveFeed;
  follower: Follower;
}

const TICK_MS = 100;
/** HTMLMediaElement.HAVE_CURRENT_DATA, HAVE_FUTURE_DATA */
const CURRENT_DATA = 2;
const FUTURE_DATA = 3;
const END_S = 0.3;
/** A picture whose newest part is so far behind the voice's has nothing to show. */
const AWAY_S = 5;

/** Something is loaded where it stands. */
function hasPlace(part: Part): boolean {
  return part.feed.element.readyState >= CURRENT_DATA;
}

export class LivePlayer {
  private readonly parts: Part[] = [];
  private readonly broken = new Set<string>();
  private readonly coupling = new Coupling(250, 1500);
  private readonly pace = new LivePace();
  private readonly timer: ReturnType<typeof setInterval>;
  private wanted = true;
  private live = true;
  private held = false;
  private rate = 1;
  private muted = false;
  private silenced = false;
  private target: number | null = null;

  /** `from_s` null: at the live edge; else there, at `rate`. */
  constructor(
    private readonly now: () => number,
    private readonly onView: (view: LiveView) => void,
    from_s: number | null,
    rate: number,
  ) {
    if (from_s !== null) {
      this.live = false;
      this.target = Math.max(0, from_s);
      this.rate = rate;
    }
    this.timer = setInterval(() => this.tick(), TICK_MS);
  }

  add(track: ReplayTrack, element: HTMLMediaElement, leads: boolean, host: Omit<FeedHost, "failed">): void {
    const failed = (): void => void this.broken.add(track.name);
    const feed = new LiveFeed(element, track.playlist, { ...host, failed });
    const part = { track, feed, follower: new Follower(ruleFor(navigator.userAgent)) };
    if (leads) this.parts.unshift(part);
    else this.parts.push(part);
    element.preload = "auto";
    element.muted = this.muted || this.silenced || track.kind === "video";
    const at = this.live ? null : this.at_s;
    feed.load(this.parts.length > 1 && this.master !== part ? this.at_s || at : at);
  }

  remove(name: string): void {
    const found = this.parts.findIndex((part) => part.track.name === name);
    this.parts.splice(found, found < 0 ? 0 : 1).forEach((part) => part.feed.close());
    this.broken.delete(name);
  }

  close(): void {
    clearInterval(this.timer);
    this.parts.forEach((part) => part.feed.close());
    this.parts.length = 0;
  }

  toggle(): void {
    this.wanted = !this.wanted;
    if (!this.wanted) this.live = false;
    this.tick();
  }

  /** Back (or on) to a moment; beyond the newest part means live. */
  seek(at_s: number): void {
    const due = this.master?.feed.due_s ?? null;
    if (due !== null && at_s >= due - 0.5 && !this.over) return this.goLive();
    this.live = false;
    this.jump(Math.max(0, at_s));
  }

  goLive(): void {
    this.live = true;
    this.wanted = true;
    this.rate = 1;
    this.pace.reset();
    const due = this.master?.feed.due_s ?? null;
    if (due !== null) this.jump(due);
  }

  setMuted(muted: boolean): void {
    this.muted = muted;
    this.silenced = false;
    for (const { track, feed } of this.parts) feed.element.muted = muted || track.kind === "video";
    this.tick();
  }

  private get whole(): Part[] {
    return this.parts.filter((part) => !this.broken.has(part.track.name));
  }

  private get master(): Part | null {
    return this.whole[0] ?? null;
  }

  private get at_s(): number {
    return this.target ?? this.master?.feed.element.currentTime ?? 0;
  }

  private get over(): boolean {
    return this.master?.feed.ended ?? false;
  }

  private jump(to_s: number): void {
    this.target = to_s;
    const now = performance.now();
    for (const part of this.parts) {
      part.follower.reset(now);
      part.feed.element.currentTime = to_s;
    }
    this.tick();
  }

  private tick(): void {
    const master = this.master;
    if (master === null) return this.tell(null);
    const { element, edge_s } = master.feed;
    if (this.target !== null && !element.seeking && hasPlace(master)) {
      if (Math.abs(element.currentTime - this.target) < 1.5) this.target = null;
      else element.currentTime = this.target;
    }
    if (this.wanted && this.over && edge_s !== null && this.at_s >= edge_s - END_S) this.wanted = false;
    const now = performance.now();
    this.held = this.wanted && this.coupling.hold(this.readiness(master), now);
    this.run(this.wanted && !this.held);
    if (this.wanted && !this.held) this.keepUp(master, now);
    this.tell(master);
  }

  private readiness(master: Part): { name: string; ready: boolean; master: boolean }[] {
    return this.whole
      .filter((part) => part === master || !this.isAway(part, master))
      .map((part) => {
        const { element } = part.feed;
        const ready = element.ended || (element.readyState >= FUTURE_DATA && !element.seeking);
        return { name: part.track.name, ready, master: part === master };
      });
  }

  /** Nothing of this picture is there for the moment that is heard. */
  private isAway(part: Part, master: Part): boolean {
    const [own, at] = [part.feed.edge_s, master.feed.element.currentTime];
    const edge = master.feed.edge_s;
    return own !== null && edge !== null && own < at && edge - own > AWAY_S;
  }

  private run(go: boolean): void {
    for (const { feed } of this.whole) {
      const { element } = feed;
      if (element.ended) continue;
      if (!go && !element.paused) element.pause();
      if (go && element.paused) element.play().catch((error: unknown) => this.refused(error));
    }
  }

  /** A play that a pause interrupts is no fault; sound before the first touch is not allowed. */
  private refused(error: unknown): void {
    if (!(error instanceof DOMException) || error.name !== "NotAllowedError" || this.muted) return;
    this.silenced = true;
    for (const { feed } of this.parts) feed.element.muted = true;
  }

  private keepUp(master: Part, now: number): void {
    const { element, due_s } = master.feed;
    if (this.live && due_s !== null && !this.over && this.target === null) {
      const pace = this.pace.step(element.currentTime, due_s);
      if (pace.kind === "seek") this.jump(pace.to_s);
      else this.rate = pace.rate;
    }
    if (element.playbackRate !== this.rate) element.playbackRate = this.rate;
    for (const part of this.whole) {
      const own = part.feed.element;
      if (part === master || own.ended || own.seeking || !hasPlace(part) || this.isAway(part, master)) continue;
      const step = part.follower.step(element.currentTime, own.currentTime, this.rate, now);
      if (step.kind === "seek") own.currentTime = step.to_s;
      else if (own.playbackRate !== step.rate) own.playbackRate = step.rate;
    }
  }

  private tell(master: Part | null): void {
    const edge_s = master?.feed.edge_s ?? 0;
    this.onView({
      at_s: this.at_s,
      edge_s,
      live: this.live && !this.over,
      playing: this.wanted,
      waiting: this.wanted && (master === null || this.held || this.target !== null || !hasPlace(master)),
      over: this.over,
      ended: this.over && !this.wanted && this.at_s >= edge_s - END_S,
      delay_s: master === null || this.over ? null : delayOf(master.feed.shownAt, this.now()),
      rate: this.rate,
      silenced: this.silenced,
      failed: [...this.broken],
      away: master === null ? [] : this.whole.filter((p) => p !== master && this.isAway(p, master)).map((p) => p.track.name),
    });
  }
}

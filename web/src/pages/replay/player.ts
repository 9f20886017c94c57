/**
 * Plays a recording's separate tracks as one: the master's element is the clock, the others follow.
 *
 * Owns the elements' time, rate and play state; the rules are in `sync`. The page draws `PlayerView`.
 */
import { Feed } from "@/hls/feed";
import type { FeedHost } from "@/hls/feed";
import type { ReplayTrack } from "@/protocol/messages";

import { shownFrom } from "./edits";
import type { Stretch } from "./edits";
import { Coupling, Follower, ruleFor } from "./sync";

export interface PlayerView {
  at_s: number;
  playing: boolean;
  /** Wants to play and waits for data. */
  waiting: boolean;
  ended: boolean;
  rate: number;
  volume: number;
  muted: boolean;
  /** Distance behind the master by track, ms; only of pictures that follow now. */
  late_ms: Record<string, number>;
  /** Tracks that cannot be played, and pictures the sound went on without. */
  failed: string[];
  left: string[];
}

interface Part {
  track: ReplayTrack;
  feed: Feed;
  follower: Follower;
}

const TICK_MS = 100;
const FRAME_S = 0.04;
/** HTMLMediaElement.HAVE_FUTURE_DATA */
const FUTURE_DATA = 3;
const END_S = 0.15;

export class Player {
  private readonly parts: Part[] = [];
  /** Names of tracks that cannot be played. */
  private readonly broken = new Set<string>();
  private readonly coupling = new Coupling();
  private readonly timer: ReturnType<typeof setInterval>;
  private wanted = false;
  private held = false;
  private rate = 1;
  private volume = 1;
  private muted = false;
  /** Where a jump goes until the master has landed there. */
  private target: number | null = null;
  /** What is shown: the player goes over the rest. Empty: everything. */
  private kept: readonly Stretch[] = [];

  /** `lead`: the track whose element is the clock. */
  constructor(
    private readonly seconds: number,
    private readonly lead: string,
    private readonly onView: (view: PlayerView) => void,
  ) {
    this.timer = setInterval(() => this.tick(), TICK_MS);
  }

  add(track: ReplayTrack, element: HTMLMediaElement, at_s: number, host: Omit<FeedHost, "failed">): void {
    const follower = new Follower(ruleFor(navigator.userAgent));
    const failed = (): void => void this.broken.add(track.name);
    const feed = new Feed(element, track.playlist, { ...host, failed });
    element.preload = "auto";
    element.addEventListener("seeked", () => this.tick());
    const part: Part = { track, follower, feed };
    if (track.name === this.lead) this.parts.unshift(part);
    else this.parts.push(part);
    this.target ??= at_s;
    this.applySound();
    element.defaultPlaybackRate = this.rate;
    element.playbackRate = this.rate;
    feed.load(at_s);
  }

  /** Another camera in place of one that was shown. */
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

  get at_s(): number {
    return this.target ?? this.master?.feed.element.currentTime ?? 0;
  }

  play(): void {
    const over = this.kept.length > 0 && shownFrom(this.kept, this.at_s) === null;
    if (over || this.at_s >= this.seconds - END_S) this.seek(this.kept[0]?.start_s ?? 0);
    this.wanted = true;
    this.tick();
  }

  pause(): void {
    this.wanted = false;
    this.parts.forEach((part) => part.feed.element.pause());
    this.align();
    this.tick();
  }

  toggle(): void {
    if (this.wanted) this.pause();
    else this.play();
  }

  seek(at_s: number): void {
    const to = Math.min(Math.max(0, at_s), Math.max(0, this.seconds - 0.05));
    this.target = to;
    const now = performance.now();
    for (const part of this.parts) {
      part.follower.reset(now);
      part.feed.element.currentTime = to;
    }
    this.tick();
  }

  frame(by: number): void {
    this.pause();
    this.seek(this.at_s + by * FRAME_S);
  }

  /** An edit list's stretches; from now on the player stays within them. */
  setKept(kept: readonly Stretch[]): void {
    this.kept = kept;
    this.tick();
  }

  setRate(rate: number): void {
    this.rate = rate;
    for (const part of this.parts) part.feed.element.playbackRate = rate;
    this.tick();
  }

  setVolume(volume: number, muted: boolean): void {
    this.volume = Math.min(1, Math.max(0, volume));
    this.muted = muted;
    this.applySound();
    this.tick();
  }

  private get whole(): Part[] {
    return this.parts.filter((part) => !this.broken.has(part.track.name));
  }

  private get master(): Part | null {
    return this.whole[0] ?? null;
  }

  private applySound(): void {
    for (const { track, feed } of this.parts) {
      feed.element.muted = this.muted || track.kind === "video";
      feed.element.volume = this.volume;
    }
  }

  /** After a pause every picture stands exactly where the voice stands. */
  private align(): void {
    const at = this.at_s;
    for (const { feed } of this.parts) {
      feed.element.playbackRate = this.rate;
      if (Math.abs(feed.element.currentTime - at) > FRAME_S / 2) feed.element.currentTime = at;
    }
  }

  private tick(): void {
    const master = this.master;
    if (master === null) return this.tell(null, {});
    const { element } = master.feed;
    if (this.target !== null && !element.seeking && element.readyState >= 2) {
      if (Math.abs(element.currentTime - this.target) < 1) this.target = null;
      else element.currentTime = this.target;
    }
    if (this.wanted && this.target === null) this.goOver();
    if (this.wanted && (element.ended || this.at_s >= this.seconds - END_S)) this.finish();
    const now = performance.now();
    this.held = this.wanted && this.coupling.hold(this.readiness(), now);
    this.run(this.wanted && !this.held);
    this.tell(master, this.wanted && !this.held ? this.follow(master, now) : {});
  }

  private goOver(): void {
    if (this.kept.length === 0) return;
    const to = shownFrom(this.kept, this.at_s);
    if (to === null) this.finish();
    else if (to !== this.at_s) this.seek(to);
  }

  private finish(): void {
    this.wanted = false;
    this.target = null;
    this.parts.forEach((part) => part.feed.element.pause());
  }

  private readiness(): { name: string; ready: boolean; master: boolean }[] {
    const master = this.master;
    const at = this.at_s;
    return this.whole.map((part) => {
      const { element } = part.feed;
      const over = element.ended || at >= element.duration - END_S;
      const ready = over || (element.readyState >= FUTURE_DATA && !element.seeking);
      return { name: part.track.name, ready, master: part === master };
    });
  }

  private run(go: boolean): void {
    for (const { feed } of this.whole) {
      const { element } = feed;
      if (element.ended) continue;
      if (!go && !element.paused) element.pause();
      // A play that a pause or a new source interrupts is no fault.
      if (go && element.paused) element.play().catch(() => undefined);
    }
  }

  private follow(master: Part, now: number): Record<string, number> {
    const late: Record<string, number> = {};
    const at = master.feed.element.currentTime;
    for (const part of this.whole) {
      const { element } = part.feed;
      if (part === master || element.ended || element.seeking) continue;
      if (element.readyState < 2) continue;
      late[part.track.name] = Math.round((at - element.currentTime) * 1000);
      const step = part.follower.step(at, element.currentTime, this.rate, now);
      if (step.kind === "seek") element.currentTime = Math.min(step.to_s, this.seconds);
      else if (element.playbackRate !== step.rate) element.playbackRate = step.rate;
    }
    return late;
  }

  private tell(master: Part | null, late_ms: Record<string, number>): void {
    const at_s = Math.min(this.seconds, this.at_s);
    this.onView({
      at_s,
      playing: this.wanted,
      waiting: this.held || (this.target !== null && this.wanted),
      ended: master !== null && !this.wanted && at_s >= (this.kept[this.kept.length - 1]?.end_s ?? this.seconds) - END_S,
      rate: this.rate,
      volume: this.volume,
      muted: this.muted,
      late_ms,
      failed: [...this.broken],
      left: this.coupling.left,
    });
  }
}

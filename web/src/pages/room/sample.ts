/** The sample lesson's thread between this room and the first screen: commands in, measured facts out. */
import { DelayProbe } from "@/sample/delay";
import { onCommand, tellFact } from "@/sample/frames";

import type { RoomStore } from "./store";

const DELAY_EVERY_MS = 1000;

export class SampleThread {
  private openedAt = performance.now();
  private cutAt: number | null = null;
  private waiting = true;
  private probe: DelayProbe | null = null;
  private readonly timer: ReturnType<typeof setInterval>;
  private readonly unhear: () => void;

  constructor(private readonly store: RoomStore) {
    this.unhear = onCommand(true, (command) => {
      if (command === "unplug") this.unplug();
      if (command === "plug") this.plug();
      if (command === "hand") this.store.raiseHand();
    });
    this.timer = setInterval(() => this.tellDelay(), DELAY_EVERY_MS);
  }

  /** The element whose numbered pictures are read. */
  watch(video: HTMLVideoElement): void {
    this.probe?.stop();
    this.probe = new DelayProbe(video);
  }

  /** The lesson went live: joining is counted from here, not from when the page was opened. */
  began(): void {
    if (this.cutAt !== null) return;
    this.openedAt = performance.now();
    this.waiting = true;
  }

  /** A first picture of a new connection. */
  frame(): void {
    if (!this.waiting || this.store.state.unplugged) return;
    const now = performance.now();
    this.waiting = false;
    this.probe?.reset();
    tellFact(true, { kind: "joined", seconds: (now - this.openedAt) / 1000 });
    if (this.cutAt !== null) tellFact(true, { kind: "cut", seconds: (now - this.cutAt) / 1000 });
    this.cutAt = null;
  }

  handChanged(up: boolean): void {
    tellFact(true, { kind: "hand", up });
  }

  stop(): void {
    clearInterval(this.timer);
    this.probe?.stop();
    this.unhear();
  }

  private unplug(): void {
    this.cutAt ??= performance.now();
    this.waiting = true;
    this.store.unplug();
    tellFact(true, { kind: "unplugged", on: true });
  }

  private plug(): void {
    this.openedAt = performance.now();
    this.store.plug();
    tellFact(true, { kind: "unplugged", on: false });
  }

  private tellDelay(): void {
    const ms = this.waiting ? null : (this.probe?.median() ?? null);
    if (ms !== null) tellFact(true, { kind: "delay", ms: Math.round(ms) });
  }
}

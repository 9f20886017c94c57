/**
 * Alerts over whatever the teacher shows: a small window that stays on top (Document Picture-in-Picture), else the
 * system's notifications while the studio is out of sight.
 */
import { computed, ref, shallowRef } from "vue";

import { inWords, say } from "@/i18n/say";
import type { Fact } from "@/state/alerts";
import { tileFace } from "@/state/seat";

const WIDTH = 340;
const HEIGHT = 420;
const KEPT = "lianke.float";

interface PictureInPicture {
  requestWindow(size: { width: number; height: number }): Promise<Window>;
}

function pictureInPicture(): PictureInPicture | undefined {
  return (globalThis as { documentPictureInPicture?: PictureInPicture }).documentPictureInPicture;
}

export class Floating {
  readonly window = shallowRef<Window | null>(null);
  /** Only by notification: this browser has no such window, and the teacher allowed them. */
  readonly notifying = ref(false);
  readonly on = computed(() => this.window.value !== null || this.notifying.value);
  readonly possible = pictureInPicture() !== undefined || "Notification" in globalThis;
  private told = new Set<string>();

  /** By a touch: browsers open no such window by themselves. */
  async toggle(): Promise<void> {
    if (this.on.value) this.close();
    else await this.open();
    keep(this.on.value);
  }

  /** Slides begin, by a touch: as the teacher had it the last time. */
  async slidesBegin(): Promise<void> {
    if (!this.on.value && kept()) await this.open();
  }

  close(): void {
    this.window.value?.close();
    this.window.value = null;
    this.notifying.value = false;
  }

  /** What is new is told once, where the window does not show it and the studio is out of sight. */
  tell(facts: readonly Fact[], now: number): void {
    const fresh = facts.filter((fact) => !this.told.has(fact.key));
    this.told = new Set(facts.map((fact) => fact.key));
    if (!this.notifying.value || this.window.value !== null || !document.hidden) return;
    for (const fact of fresh) {
      const name = inWords(fact.seat.name);
      const face = tileFace(fact.seat, null, now);
      const body = fact.hand ? say("studio.raisedHand") : say(face.word);
      new Notification(name, { body, tag: fact.key, silent: true });
    }
  }

  private async open(): Promise<void> {
    const found = pictureInPicture();
    if (found !== undefined) {
      const opened = await found.requestWindow({ width: WIDTH, height: HEIGHT }).catch(() => null); // no touch, or forbidden
      if (opened !== null) this.adopt(opened);
      return;
    }
    this.notifying.value = (await Notification.requestPermission()) === "granted";
  }

  private adopt(opened: Window): void {
    for (const sheet of document.querySelectorAll('style, link[rel="stylesheet"]')) {
      opened.document.head.append(sheet.cloneNode(true));
    }
    opened.document.title = say("studio.float");
    opened.document.documentElement.lang = document.documentElement.lang;
    opened.document.body.className = "room-surface";
    opened.addEventListener("pagehide", () => (this.window.value = null));
    this.window.value = opened;
  }
}

function kept(): boolean {
  try {
    return localStorage.getItem(KEPT) === "1";
  } catch {
    return false;
  }
}

function keep(on: boolean): void {
  try {
    localStorage.setItem(KEPT, on ? "1" : "0");
  } catch {
    // a browser that keeps nothing: it is chosen anew each time
  }
}

/** The rooms' voices in the studio: one element a slot, and what the browser holds back until a touch. */
import { ref } from "vue";

import type { Slot } from "@/rtc/down";

import { OWN_VOICE } from "./boxes";

export class Speakers {
  /** The browser waits for a touch before it lets sound out. */
  readonly blocked = ref(false);
  private readonly elements = new Map<string, HTMLAudioElement>();
  private readonly touched = (): void => {
    if (!this.blocked.value) return;
    this.blocked.value = false;
    for (const element of this.elements.values()) this.play(element);
  };

  constructor(private readonly volume: number) {
    window.addEventListener("pointerdown", this.touched);
    window.addEventListener("keydown", this.touched);
  }

  /** Play the audio slots among these, and no others. */
  follow(slots: ReadonlyMap<string, Slot>): void {
    for (const [name, element] of this.elements) {
      if (slots.get(name)?.track != null) continue;
      element.srcObject = null;
      this.elements.delete(name);
    }
    for (const { name, kind, track } of slots.values()) {
      if (kind === "audio" && track !== null) this.attach(name, track);
    }
  }

  stop(): void {
    this.follow(new Map());
    window.removeEventListener("pointerdown", this.touched);
    window.removeEventListener("keydown", this.touched);
  }

  private attach(name: string, track: MediaStreamTrack): void {
    const element = this.elements.get(name) ?? new Audio();
    this.elements.set(name, element);
    if ((element.srcObject as MediaStream | null)?.getTracks()[0] === track) return;
    element.srcObject = new MediaStream([track]);
    element.volume = this.volume;
    element.muted = name === OWN_VOICE; // it is measured, and must be decoded for that
    this.play(element);
  }

  private play(element: HTMLAudioElement): void {
    element.play().catch((error: unknown) => {
      if (error instanceof DOMException && error.name === "NotAllowedError") this.blocked.value = true;
    });
  }
}

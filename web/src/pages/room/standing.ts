/**
 * How this machine stands, told to campus lesson or not: which devices are plugged in, how far its clock is off, and
 * whether the room hears itself. Nothing is opened for the first two.
 */
import type { Lesson, ToServer } from "@/protocol/messages";

import type { Outcome } from "./self-hearing";

const EVERY_MS = 60_000;
const SETTLED_MS = 4_000;
const MOST = 32;

export interface StandingPorts {
  send(message: ToServer): boolean;
  /** The server's clock less this machine's, once it is known. */
  clockOff_ms(): number;
  hear(): Promise<Outcome>;
  /** A lesson holds camera and microphone. */
  inLesson(): boolean;
}

/** Kinds of what is plugged in; labels are not asked for. */
export function counted(devices: readonly Pick<MediaDeviceInfo, "kind">[]): { cameras: number; microphones: number; speakers: number } {
  const of = (kind: MediaDeviceKind): number => Math.min(MOST, devices.filter((one) => one.kind === kind).length);
  return { cameras: of("videoinput"), microphones: of("audioinput"), speakers: of("audiooutput") };
}

export class Standing {
  private timer: ReturnType<typeof setInterval> | null = null;
  private soon: ReturnType<typeof setTimeout> | null = null;
  private listening = false;
  private heardFor = "";
  private readonly changed = (): void => void this.tell();

  constructor(private readonly ports: StandingPorts) {}

  /** The page is welcome: tell now, once more when the clocks are compared, then every minute. */
  begin(): void {
    this.end();
    navigator.mediaDevices?.addEventListener("devicechange", this.changed);
    this.timer = setInterval(this.changed, EVERY_MS);
    this.soon = setTimeout(this.changed, SETTLED_MS);
    void this.tell();
  }

  end(): void {
    navigator.mediaDevices?.removeEventListener("devicechange", this.changed);
    if (this.timer !== null) clearInterval(this.timer);
    if (this.soon !== null) clearTimeout(this.soon);
  }

  /** Before the bell, once a lesson: the room is in its lesson and nothing runs yet. */
  lessonTold({ lesson }: Lesson): void {
    // In a lesson that nobody booked the microphone waits for a touch.
    if (lesson === null || lesson.state !== "open" || lesson.booked_from === null || lesson.id === this.heardFor) return;
    this.heardFor = lesson.id;
    void this.hear();
  }

  /** Somebody asked, or the bell is near. In a lesson the microphone is the lesson's. */
  async hear(): Promise<void> {
    if (this.listening || this.ports.inLesson()) return;
    this.listening = true;
    try {
      this.ports.send({ type: "hear_checked", ...(await this.ports.hear()) });
    } finally {
      this.listening = false;
    }
  }

  private async tell(): Promise<void> {
    const devices = (await navigator.mediaDevices?.enumerateDevices().catch(() => [])) ?? [];
    this.ports.send({ type: "standing", ...counted(devices), clock_off_ms: -Math.round(this.ports.clockOff_ms()) });
  }
}

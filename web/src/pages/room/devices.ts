/**
 * The room's own camera and microphone, held only while a lesson is on.
 *
 * A missing or taken device never stops the room from receiving: what is there is sent, and what was
 * plugged in again is taken up. The sample's drawn pupils stand behind the same door.
 */
import type { Source } from "@/protocol/messages";
import { sampleSources } from "@/sample/sources";

export interface Held {
  camera: MediaStreamTrack | null;
  voice: MediaStreamTrack | null;
}

export interface Devices {
  /** Take what there is of what the lesson lets a room send; called again it keeps what is held. `onHeld` tells,
   * now and at each change. */
  acquire(may: readonly Source[]): Promise<void>;
  release(): void;
}

const CAMERA: MediaTrackConstraints = {
  width: { ideal: 640 },
  height: { ideal: 360 },
  frameRate: { ideal: 15, max: 25 },
};
const VOICE: MediaTrackConstraints = {
  echoCancellation: true,
  noiseSuppression: true,
  autoGainControl: true,
};
const AGAIN_AFTER_MS = 10_000;

export class RoomDevices implements Devices {
  /** What is to be held; null: nothing, no lesson is on. */
  private wanted: readonly Source[] | null = null;
  private camera: MediaStreamTrack | null = null;
  private voice: MediaStreamTrack | null = null;
  private timer: ReturnType<typeof setTimeout> | null = null;
  private asking = false;
  private readonly changed = (): void => void this.fill();

  constructor(private readonly onHeld: (held: Held) => void) {}

  async acquire(may: readonly Source[]): Promise<void> {
    if (this.wanted !== null) return;
    this.wanted = may;
    media()?.addEventListener("devicechange", this.changed);
    await this.fill();
  }

  release(): void {
    this.wanted = null;
    media()?.removeEventListener("devicechange", this.changed);
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
    for (const track of [this.camera, this.voice]) track?.stop();
    this.camera = null;
    this.voice = null;
    this.onHeld({ camera: null, voice: null });
  }

  private async fill(): Promise<void> {
    if (this.wanted === null || this.asking) return;
    this.asking = true;
    if (this.lacks("camera") && this.lacks("voice")) await this.take({ video: CAMERA, audio: VOICE });
    if (this.lacks("voice")) await this.take({ audio: VOICE });
    if (this.lacks("camera")) await this.take({ video: CAMERA });
    this.asking = false;
    if (this.wanted === null) return;
    this.onHeld({ camera: this.camera, voice: this.voice });
    if (this.timer !== null) clearTimeout(this.timer);
    const missing = this.lacks("camera") || this.lacks("voice");
    this.timer = missing ? setTimeout(this.changed, AGAIN_AFTER_MS) : null;
  }

  private lacks(which: "camera" | "voice"): boolean {
    return this.wanted?.includes(which) === true && this[which] === null;
  }

  private async take(constraints: MediaStreamConstraints): Promise<void> {
    if (this.wanted === null) return;
    const stream = await media()
      ?.getUserMedia(constraints)
      .catch(() => null); // absent, taken or forbidden: the room goes on without it
    if (!stream) return;
    for (const track of stream.getTracks()) this.hold(track);
  }

  private hold(track: MediaStreamTrack): void {
    const which = track.kind === "video" ? "camera" : "voice";
    if (!this.lacks(which)) {
      track.stop();
      return;
    }
    this[which] = track;
    track.onended = () => {
      if (this[which] !== track) return;
      this[which] = null;
      void this.fill();
    };
  }
}

/** Only on HTTPS and localhost; elsewhere the room receives and sends nothing. */
function media(): MediaDevices | undefined {
  return navigator.mediaDevices as MediaDevices | undefined;
}

export class SampleDevices implements Devices {
  private sources: ReturnType<typeof sampleSources> | null = null;

  constructor(
    private readonly seed: number,
    private readonly onHeld: (held: Held) => void,
  ) {}

  acquire(may: readonly Source[]): Promise<void> {
    if (this.sources === null) {
      this.sources = sampleSources("room", this.seed);
      const { camera, voice } = this.sources;
      this.onHeld({
        camera: may.includes("camera") ? camera : null,
        voice: may.includes("voice") ? voice : null,
      });
    }
    return Promise.resolve();
  }

  release(): void {
    this.sources?.stop();
    this.sources = null;
    this.onHeld({ camera: null, voice: null });
  }
}

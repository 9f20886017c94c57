/**
 * The room's own camera and microphone, held only while a lesson is on.
 *
 * A missing or taken device never stops the room from receiving: what is there is sent, and what was
 * plugged in again is taken up. The sample's drawn pupils stand behind the same door.
 */
import { sampleSources } from "@/sample/sources";

export interface Held {
  camera: MediaStreamTrack | null;
  voice: MediaStreamTrack | null;
}

export interface Devices {
  /** Take what there is; called again it keeps what is held. `onHeld` tells, now and at each change. */
  acquire(): Promise<void>;
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
  private wanted = false;
  private camera: MediaStreamTrack | null = null;
  private voice: MediaStreamTrack | null = null;
  private timer: ReturnType<typeof setTimeout> | null = null;
  private asking = false;
  private readonly changed = (): void => void this.fill();

  constructor(private readonly onHeld: (held: Held) => void) {}

  async acquire(): Promise<void> {
    if (this.wanted) return;
    this.wanted = true;
    media()?.addEventListener("devicechange", this.changed);
    await this.fill();
  }

  release(): void {
    this.wanted = false;
    media()?.removeEventListener("devicechange", this.changed);
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
    for (const track of [this.camera, this.voice]) track?.stop();
    this.camera = null;
    this.voice = null;
    this.onHeld({ camera: null, voice: null });
  }

  private async fill(): Promise<void> {
    if (!this.wanted || this.asking) return;
    this.asking = true;
    if (this.camera === null && this.voice === null) await this.take({ video: CAMERA, audio: VOICE });
    if (this.voice === null) await this.take({ audio: VOICE });
    if (this.camera === null) await this.take({ video: CAMERA });
    this.asking = false;
    if (!this.wanted) return;
    this.onHeld({ camera: this.camera, voice: this.voice });
    if (this.timer !== null) clearTimeout(this.timer);
    const missing = this.camera === null || this.voice === null;
    this.timer = missing ? setTimeout(this.changed, AGAIN_AFTER_MS) : null;
  }

  private async take(constraints: MediaStreamConstraints): Promise<void> {
    if (!this.wanted) return;
    const stream = await media()
      ?.getUserMedia(constraints)
      .catch(() => null); // absent, taken or forbidden: the room goes on without it
    if (!stream) return;
    for (const track of stream.getTracks()) this.hold(track);
  }

  private hold(track: MediaStreamTrack): void {
    const which = track.kind === "video" ? "camera" : "voice";
    if (!this.wanted || this[which] !== null) {
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

  acquire(): Promise<void> {
    if (this.sources === null) {
      this.sources = sampleSources("room", this.seed);
      this.onHeld({ camera: this.sources.camera, voice: this.sources.voice });
    }
    return Promise.resolve();
  }

  release(): void {
    this.sources?.stop();
    this.sources = null;
    this.onHeld({ camera: null, voice: null });
  }
}

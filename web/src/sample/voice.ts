/** The sample's voice: a quiet motif, and a 1 kHz tone exactly while the pictures' sync block is white. */
import { clockMs, SYNC_EVERY_MS, SYNC_MS } from "./stamp";

const AHEAD_MS = 600;
const NOTE_MS = 300;
const TONE_HZ = 1_000;
const TONE_GAIN = 0.4;
/** Semitones above the base, null rests; nothing sounds in the first half second, where the tone is. */
const MOTIF: readonly (number | null)[] = [
  null, null, 0, 4, 7, null, 9, 7, 4, null, 2, 4, 7, null, 4, 0,
];

export class SampleVoice {
  readonly track: MediaStreamTrack;
  private readonly context = new AudioContext({ sampleRate: 48_000 });
  private readonly out: MediaStreamAudioDestinationNode;
  private readonly offsets: number[] = [];
  private scheduledTo = 0;

  /** `baseHz`: the motif's lowest note; rooms speak without the sync tone. */
  constructor(
    private readonly baseHz: number,
    private readonly withTone: boolean,
  ) {
    this.out = this.context.createMediaStreamDestination();
    const track = this.out.stream.getAudioTracks()[0];
    if (track === undefined) throw new Error("an audio destination has no track");
    this.track = track;
    // A page without a touch yet may not sound; the tick tries again.
    void this.context.resume();
  }

  /** Plan what sounds until `AHEAD_MS` from now. To be called at least twice a second. */
  tick(): void {
    if (this.context.state !== "running") {
      void this.context.resume();
      this.scheduledTo = 0;
      return;
    }
    const now = clockMs();
    const offset = this.contextOffsetMs(now);
    const from = Math.max(this.scheduledTo, now + 60);
    const to = now + AHEAD_MS;
    for (let step = Math.ceil(from / NOTE_MS); step * NOTE_MS < to; step++) this.note(step * NOTE_MS, offset);
    if (this.withTone) {
      for (let k = Math.ceil(from / SYNC_EVERY_MS); k * SYNC_EVERY_MS < to; k++) {
        this.sound(k * SYNC_EVERY_MS - offset, SYNC_MS, TONE_HZ, TONE_GAIN, 2);
      }
    }
    this.scheduledTo = to;
  }

  async stop(): Promise<void> {
    this.track.stop();
    await this.context.close();
  }

  private note(atMs: number, offset: number): void {
    const into = atMs % SYNC_EVERY_MS;
    if (into < 400 || into > SYNC_EVERY_MS - NOTE_MS * 1.2) return;
    const semitones = MOTIF[Math.floor(into / NOTE_MS) % MOTIF.length];
    if (semitones == null) return;
    this.sound(atMs - offset, NOTE_MS * 0.9, this.baseHz * 2 ** (semitones / 12), 0.12, 40);
  }

  private sound(startMs: number, lengthMs: number, hz: number, gain: number, rampMs: number): void {
    const start = Math.max(startMs / 1000, this.context.currentTime);
    const end = (startMs + lengthMs) / 1000;
    if (end <= start) return;
    const tone = this.context.createOscillator();
    const level = this.context.createGain();
    tone.frequency.value = hz;
    tone.type = "sine";
    level.gain.setValueAtTime(0, start);
    level.gain.linearRampToValueAtTime(gain, start + rampMs / 1000);
    level.gain.setValueAtTime(gain, end - rampMs / 1000);
    level.gain.linearRampToValueAtTime(0, end);
    tone.connect(level).connect(this.out);
    tone.start(start);
    tone.stop(end);
  }

  /** Wall clock minus the context's clock; the median of the last looks, since the latter moves in steps. */
  private contextOffsetMs(now: number): number {
    this.offsets.push(now - this.context.currentTime * 1000);
    if (this.offsets.length > 25) this.offsets.shift();
    const sorted = [...this.offsets].sort((a, b) => a - b);
    return sorted[sorted.length >> 1] ?? 0;
  }
}

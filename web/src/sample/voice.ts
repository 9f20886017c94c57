/**
 * The sample's voice as a track.
 *
 * Written sample by sample against the machine's clock, so that a busy machine neither stretches nor drops
 * any of it; browsers without MediaStreamTrackGenerator play the same wave through an AudioContext.
 */
import { clockMs, SYNC_EVERY_MS } from "./stamp";
import { SAMPLE_RATE, wave } from "./wave";
import type { VoiceKind } from "./wave";

export interface SampleVoice {
  readonly track: MediaStreamTrack;
  /** To be called every few milliseconds. */
  tick(): void;
  stop(): void;
}

interface TrackGenerator extends MediaStreamTrack {
  readonly writable: WritableStream<AudioData>;
}
type TrackGeneratorConstructor = new (init: { kind: string }) => TrackGenerator;

const PIECE_MS = 10;
/** A page that slept longer goes on from now instead of catching up. */
const CATCH_UP_MS = 500;

export function sampleVoice(kind: VoiceKind): SampleVoice {
  const generator = (window as { MediaStreamTrackGenerator?: TrackGeneratorConstructor }).MediaStreamTrackGenerator;
  return generator === undefined ? new PlayedVoice(kind) : new WrittenVoice(kind, new generator({ kind: "audio" }));
}

class WrittenVoice implements SampleVoice {
  readonly track: MediaStreamTrack;
  private readonly writer: WritableStreamDefaultWriter<AudioData>;
  private writtenTo = Math.ceil(clockMs() / PIECE_MS) * PIECE_MS;

  constructor(
    private readonly kind: VoiceKind,
    generator: TrackGenerator,
  ) {
    this.track = generator;
    this.writer = generator.writable.getWriter();
  }

  tick(): void {
    const now = clockMs();
    if (now - this.writtenTo > CATCH_UP_MS) this.writtenTo = Math.floor(now / PIECE_MS) * PIECE_MS;
    while (this.writtenTo + PIECE_MS <= now) {
      this.write(this.writtenTo);
      this.writtenTo += PIECE_MS;
    }
  }

  stop(): void {
    this.track.stop();
    void this.writer.close().catch(() => undefined); // the track's end closed it already
  }

  private write(fromMs: number): void {
    const samples = (SAMPLE_RATE * PIECE_MS) / 1000;
    const piece = new AudioData({
      format: "f32-planar",
      sampleRate: SAMPLE_RATE,
      numberOfChannels: 1,
      numberOfFrames: samples,
      timestamp: Math.round(fromMs * 1000),
      data: wave(fromMs, samples, this.kind),
    });
    this.writer.write(piece).catch(() => undefined); // nobody listens to a stopped track
  }
}

class PlayedVoice implements SampleVoice {
  readonly track: MediaStreamTrack;
  private readonly context = new AudioContext({ sampleRate: SAMPLE_RATE });
  private source: AudioBufferSourceNode | null = null;
  private readonly out: MediaStreamAudioDestinationNode;

  constructor(private readonly kind: VoiceKind) {
    this.out = this.context.createMediaStreamDestination();
    this.track = this.out.stream.getAudioTracks()[0] as MediaStreamTrack;
  }

  tick(): void {
    // A page without a touch yet may not sound; every tick tries again.
    if (this.context.state !== "running") void this.context.resume();
    else this.source ??= this.play();
  }

  stop(): void {
    this.track.stop();
    void this.context.close();
  }

  private play(): AudioBufferSourceNode {
    const samples = (SAMPLE_RATE * SYNC_EVERY_MS) / 1000;
    const buffer = this.context.createBuffer(1, samples, SAMPLE_RATE);
    buffer.copyToChannel(wave(0, samples, this.kind), 0);
    const source = this.context.createBufferSource();
    source.buffer = buffer;
    source.loop = true;
    source.connect(this.out);
    source.start(0, (clockMs() % SYNC_EVERY_MS) / 1000);
    return source;
  }
}

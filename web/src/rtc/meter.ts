/** From the browser's running totals of one slot to what happened since the last look (pure). */
import type { SlotReport } from "@/protocol/messages";

/** The fields of RTCInboundRtpStreamStats that are read; old browsers lack some. */
export interface InboundTotals {
  framesDecoded?: number;
  packetsReceived?: number;
  packetsLost?: number;
  frameHeight?: number;
  framesDropped?: number;
  totalDecodeTime?: number;
  concealedSamples?: number;
  silentConcealedSamples?: number;
  totalSamplesReceived?: number;
  totalFreezesDuration?: number;
  jitterBufferDelay?: number;
  jitterBufferEmittedCount?: number;
  totalAudioEnergy?: number;
  totalSamplesDuration?: number;
}

/** Share of the time in the decoder from which on it cannot keep up. */
const BUSY = 0.85;

export class SlotMeter {
  /** Root mean square of the sound since the last look, 0 to 1. */
  loudness = 0;
  /** Packets came since the last look. */
  flowing = false;
  private last: InboundTotals = {};
  private readAt: number | null = null;

  constructor(private readonly slot: string) {}

  /** `shown`: pixels in height of the place it is shown in; `now`: milliseconds, any clock. */
  read(totals: InboundTotals, shown = 0, now: number = performance.now()): Required<SlotReport> {
    const since = (field: keyof InboundTotals): number =>
      Math.max(0, (totals[field] ?? 0) - (this.last[field] ?? 0));
    const samples = since("totalSamplesReceived");
    const emitted = since("jitterBufferEmittedCount");
    const received = since("packetsReceived");
    const seconds = since("totalSamplesDuration");
    this.loudness = seconds > 0 ? Math.sqrt(since("totalAudioEnergy") / seconds) : 0;
    this.flowing = received > 0;
    const report = {
      slot: this.slot,
      frames: since("framesDecoded"),
      lost: since("packetsLost"),
      received,
      concealed: samples > 0 ? Math.min(1, since("concealedSamples") / samples) : 0,
      freeze_ms: Math.round(since("totalFreezesDuration") * 1000),
      height: totals.frameHeight ?? 0,
      dropped: this.strain(since, now),
      shown,
      delay_ms: emitted > 0 ? Math.round((since("jitterBufferDelay") / emitted) * 1000) : 0,
    };
    this.last = { ...totals };
    this.readAt = now;
    return report;
  }

  /** The share of frames that came and were not shown; all of them where decoding fills the time. */
  private strain(since: (field: keyof InboundTotals) => number, now: number): number {
    const frames = since("framesDecoded");
    const dropped = since("framesDropped");
    if (this.readAt === null || frames + dropped === 0) return 0;
    const busy = (since("totalDecodeTime") * 1000) / Math.max(1, now - this.readAt);
    return busy > BUSY ? 1 : dropped / (frames + dropped);
  }
}

/** From the browser's running totals of one slot to what happened since the last look (pure). */
import type { SlotReport } from "@/protocol/messages";

/** The fields of RTCInboundRtpStreamStats that are read; old browsers lack some. */
export interface InboundTotals {
  framesDecoded?: number;
  packetsReceived?: number;
  packetsLost?: number;
  frameHeight?: number;
  concealedSamples?: number;
  silentConcealedSamples?: number;
  totalSamplesReceived?: number;
  totalFreezesDuration?: number;
  jitterBufferDelay?: number;
  jitterBufferEmittedCount?: number;
  totalAudioEnergy?: number;
  totalSamplesDuration?: number;
}

export class SlotMeter {
  /** Root mean square of the sound since the last look, 0 to 1. */
  loudness = 0;
  /** Packets came since the last look. */
  flowing = false;
  private last: InboundTotals = {};

  constructor(private readonly slot: string) {}

  read(totals: InboundTotals): Required<SlotReport> {
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
      delay_ms: emitted > 0 ? Math.round((since("jitterBufferDelay") / emitted) * 1000) : 0,
    };
    this.last = { ...totals };
    return report;
  }
}
